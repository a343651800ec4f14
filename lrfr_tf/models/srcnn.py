"""SRCNN: three convolutions that sharpen an image already enlarged by bicubic interpolation.

Dong, Loy, He, Tang: "Image Super-Resolution Using Deep Convolutional Networks", TPAMI 2016 (ECCV 2014).
"""

import keras
import numpy as np

# Kernel sizes of the three layers; the paper's names for its variants.
VARIANTS = {"9-1-5": (9, 1, 5), "9-5-5": (9, 5, 5)}


def srcnn(variant: str = "9-1-5") -> keras.Model:
    """Builds SRCNN with 64 and 32 filters on RGB, as titu1994's Image-Super-Resolution does.

    The paper trains on luma alone and without padding. Here all three colors go in and out, and "same" padding keeps
    the size: a 64 x 64 face would lose 12 pixels otherwise. The output is the plain sum of the last convolution, not a
    correction added to the input.

    Args:
        variant: "9-1-5" (20,099 parameters) or "9-5-5" (69,251 parameters).

    Returns:
        A model from float32 [N, H, W, 3], RGB in 0..255, enlarged by bicubic, to float32 [N, H, W, 3] on the same
        scale, not clipped. Both ends are float32 under every precision policy.

    Raises:
        ValueError: the variant is not one of `VARIANTS`.
    """
    if variant not in VARIANTS:
        raise ValueError(f"SRCNN has the variants {', '.join(VARIANTS)}, not {variant!r}.")
    patch_kernel, mapping_kernel, reconstruction_kernel = VARIANTS[variant]
    images = keras.Input((None, None, 3), dtype="float32", name="images")
    # The network works on 0..1, the range its learning rates were published for.
    x = keras.layers.Rescaling(1 / 255, dtype="float32", name="to_unit_range")(images)
    x = keras.layers.Conv2D(64, patch_kernel, padding="same", activation="relu", name="patch_extraction")(x)
    x = keras.layers.Conv2D(32, mapping_kernel, padding="same", activation="relu", name="mapping")(x)
    # Half precision has steps of 0.06 to 0.125 grey levels near white: the last layer stays in float32.
    x = keras.layers.Conv2D(3, reconstruction_kernel, padding="same", dtype="float32", name="reconstruction")(x)
    x = keras.layers.Rescaling(255.0, dtype="float32", name="to_pixels")(x)
    network = keras.Model(images, x, name=f"srcnn_{variant.replace('-', '_')}")
    _start_as_identity(network)
    return network


def _start_as_identity(network: keras.Model) -> None:
    """Lets three channels carry red, green and blue through, so that training starts from the bicubic image.

    From random weights the network spends its first thousands of steps on learning to copy its input. The rest of the
    last layer starts at a standard deviation of 0.001, as in the paper.
    """
    for name in ("patch_extraction", "mapping", "reconstruction"):
        layer = network.get_layer(name)
        kernel, bias = layer.get_weights()
        if name == "reconstruction":
            kernel *= 0.001 / kernel.std()
        center = kernel.shape[0] // 2
        colors = np.arange(3)
        if name != "reconstruction":
            kernel[..., colors] = 0.0
        kernel[center, center, colors, colors] = 1.0
        layer.set_weights([kernel, bias])

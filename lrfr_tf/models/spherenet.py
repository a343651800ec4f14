"""SphereFace's plain residual networks without batch norm: the backbone of the deep Siamese network.

Liu et al.: "SphereFace: Deep Hypersphere Embedding for Face Recognition", CVPR 2017, with the input size, the padding
and the initial weights that Lai & Lam use ("Deep Siamese network for low-resolution face recognition", 2021). Padding
and initial weights are PyTorch's, so that their released weights give the same embeddings here
(`lrfr_tf.weights.dsn`) and a training starts as theirs does.
"""

import math

import keras
from keras import KerasTensor, layers

INPUT_SIZE = 128

# Depth -> residual units in each of the four stages. The depth counts the convolutions: 4 entries and 2 a unit.
UNITS = {4: (0, 0, 0, 0), 10: (0, 1, 2, 0), 20: (1, 2, 4, 1), 36: (2, 4, 8, 2), 64: (3, 8, 16, 3)}

STAGE_CHANNELS = (64, 128, 256, 512)


def spherenet(depth: int = 20, embedding_size: int = 512) -> keras.Model:
    """Builds the network; 28,437,824 parameters and 2.67 billion multiply-adds an image at depth 20.

    Scaling, last layer and output are float32 under every precision policy.

    Args:
        depth: number of convolutions: 4, 10, 20, 36 or 64.
        embedding_size: length D of the embeddings.

    Returns:
        A model from float32 [N, 128, 128, 3], RGB in 0..255, to float32 [N, D], not of unit length.

    Raises:
        ValueError: there is no such depth.
    """
    if depth not in UNITS:
        raise ValueError(f"SphereNet has {', '.join(map(str, UNITS))} convolutions, not {depth}.")
    images = keras.Input((INPUT_SIZE, INPUT_SIZE, 3), dtype="float32", name="images")
    # (x / 255 - 0.5) / 0.5
    x = layers.Rescaling(1 / 127.5, offset=-1.0, dtype="float32", name="to_signed_range")(images)
    for stage, (channels, units) in enumerate(zip(STAGE_CHANNELS, UNITS[depth], strict=True), start=1):
        # PyTorch pads one pixel on every side; "same" would pad an even side on the right only.
        x = layers.ZeroPadding2D(1, name=f"stage{stage}_padding")(x)
        x = _activated_convolution(x, channels, f"stage{stage}_entry", strides=2)
        for unit in range(1, units + 1):
            skip = x
            x = _activated_convolution(x, channels, f"stage{stage}_unit{unit}_first")
            x = _activated_convolution(x, channels, f"stage{stage}_unit{unit}_second")
            x = layers.Add(name=f"stage{stage}_unit{unit}_sum")([skip, x])
    x = layers.Flatten(name="flatten")(x)
    # float32 here: a sum of 32,768 products is too long for half precision.
    x = layers.Dense(embedding_size, dtype="float32", name="embedding", **_pytorch_initializers(x.shape[-1]))(x)
    return keras.Model(images, x, name=f"spherenet{depth}")


def _activated_convolution(x: KerasTensor, channels: int, name: str, strides: int = 1) -> KerasTensor:
    """A 3 x 3 convolution and a PReLU with one slope a channel."""
    x = layers.Conv2D(
        channels,
        3,
        strides=strides,
        padding="same" if strides == 1 else "valid",
        name=f"{name}_convolution",
        **_pytorch_initializers(9 * x.shape[-1]),
    )(x)
    slopes = keras.initializers.Constant(0.25)
    return layers.PReLU(alpha_initializer=slopes, shared_axes=[1, 2], name=f"{name}_prelu")(x)


def _pytorch_initializers(fan_in: int) -> dict[str, keras.initializers.Initializer]:
    """Weights and biases uniform within +-1 / sqrt(fan_in), PyTorch's default; new objects for every layer."""
    bound = 1 / math.sqrt(fan_in)
    return {
        # sqrt(3 scale / fan_in) is the bound that Keras takes from this.
        "kernel_initializer": keras.initializers.VarianceScaling(1 / 3, mode="fan_in", distribution="uniform"),
        "bias_initializer": keras.initializers.RandomUniform(-bound, bound),
    }

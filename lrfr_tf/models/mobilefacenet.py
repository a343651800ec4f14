"""MobileFaceNet: a small network for aligned faces, as InsightFace trains it, with its batch norm folded away.

Chen et al., "MobileFaceNets: Efficient CNNs for Accurate Real-Time Face Verification on Mobile Devices", CCBR 2018.
`lrfr_tf.weights.mobilefacenet` has weights for it.
"""

from typing import Any

import keras
from keras import KerasTensor, layers, ops

INPUT_SIZE = 112
EMBEDDING_SIZE = 512

ENTRY_CHANNELS = 128
# Of each stage: the channels inside and at the end of the block that halves the image, then how many residual blocks
# follow, which have as many channels inside as at their ends.
STAGES = ((128, 128, 4), (256, 256, 6), (512, 256, 2))
LAST_CHANNELS = (512, 64)


def mobilefacenet() -> keras.Model:
    """Builds the network with random weights: 3,398,400 parameters, 0.43 billion multiply-adds an image.

    Scaling, last layer and output are float32 under every precision policy.

    Returns:
        A model from float32 [N, 112, 112, 3], RGB in 0..255, to float32 [N, 512], not of unit length.
    """
    images = keras.Input((INPUT_SIZE, INPUT_SIZE, 3), dtype="float32", name="images")
    x = layers.Rescaling(1 / 127.5, offset=-1.0, dtype="float32", name="to_signed_range")(images)
    x = _convolution(x, ENTRY_CHANNELS, 3, "entry", strides=2)
    # The second convolution has 64 groups, each from two channels to two. As a grouped convolution it takes 20 times as
    # long on a CPU as the same sums in two steps: a channel of the one half, and its partner in the other half.
    own = layers.DepthwiseConv2D(3, padding="same", name="pairs_own_convolution")(x)
    partner = layers.DepthwiseConv2D(3, padding="same", use_bias=False, name="pairs_partner_convolution")(
        SwapHalves(name="pairs_swap")(x)
    )
    x = _prelu(layers.Add(name="pairs_sum")([own, partner]), "pairs")
    for number, (inside, channels, blocks) in enumerate(STAGES, start=1):
        x = _block(x, inside, channels, f"stage{number}_entry", strides=2)
        for block in range(1, blocks + 1):
            residual = _block(x, channels, channels, f"stage{number}_block{block}")
            x = layers.Add(name=f"stage{number}_block{block}_sum")([x, residual])
    for number, channels in enumerate(LAST_CHANNELS, start=1):
        x = _convolution(x, channels, 1, f"last{number}")
    x = layers.Dense(EMBEDDING_SIZE, dtype="float32", name="embedding")(layers.Flatten(name="flatten")(x))
    return keras.Model(images, x, name="mobilefacenet")


@keras.saving.register_keras_serializable(package="lrfr_tf")
class SwapHalves(layers.Layer):
    """The second half of the channels, then the first: [N, H, W, 2 G] -> [N, H, W, 2 G]."""

    def call(self, x: Any) -> Any:
        return ops.roll(x, x.shape[-1] // 2, axis=-1)


def _block(x: KerasTensor, inside: int, channels: int, name: str, *, strides: int = 1) -> KerasTensor:
    """A pixel-wise convolution, a depthwise one of 3 x 3, and a pixel-wise one without an activation."""
    x = _convolution(x, inside, 1, f"{name}_expand")
    x = layers.DepthwiseConv2D(3, strides=strides, padding=_padding(strides), name=f"{name}_depthwise_convolution")(
        _padded(x, strides, f"{name}_depthwise")
    )
    x = _prelu(x, f"{name}_depthwise")
    return layers.Conv2D(channels, 1, name=f"{name}_project_convolution")(x)


def _convolution(x: KerasTensor, channels: int, size: int, name: str, *, strides: int = 1) -> KerasTensor:
    x = _padded(x, strides, name)
    x = layers.Conv2D(channels, size, strides=strides, padding=_padding(strides), name=f"{name}_convolution")(x)
    return _prelu(x, name)


def _padded(x: KerasTensor, strides: int, name: str) -> KerasTensor:
    """One pixel on every side, as in PyTorch; "same" would pad an even side on the right only."""
    return layers.ZeroPadding2D(1, name=f"{name}_padding")(x) if strides == 2 else x


def _padding(strides: int) -> str:
    return "valid" if strides == 2 else "same"


def _prelu(x: KerasTensor, name: str) -> KerasTensor:
    """One slope a channel."""
    slopes = keras.initializers.Constant(0.25)
    return layers.PReLU(alpha_initializer=slopes, shared_axes=[1, 2], name=f"{name}_prelu")(x)

"""SRGAN's networks in two forms: Keras-GAN's, and that of the paper.

Ledig et al.: "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network", CVPR 2017.
The Keras-GAN form (Erik Linder-Noren, `srgan/`) differs in upsampling, activations, normalization and discriminator.

Every network takes float32 RGB in 0..255; the ranges it works on live inside the graph. First scaling, last layer and
output are float32 under every precision policy: half precision has steps of up to 0.125 grey levels near white.
"""

import itertools

import keras
from keras import KerasTensor, layers


def generator_keras_gan(low_size: int = 16) -> keras.Model:
    """Builds the Keras-GAN generator: nearest-neighbor upsampling, ReLU, batch norm after the activation.

    The last layer is tanh, as in Keras-GAN, so that the output lies within 0..255. 2,042,691 parameters.

    Args:
        low_size: side of the input in pixels.

    Returns:
        A model from float32 [N, low_size, low_size, 3], RGB in 0..255, to float32 [N, 4 low_size, 4 low_size, 3], RGB
        in 0..255.
    """
    images = keras.Input((low_size, low_size, 3), dtype="float32", name="images")
    x = _to_signed_range(images)
    x = first = layers.Conv2D(64, 9, padding="same", activation="relu")(x)
    for _ in range(16):
        skip = x
        x = layers.Conv2D(64, 3, padding="same", activation="relu")(x)
        x = layers.BatchNormalization(momentum=0.8)(x)
        x = layers.Conv2D(64, 3, padding="same")(x)
        x = layers.BatchNormalization(momentum=0.8)(x)
        x = layers.Add()([x, skip])
    x = layers.Conv2D(64, 3, padding="same")(x)
    x = layers.BatchNormalization(momentum=0.8)(x)
    x = layers.Add()([x, first])
    for _ in range(2):
        x = layers.UpSampling2D(2)(x)
        x = layers.Conv2D(256, 3, padding="same", activation="relu")(x)
    x = layers.Conv2D(3, 9, padding="same", activation="tanh", dtype="float32")(x)
    return keras.Model(images, _to_pixels(x), name="generator_keras_gan")


def generator_paper(
    low_size: int = 16,
    blocks: int = 16,
    filters: int = 64,
    batch_norm: bool = True,
    *,
    upsampling_filters: int | None = None,
    outer_kernel: int = 9,
    attention: bool = False,
) -> keras.Model:
    """Builds the generator of Ledig et al. (SRResNet): conv-BN-PReLU blocks and pixel shuffle.

    The last convolution is linear, as in the paper's figure: a tanh would flatten the gradient near black and white,
    and clipping belongs to the uint8 edge. 1,554,883 parameters at the defaults.

    Args:
        low_size: side of the input in pixels.
        blocks: number of residual blocks.
        filters: channels of the convolutions that work on the small image.
        upsampling_filters: channels after each pixel shuffle; None takes `filters`, as the paper does. Most of the time
            goes where the image is large, most of the knowledge lies where it is small: 8 blocks of 96 channels with 32
            after the shuffle train faster than 48 throughout (measured, two cores: 270 against 260 faces/s).
        outer_kernel: side of the first and the last kernel, 9 in the paper. A 16 px face is covered by the blocks'
            own field of view; 3 costs a ninth.
        batch_norm: False leaves batch norm out (Lim et al., "EDSR", CVPRW 2017). Statistics of small batches differ
            from the running ones that inference uses, and the network is cheaper without them.

    Returns:
        A model from float32 [N, low_size, low_size, 3], RGB in 0..255, to float32 [N, 4 low_size, 4 low_size, 3], RGB
        around 0..255, not clipped.
    """
    images = keras.Input((low_size, low_size, 3), dtype="float32", name="images")
    # The paper feeds 0..1 and produces -1..1.
    x = layers.Rescaling(1 / 255, dtype="float32", name="to_unit_range")(images)
    x = layers.Conv2D(filters, outer_kernel, padding="same")(x)
    x = first = _prelu(x)
    for _ in range(blocks):
        skip = x
        x = _normalized_convolution(x, filters, batch_norm)
        x = _prelu(x)
        start = 1.0 if batch_norm else SMALL_INITIAL_SCALE
        x = _normalized_convolution(x, filters, batch_norm, start * (1 + attention))
        if attention:
            x = layers.Multiply()([x, _weights_of(x)])
        x = layers.Add()([x, skip])
    x = _normalized_convolution(x, filters, batch_norm)
    x = layers.Add()([x, first])
    for _ in range(2):
        x = layers.Conv2D(4 * (upsampling_filters or filters), 3, padding="same")(x)
        x = pixel_shuffle(x)
        x = _prelu(x)
    x = layers.Conv2D(3, outer_kernel, padding="same", dtype="float32")(x)
    return keras.Model(images, _to_pixels(x), name="generator_paper")


def discriminator_keras_gan(size: int = 64) -> keras.Model:
    """Builds the Keras-GAN discriminator: one verdict for each of (size / 16) x (size / 16) patches.

    Logits come out where Keras-GAN has a sigmoid: the losses apply it, in a form that cannot overflow.
    5,219,137 parameters.

    Args:
        size: side of the image in pixels, a multiple of 16.

    Returns:
        A model from float32 [N, size, size, 3], RGB in 0..255, to float32 logits [N, size / 16, size / 16, 1].
    """
    images = keras.Input((size, size, 3), dtype="float32", name="images")
    x = _to_signed_range(images)
    for index, (filters, strides) in enumerate(_DISCRIMINATOR_LAYERS):
        x = layers.Conv2D(filters, 3, strides=strides, padding="same")(x)
        x = layers.LeakyReLU(0.2)(x)
        if index > 0:
            x = layers.BatchNormalization(momentum=0.8)(x)
    # No flatten: the dense layers see one position at a time.
    x = layers.Dense(1024)(x)
    x = layers.LeakyReLU(0.2)(x)
    x = layers.Dense(1, dtype="float32", name="logits")(x)
    return keras.Model(images, x, name="discriminator_keras_gan")


def discriminator_paper(size: int = 64, filters: int = 64) -> keras.Model:
    """Builds the discriminator of Ledig et al.: conv-BN-LeakyReLU, flatten, one verdict for the whole image.

    Args:
        size: side of the image in pixels, a multiple of 16.
        filters: channels of the first convolution; the others, and the dense layer, have as many times more as in the
            paper. Half of them cost a quarter of the time.

    Returns:
        A model from float32 [N, size, size, 3], RGB in 0..255, to float32 logits [N, 1].
    """
    images = keras.Input((size, size, 3), dtype="float32", name="images")
    x = _to_signed_range(images)
    for index, (paper_filters, strides) in enumerate(_DISCRIMINATOR_LAYERS):
        x = layers.Conv2D(paper_filters * filters // 64, 3, strides=strides, padding="same")(x)
        if index > 0:
            x = layers.BatchNormalization(momentum=_PAPER_MOMENTUM)(x)
        x = layers.LeakyReLU(0.2)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(16 * filters)(x)
    x = layers.LeakyReLU(0.2)(x)
    x = layers.Dense(1, dtype="float32", name="logits")(x)
    return keras.Model(images, x, name="discriminator_paper")


def pixel_shuffle(x: KerasTensor, name: str | None = None) -> KerasTensor:
    """Turns groups of 4 channels into 2 x 2 pixels (Shi et al., CVPR 2016), in the order of `tf.nn.depth_to_space`.

    Made of Keras' own layers, so that a saved model needs no class of ours and loads in safe mode;
    `keras.ops.depth_to_space` is in Keras 3.14 and later only.

    Args:
        x: symbolic tensor [N, H, W, 4 C] of known H, W and C.
        name: what the names of its layers begin with; None leaves them to Keras.

    Returns:
        Symbolic tensor [N, 2 H, 2 W, C] of the same dtype.
    """
    _, height, width, channels = x.shape
    split, turned, joined = (name and f"{name}_{part}" for part in ("split", "turned", "joined"))
    x = layers.Reshape((height, width, 2, 2, channels // 4), name=split)(x)
    x = layers.Permute((1, 3, 2, 4, 5), name=turned)(x)
    return layers.Reshape((2 * height, 2 * width, channels // 4), name=joined)(x)


def copy_weights_without_attention(plain: keras.Model, generator: keras.Model) -> None:
    """Gives a generator with attention the weights of one without, so that it computes the same at first.

    Args:
        plain: of `generator_paper` without attention.
        generator: the same with attention; all its attention weights are 1/2 afterwards.
    """
    sources = iter([layer for layer in plain.layers if layer.weights])
    for layer, following in itertools.pairwise(generator.layers):
        if isinstance(layer, layers.DepthwiseConv2D):
            layer.set_weights([0 * weight for weight in layer.get_weights()])
        elif layer.weights:
            weights = next(sources).get_weights()
            if isinstance(following, layers.DepthwiseConv2D):  # it halves: kernel and bias, or scale and shift, double
                weights[:2] = [2 * weight for weight in weights[:2]]
            layer.set_weights(weights)


# Filters and strides of the eight convolutions, the same in both forms.
_DISCRIMINATOR_LAYERS = ((64, 1), (64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1), (512, 2))

# Without batch norm a block starts close to the identity, its last kernel a tenth of Keras' default (Wang et al.,
# "ESRGAN", ECCVW 2018). Measured on 8 blocks x 48 filters, two seeds: 0.6 to 0.9 dB ahead after 120 small batches.
SMALL_INITIAL_SCALE = 0.1

# The paper names no value. Keras' 0.99 needs some 500 steps to forget the initial statistics; 0.9 needs 50.
_PAPER_MOMENTUM = 0.9


def _to_signed_range(images: KerasTensor) -> KerasTensor:
    return layers.Rescaling(1 / 127.5, offset=-1.0, dtype="float32", name="to_signed_range")(images)


def _to_pixels(x: KerasTensor) -> KerasTensor:
    return layers.Rescaling(127.5, offset=127.5, dtype="float32", name="to_pixels")(x)


def _normalized_convolution(x: KerasTensor, filters: int, batch_norm: bool, start: float = 1.0) -> KerasTensor:
    """A convolution that begins with `start` times Keras' default kernel, or with `start` as the scale of its norm."""
    # An initializer of its own for every layer: a shared one gives all of them the same kernel.
    scale = 1.0 if batch_norm else start**2
    kernel = keras.initializers.VarianceScaling(scale, mode="fan_avg", distribution="uniform")
    x = layers.Conv2D(filters, 3, padding="same", kernel_initializer=kernel)(x)
    gamma = keras.initializers.Constant(start)
    return layers.BatchNormalization(momentum=_PAPER_MOMENTUM, gamma_initializer=gamma)(x) if batch_norm else x


def _weights_of(x: KerasTensor) -> KerasTensor:
    """Between 0 and 1 for every channel of every pixel, all 1/2 at first."""
    return layers.DepthwiseConv2D(3, padding="same", activation="sigmoid", depthwise_initializer="zeros")(x)


def _prelu(x: KerasTensor) -> KerasTensor:
    # One slope a channel; without sharing there would be one a pixel, and the input size could never change.
    return layers.PReLU(shared_axes=[1, 2])(x)

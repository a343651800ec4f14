"""FaceNet: Inception-ResNet-v1 with an embedding on top (Szegedy et al. 2016; Schroff et al. 2015).

The network is the one that David Sandberg's facenet trained, with the same layer names, so that the published weights
can be set layer by layer (`lrfr_tf.weights.facenet`). Blocks follow section 3.2 of https://arxiv.org/abs/1602.07261.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

FACENET_SIZE = 160
TRUNK = "inception_resnet_v1"  # the layer of a FaceNet that holds all of its weights


def standardize_fixed(images: Any) -> Any:
    """Maps grey levels 0..255 to about -1..1: (x - 127.5) / 128.

    The 2018 models were trained with this divisor. keras-facenet's own `_normalize` divides by 127.5 instead, which
    makes its inputs 0.4 % larger than those seen in training.
    """
    return (ops.cast(images, "float32") - 127.5) / 128.0


def whiten_each(images: Any) -> Any:
    """Gives every image [N, H, W, 3] of the batch mean 0 and standard deviation 1 over all its values, as float32.

    The deviation is taken as at least 1 / sqrt(number of values), so an image of one color becomes zeros. The 128-D
    models were trained with this ("prewhiten").
    """
    images = ops.cast(images, "float32")
    floor = 1.0 / math.sqrt(math.prod(images.shape[1:]))
    centered = images - ops.mean(images, axis=(1, 2, 3), keepdims=True)
    deviation = ops.sqrt(ops.mean(ops.square(centered), axis=(1, 2, 3), keepdims=True))
    return centered / ops.maximum(deviation, floor)


@keras.saving.register_keras_serializable(package="lrfr_tf")
class StandardiseFixed(layers.Layer):
    """`standardize_fixed` as a layer; stored networks know it by this spelling."""

    def call(self, images: Any) -> Any:
        return standardize_fixed(images)


@keras.saving.register_keras_serializable(package="lrfr_tf")
class WhitenEach(layers.Layer):
    """`whiten_each` as a layer."""

    def call(self, images: Any) -> Any:
        return whiten_each(images)


@keras.saving.register_keras_serializable(package="lrfr_tf")
class UnitLength(layers.Layer):
    """Divides each row by its Euclidean length."""

    def call(self, rows: Any) -> Any:
        return ops.normalize(rows, axis=-1, order=2)


@keras.saving.register_keras_serializable(package="lrfr_tf")
class ScaleSum(layers.Layer):
    """Adds a scaled residual to its input: x + scale * residual."""

    def __init__(self, scale: float, **settings: Any) -> None:
        super().__init__(**settings)
        self.scale = scale

    def call(self, inputs: Sequence[Any]) -> Any:
        x, residual = inputs
        return x + self.scale * residual

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale}


def facenet(dimensions: int, standardization: type[layers.Layer]) -> keras.Model:
    """FaceNet from pixels to a unit-length embedding, with random weights.

    Takes float images [N, 160, 160, 3] in 0..255 (RGB) and returns float32 [N, dimensions]. `standardization` is
    `StandardiseFixed` for the 512-D models of 2018 and `WhitenEach` for the 128-D models.
    """
    # Both ends stay float32 under a mixed-precision policy: half precision would round the pixels and the lengths.
    images = keras.Input((FACENET_SIZE, FACENET_SIZE, 3), name="images")
    standardized = standardization(dtype="float32", name="standardisation")(images)
    features = inception_resnet_v1(dimensions)(standardized)
    return keras.Model(images, UnitLength(dtype="float32", name="embedding")(features), name=f"facenet_{dimensions}")


@keras.saving.register_keras_serializable(package="lrfr_tf")
class Enlarge(layers.Layer):
    """Resizes images [N, H, W, 3] to size x size by bicubic interpolation, without rounding to grey levels."""

    def __init__(self, size: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.size = size

    def call(self, images: Any) -> Any:
        size = (self.size, self.size)
        return ops.image.resize(images, size, interpolation="bicubic", antialias=True, data_format="channels_last")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size}


def facenet_of_aligned_faces(trunk: keras.Model, standardization: type[layers.Layer], size: int = 128) -> keras.Model:
    """FaceNet as the Siamese system takes it: aligned faces in, features out.

    Args:
        trunk: `inception_resnet_v1`, as it is or with its batch norm folded.
        standardization: as for `facenet`.
        size: side of the aligned faces.

    Returns:
        A model from float images [N, size, size, 3] in 0..255 (RGB) to float32 [N, dimensions], not of unit length.
    """
    images = keras.Input((size, size, 3), name="images")
    enlarged = Enlarge(int(trunk.input_shape[1]), dtype="float32", name="enlarged")(images)
    features = trunk(standardization(dtype="float32", name="standardisation")(enlarged))
    features = layers.Activation("linear", dtype="float32", name="features")(features)
    return keras.Model(images, features, name="facenet_of_aligned_faces")


def inception_resnet_v1(dimensions: int = 512, input_size: int = FACENET_SIZE, dropout: float = 0.2) -> keras.Model:
    """Inception-ResNet-v1 with a linear bottleneck, with random weights.

    Takes float images [N, input_size, input_size, 3], already standardized, and returns [N, dimensions], not yet of
    unit length. It has 23,497,424 parameters at 512 dimensions and 22,808,144 at 128. `dropout` is the share of the
    pooled features that is left out in training.

    Raises:
        ValueError: `input_size` is below 75, where the last reduction has nothing left to reduce.
    """
    if input_size < 75:
        raise ValueError(f"Inception-ResNet-v1 needs images of at least 75 x 75 pixels, not {input_size}.")
    images = keras.Input((input_size, input_size, 3), name="standardised_images")
    x = _convolution(images, "Conv2d_1a_3x3", 32, 3, strides=2, padding="valid")
    x = _convolution(x, "Conv2d_2a_3x3", 32, 3, padding="valid")
    x = _convolution(x, "Conv2d_2b_3x3", 64, 3)
    x = layers.MaxPooling2D(3, strides=2, name="MaxPool_3a_3x3")(x)
    x = _convolution(x, "Conv2d_3b_1x1", 80, 1, padding="valid")
    x = _convolution(x, "Conv2d_4a_3x3", 192, 3, padding="valid")
    x = _convolution(x, "Conv2d_4b_3x3", 256, 3, strides=2, padding="valid")
    for number in range(1, 6):
        x = _block35(x, f"Block35_{number}", scale=0.17)
    x = _reduction_6a(x)
    for number in range(1, 11):
        x = _block17(x, f"Block17_{number}", scale=0.10)
    x = _reduction_7a(x)
    for number in range(1, 6):
        x = _block8(x, f"Block8_{number}", scale=0.20)
    x = _block8(x, "Block8_6", scale=1.0, activated=False)
    x = layers.GlobalAveragePooling2D(name="AvgPool")(x)
    x = layers.Dropout(dropout, name="Dropout")(x)
    x = layers.Dense(dimensions, use_bias=False, name="Bottleneck")(x)
    x = _batch_norm("Bottleneck_BatchNorm")(x)
    return keras.Model(images, x, name=TRUNK)


def _block35(x: Any, name: str, scale: float) -> Any:
    direct = _convolution(x, f"{name}_Branch_0_Conv2d_1x1", 32, 1)
    middle = _convolution(x, f"{name}_Branch_1_Conv2d_0a_1x1", 32, 1)
    middle = _convolution(middle, f"{name}_Branch_1_Conv2d_0b_3x3", 32, 3)
    deep = _convolution(x, f"{name}_Branch_2_Conv2d_0a_1x1", 32, 1)
    deep = _convolution(deep, f"{name}_Branch_2_Conv2d_0b_3x3", 32, 3)
    deep = _convolution(deep, f"{name}_Branch_2_Conv2d_0c_3x3", 32, 3)
    return _residual(x, [direct, middle, deep], name, scale)


def _block17(x: Any, name: str, scale: float) -> Any:
    direct = _convolution(x, f"{name}_Branch_0_Conv2d_1x1", 128, 1)
    deep = _convolution(x, f"{name}_Branch_1_Conv2d_0a_1x1", 128, 1)
    deep = _convolution(deep, f"{name}_Branch_1_Conv2d_0b_1x7", 128, (1, 7))
    deep = _convolution(deep, f"{name}_Branch_1_Conv2d_0c_7x1", 128, (7, 1))
    return _residual(x, [direct, deep], name, scale)


def _block8(x: Any, name: str, scale: float, activated: bool = True) -> Any:
    direct = _convolution(x, f"{name}_Branch_0_Conv2d_1x1", 192, 1)
    deep = _convolution(x, f"{name}_Branch_1_Conv2d_0a_1x1", 192, 1)
    deep = _convolution(deep, f"{name}_Branch_1_Conv2d_0b_1x3", 192, (1, 3))
    deep = _convolution(deep, f"{name}_Branch_1_Conv2d_0c_3x1", 192, (3, 1))
    return _residual(x, [direct, deep], name, scale, activated=activated)


def _residual(x: Any, branches: list[Any], name: str, scale: float, *, activated: bool = True) -> Any:
    joined = layers.Concatenate(name=f"{name}_Concatenate")(branches)
    residual = layers.Conv2D(x.shape[-1], 1, name=f"{name}_Conv2d_1x1")(joined)
    x = ScaleSum(scale, name=f"{name}_ScaleSum")([x, residual])
    return layers.Activation("relu", name=f"{name}_Activation")(x) if activated else x


def _reduction_6a(x: Any) -> Any:
    """Halves the map: 17 x 17 x 256 -> 8 x 8 x 896 for 160-pixel images."""
    first = _convolution(x, "Mixed_6a_Branch_0_Conv2d_1a_3x3", 384, 3, strides=2, padding="valid")
    second = _convolution(x, "Mixed_6a_Branch_1_Conv2d_0a_1x1", 192, 1)
    second = _convolution(second, "Mixed_6a_Branch_1_Conv2d_0b_3x3", 192, 3)
    second = _convolution(second, "Mixed_6a_Branch_1_Conv2d_1a_3x3", 256, 3, strides=2, padding="valid")
    pooled = layers.MaxPooling2D(3, strides=2, name="Mixed_6a_Branch_2_MaxPool_1a_3x3")(x)
    return layers.Concatenate(name="Mixed_6a")([first, second, pooled])


def _reduction_7a(x: Any) -> Any:
    """Halves the map: 8 x 8 x 896 -> 3 x 3 x 1792 for 160-pixel images."""
    first = _convolution(x, "Mixed_7a_Branch_0_Conv2d_0a_1x1", 256, 1)
    first = _convolution(first, "Mixed_7a_Branch_0_Conv2d_1a_3x3", 384, 3, strides=2, padding="valid")
    second = _convolution(x, "Mixed_7a_Branch_1_Conv2d_0a_1x1", 256, 1)
    second = _convolution(second, "Mixed_7a_Branch_1_Conv2d_1a_3x3", 256, 3, strides=2, padding="valid")
    third = _convolution(x, "Mixed_7a_Branch_2_Conv2d_0a_1x1", 256, 1)
    third = _convolution(third, "Mixed_7a_Branch_2_Conv2d_0b_3x3", 256, 3)
    third = _convolution(third, "Mixed_7a_Branch_2_Conv2d_1a_3x3", 256, 3, strides=2, padding="valid")
    pooled = layers.MaxPooling2D(3, strides=2, name="Mixed_7a_Branch_3_MaxPool_1a_3x3")(x)
    return layers.Concatenate(name="Mixed_7a")([first, second, third, pooled])


def _convolution(
    x: Any, name: str, filters: int, size: int | tuple[int, int], *, strides: int = 1, padding: str = "same"
) -> Any:
    """Convolution without bias, batch normalization without gamma, ReLU."""
    x = layers.Conv2D(filters, size, strides=strides, padding=padding, use_bias=False, name=name)(x)
    x = _batch_norm(f"{name}_BatchNorm")(x)
    return layers.Activation("relu", name=f"{name}_Activation")(x)


def _batch_norm(name: str) -> layers.Layer:
    return layers.BatchNormalization(momentum=0.995, epsilon=1e-3, scale=False, name=name)

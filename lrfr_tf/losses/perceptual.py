"""The perceptual (content) loss: images compared by what a VGG network sees in them."""

import keras
from keras import KerasTensor, ops

# Means of ImageNet's training images, in the order blue, green, red, which the VGG networks were trained on.
_IMAGENET_MEANS_BGR = (103.939, 116.779, 123.68)

# Ledig et al. (2017), section 3.2: features scaled by 1 / 12.75, so that the loss is on the scale of a pixel MSE.
FEATURE_SCALE = 1 / 12.75


def vgg_preprocess(images: KerasTensor) -> KerasTensor:
    """Turns pixels into what VGG networks expect; equals `keras.applications.vgg19.preprocess_input`.

    Args:
        images: [N, H, W, 3], RGB in 0..255, any dtype.

    Returns:
        float32 [N, H, W, 3], blue-green-red, the ImageNet mean taken off, not scaled.
    """
    blue_green_red = ops.flip(ops.cast(images, "float32"), axis=-1)
    return blue_green_red - ops.convert_to_tensor(_IMAGENET_MEANS_BGR, dtype="float32")


def perceptual(
    features_network: keras.Model,
    images: KerasTensor,
    targets: KerasTensor,
    *,
    scale: float = FEATURE_SCALE,
    target_features: KerasTensor | None = None,
) -> KerasTensor:
    """The mean squared distance of VGG features (Ledig et al. 2017, equation 5).

    Gradients reach `images` only; the network should be frozen (`lrfr_tf.weights.vgg19` makes it so). The loss' size
    hangs on the layer, so its weight must too: 16 px faces enlarged by bicubic score 280 at block2_conv2, 910 at
    block3_conv3 and 0.32 at block5_conv4 against their 64 px originals, where the pixel MSE is 0.0054 (measured).

    Args:
        features_network: preprocessed images -> features.
        images: [N, H, W, 3], RGB in 0..255, any dtype.
        targets: the same shape.
        scale: factor on the features, not on the loss.
        target_features: what the network sees in `targets`, if that was computed before; then `targets` is not looked
            at.

    Returns:
        A float32 scalar, the mean over images, positions and channels.
    """
    features = features_network(vgg_preprocess(images), training=False)
    if target_features is None:
        target_features = features_network(vgg_preprocess(targets), training=False)
    target_features = ops.stop_gradient(target_features)
    # Scaled before the square: squares of raw features pass float32's exact range and half precision's end.
    difference = scale * (ops.cast(features, "float32") - ops.cast(target_features, "float32"))
    return ops.mean(ops.square(difference))

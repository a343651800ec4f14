"""VGG19 (Simonyan and Zisserman, ICLR 2015) up to one layer, with ImageNet weights: the eye of the perceptual loss."""

from pathlib import Path

import keras

from lrfr_tf.errors import UserError

# Features of a 64 x 64 face: 32 x 32 x 128 (VGG22 of Ledig et al.), 16 x 16 x 256 (Keras-GAN), 4 x 4 x 512 (VGG54).
LAYERS = ("block2_conv2", "block3_conv3", "block5_conv4")


def vgg19_features(layer: str, weights: Path | None) -> keras.Model:
    """Builds VGG19 up to `layer` (after its ReLU), frozen; under mixed_float16 it works in float32.

    Args:
        layer: one of `LAYERS`.
        weights: a file for `keras.applications.VGG19(include_top=False)` (`.weights.h5`, or the `.h5` that Keras
            itself downloads); None takes Keras' cached copy, or lets Keras download and check it (80 MB).

    Returns:
        A model from float32 [N, H, W, 3], as `lrfr_tf.losses.perceptual.vgg_preprocess` makes it, to features
        [N, H / s, W / s, C] with s = 2, 4 or 16; float32, but bfloat16 under mixed_bfloat16.

    Raises:
        UserError: the download fails, or the file is missing or does not hold these weights.
        ValueError: the layer is not one of `LAYERS`.
    """
    if layer not in LAYERS:
        raise ValueError(f"VGG19 features come from {', '.join(LAYERS)}, not {layer!r}.")
    if weights is not None and not Path(weights).is_file():
        raise UserError(f"The VGG19 weights {weights} are missing; give `vgg_weights`=FILE.")
    # Activations of faces reach 24,000 (measured, block 4); half precision ends at 65,504 and its gradients earlier.
    # bfloat16 has float32's range.
    policy = keras.config.dtype_policy()
    if policy.compute_dtype == "float16":
        keras.config.set_dtype_policy("float32")
    try:
        network = keras.applications.VGG19(include_top=False, weights=None if weights else "imagenet")
        if weights is not None:
            network.load_weights(weights)
    except Exception as error:  # Keras raises a bare Exception where a download fails, and many kinds on a wrong file.
        reason = " ".join(str(error).split())[:200].rstrip(".")
        if weights is None:
            raise UserError(f"The VGG19 weights cannot be downloaded ({reason}); give `vgg_weights`=FILE.") from error
        raise UserError(
            f"{weights} does not hold the weights of VGG19 without its top ({reason}); give `vgg_weights`=FILE."
        ) from error
    finally:
        keras.config.set_dtype_policy(policy)
    features = keras.Model(network.input, network.get_layer(layer).output, name=f"vgg19_{layer}")
    features.trainable = False
    return features

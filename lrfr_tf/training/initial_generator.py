"""A generator that begins with the weights of another run, or of an export."""

from pathlib import Path

import keras

from lrfr_tf.errors import UserError
from lrfr_tf.models.fold import fold_for_inference
from lrfr_tf.models.srgan import copy_weights_without_attention
from lrfr_tf.networks.stored_network import read_weights
from lrfr_tf.networks.super_resolution import ExportedSuperResolver, SuperResolutionNetwork, load_super_resolver


def begin_with(generator: keras.Model, folder: Path, plain: keras.Model | None = None) -> None:
    """Takes over the weights of a stored or an exported generator.

    Args:
        folder: what `load_super_resolver` takes.
        plain: the same generator without attention, whose weights may be stored there instead.

    Raises:
        UserError: it has another form.
    """
    stored = load_super_resolver(folder)
    if _take_over(generator, stored):
        return
    if plain is None or not _take_over(plain, stored):
        raise UserError(
            f"The generator in {folder} has another form; give the same --preset, --blocks, --filters and --attention."
        )
    copy_weights_without_attention(plain, generator)


def _take_over(network: keras.Model, stored: SuperResolutionNetwork) -> bool:
    """Whether the stored weights are of the network's form, which has them then."""
    if isinstance(stored, ExportedSuperResolver):
        folded = fold_for_inference(network)
        for trainable in (False, True):  # exports of averages have frozen weights
            folded.trainable = trainable
            if read_weights(stored.version, stored.record["stored_as"], folded):
                break
        else:
            return False
        weights = folded.get_weights()
    else:
        assert stored.network is not None
        weights = stored.network.get_weights()
    if [weight.shape for weight in weights] != [tuple(weight.shape) for weight in network.weights]:
        return False
    network.set_weights(weights)
    return True

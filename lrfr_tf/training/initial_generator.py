"""A generator that begins with the weights of another run, or of an export."""

from pathlib import Path

import keras

from lrfr_tf.errors import UserError
from lrfr_tf.models.srgan import copy_weights_without_attention
from lrfr_tf.networks.super_resolution import load_super_resolver


def initialize_from(generator: keras.Model, folder: Path, plain: keras.Model | None = None) -> None:
    """Takes over the weights of a stored or an exported generator.

    Args:
        folder: what `load_super_resolver` takes.
        plain: the same generator without attention, whose weights may be stored there instead.

    Raises:
        UserError: it has another form.
    """
    stored = load_super_resolver(folder)
    if stored.copy_weights_to(generator):
        return
    if plain is None or not stored.copy_weights_to(plain):
        raise UserError(
            f"The generator in {folder} has another form; give the same `preset`, `blocks`, `filters` and `attention`."
        )
    copy_weights_without_attention(plain, generator)

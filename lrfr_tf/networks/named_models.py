"""The super-resolution networks of a comparison, as named on a command line: name=folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lrfr_tf.errors import UserError
from lrfr_tf.networks.super_resolution import SuperResolutionNetwork, bicubic, load_super_resolver

BASELINE = "bicubic"
RESERVED_NAMES = ("hr", BASELINE)


def load_named_models(models: Sequence[str], low_size: int, high_size: int) -> dict[str, SuperResolutionNetwork]:
    """Bicubic, and after it the networks that `models` names.

    Args:
        models: items "name=folder"; `load_super_resolver` reads the folder.
        low_size, high_size: sides in pixels of the faces that are compared.

    Raises:
        UserError: an item is not of that form, a name comes twice, a folder holds no model or one for other sizes.
    """
    resolvers = {BASELINE: bicubic(low_size, high_size)}
    for item in models:
        name, equals, folder = item.partition("=")
        if not (name and equals and folder):
            raise UserError(f"`models`={item} is not of the form name=folder.")
        if name in resolvers or name in RESERVED_NAMES:
            raise UserError(f"`models` names {name} twice; hr and bicubic are always there.")
        resolver = load_super_resolver(Path(folder))
        if (resolver.low_size, resolver.high_size) != (low_size, high_size):
            raise UserError(
                f"{folder} makes {resolver.high_size} px of {resolver.low_size} px, but the faces are {low_size} and "
                f"{high_size} px."
            )
        resolvers[name] = resolver
    return resolvers


def describe_models(models: Sequence[str], resolvers: dict[str, SuperResolutionNetwork]) -> dict[str, dict[str, Any]]:
    """For `result.json`: name -> folder and checksum of each network."""
    folders = dict(item.split("=", 1) for item in models)
    return {name: {"folder": folder, "sha256": resolvers[name].checksum} for name, folder in folders.items()}


def super_resolve_all(resolvers: dict[str, SuperResolutionNetwork], low: np.ndarray) -> dict[str, np.ndarray]:
    """name -> the faces as each super-resolves them, uint8 [N, high, high, 3]."""
    return {name: resolver.super_resolve(low) for name, resolver in resolvers.items()}

"""Galleries of ready embeddings, without a network and without TensorFlow."""

from pathlib import Path

import numpy as np

from lrfr_tf.gallery.embedder import EmbedderIdentity
from lrfr_tf.gallery.people import People
from lrfr_tf.gallery.references import Reference
from lrfr_tf.gallery.store import Store

DIMENSIONS = 32
IDENTITY = EmbedderIdentity("", 1, "ready-1-0123456789ab", "0123456789ab" * 5 + "0123", DIMENSIONS)


def new_people(path: Path | None, identity: EmbedderIdentity = IDENTITY) -> People:
    """An empty gallery in a file, or in memory."""
    return People(Store.create(path, {"id": "f" * 16, "pictures": 1, **identity.as_facts()}))


def embedding_of(seed: int, dimensions: int = DIMENSIONS) -> np.ndarray:
    """float32 [D] of unit length, one for each seed."""
    vector = np.random.default_rng(seed).normal(size=dimensions).astype(np.float32)
    return vector / np.linalg.norm(vector)


def like(seed: int, number: int, noise: float = 0.05) -> np.ndarray:
    """The same, a little different for each number: one person's photos."""
    vector = embedding_of(seed) + noise * embedding_of(1000 * seed + number + 1)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def references(seed: int, count: int) -> list[Reference]:
    """References of one person."""
    return [Reference(like(seed, number), height=60.0) for number in range(count)]

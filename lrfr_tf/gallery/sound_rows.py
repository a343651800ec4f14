"""Rows of a gallery that hold nothing that nobody stored, however large the file is."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from lrfr_tf.gallery import damage
from lrfr_tf.gallery.store import Store
from lrfr_tf.gallery.store_error import GO_BACK, StoreError


def read_sound(store: Store, columns: str, rest: str, *values: Any, **tables: str) -> list[tuple]:
    """All rows of a query whose tables hold nothing that nobody stored.

    Args:
        columns, rest: the query, but for SELECT: what is asked for, and from FROM on.
        values: of the query.
        tables: what the query calls a table -> its name.

    Raises:
        UserError: a row does; and see `explained`.
    """
    faulty = " OR ".join(damage.is_faulty(name, alias) for alias, name in tables.items())
    rows = store.read(f"SELECT {columns}, {faulty} {rest}", *values)
    if any(row[-1] for row in rows):
        raise StoreError(f"{store.label} is damaged, a row holds what nobody stored; {GO_BACK}.")
    return [row[:-1] for row in rows]


def check_embeddings(store: Store, embeddings: Sequence[np.ndarray] | np.ndarray) -> None:
    """Refuses what was read and is none: float32 [D] of unit length.

    Raises:
        UserError: one is none, because the file is damaged.
    """
    sizes = {len(embedding) for embedding in embeddings}
    if len(sizes) > 1 or (sizes and not damage.are_embeddings(np.asarray(embeddings))):
        raise StoreError(f"{store.label} is damaged, an embedding is none; {GO_BACK}.")


def check_names(store: Store, names: Iterable[Any]) -> None:
    """Refuses what was read and is no text.

    Raises:
        UserError: one is none, because the file is damaged.
    """
    if not all(isinstance(name, str) for name in names):
        raise StoreError(f"{store.label} is damaged, a name is none; {GO_BACK}.")

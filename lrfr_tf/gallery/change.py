"""A transaction of a gallery that writes."""

import dataclasses
import sqlite3
from typing import TYPE_CHECKING, Any

from lrfr_tf.gallery.new_file import storable

if TYPE_CHECKING:
    from lrfr_tf.gallery.store import Store


@dataclasses.dataclass(frozen=True)
class Change:
    """A transaction that writes.

    Attributes:
        number: the gallery's change counter, if the transaction succeeds.
    """

    store: "Store"
    number: int

    def run(self, statement: str, *values: Any) -> sqlite3.Cursor:
        """Executes one statement."""
        return self.store.connection.execute(statement, storable(values))

    def touch(self, person: int) -> None:
        """Notes that a person's name or references changed, so that every reader looks at them again."""
        self.run("UPDATE persons SET changed = ? WHERE number = ?", self.number, person)

    def set_fact(self, name: str, value: Any) -> None:
        """Stores a single value."""
        self.run("INSERT OR REPLACE INTO fact VALUES (?, ?)", name, value)

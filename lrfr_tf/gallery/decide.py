"""What is in force now: every person's template in memory, brought up to date before each decision."""

import dataclasses
import threading
from collections.abc import Iterator

import numpy as np

from lrfr_tf.gallery import last_day
from lrfr_tf.gallery.search import Index
from lrfr_tf.gallery.sound_rows import check_embeddings, check_names
from lrfr_tf.gallery.store import Store
from lrfr_tf.gallery.templates import templates_of

ROWS_AT_ONCE = 2048
EVERYBODY, WHO_CHANGED = "p.changed > ?", "p.number IN (SELECT number FROM persons WHERE changed > ?)"


@dataclasses.dataclass(frozen=True, eq=False)
class Found:
    """The persons most alike each probe.

    Attributes:
        changes: the gallery's change counter at that moment.
        persons: how many were in force.
        names: for each probe, best first.
        numbers: their rows in the database.
        scores: their cosines, float64 [P, count].
    """

    changes: int
    persons: int
    names: list[list[str]]
    numbers: list[list[int]]
    scores: np.ndarray


def query_of(who: str, day: str) -> str:
    """The query for the references in force on a day: of everybody, or of those who changed (the two texts above)."""
    # CROSS JOIN keeps the order of the tables, which is that of the answer: nothing is sorted, and who did not change
    # is not looked at.
    return (
        "SELECT p.number, p.name, r.height, r.embedding FROM persons p CROSS JOIN reference r ON r.person = p.number "
        f"WHERE {who} AND {last_day.in_force(day)} ORDER BY p.number, r.number"
    )


class InForce:
    """The templates of a gallery in memory. Threads may share it; processes have their own, after a fork."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._lock = threading.Lock()
        self._forget_all()

    def _forget_all(self) -> None:
        self._opened = self.store.opened
        self._changes = -1
        self._day = ""
        self._may_expire = False
        self._index: Index | None = None
        self._names: list[str] = []  # by row of the index

    def find(self, probes: np.ndarray, count: int) -> Found:
        """Looks for the persons most alike, among those in force at this moment.

        Args:
            probes: float32 [P, D].
            count: how many persons for each; fewer if there are fewer.

        Raises:
            UserError: the file cannot be read.
        """
        with self._lock:
            self._refresh()
            if self._index is None:
                return Found(self._changes, 0, [[] for _ in probes], [[] for _ in probes], np.zeros((len(probes), 0)))
            rows, scores = self._index.search(probes, count)
            names = [[self._names[row] for row in some] for some in rows.tolist()]
            numbers = [[self._index.key_of(row) for row in some] for some in rows.tolist()]
            return Found(self._changes, len(self._index), names, numbers, scores)

    def persons(self) -> int:
        """How many are in force now."""
        with self._lock:
            self._refresh()
            return 0 if self._index is None else len(self._index)

    def everybody(self) -> tuple[list[str], np.ndarray]:
        """The names and templates in force now, in the order of enrollment; the templates are a copy."""
        with self._lock:
            self._refresh()
            if self._index is None:
                return [], np.zeros((0, int(self.store.fact("dimensions") or 0)), np.float32)
            rows = self._index.alive()
            return [self._names[row] for row in rows], self._index.templates(rows)

    def _refresh(self) -> None:
        changes, day = self.store.changes(), last_day.today()
        same = changes == self._changes and self.store.opened == self._opened
        if same and (day == self._day or not self._may_expire):
            return
        with self.store.transaction():  # everything below is of one moment
            changes = self.store.changes()
            if changes < self._changes or self.store.opened != self._opened:  # an older copy has taken its place
                self._forget_all()
            if (day != self._day and self._may_expire) or not self._update(day):
                self._forget_all()
                self._update(day)
            ((ends,),) = self.store.read(
                "SELECT EXISTS (SELECT 1 FROM persons WHERE expires IS NOT NULL) "
                "OR EXISTS (SELECT 1 FROM reference WHERE expires IS NOT NULL)"
            )
        self._changes, self._day, self._may_expire = changes, day, bool(ends)

    def _update(self, day: str) -> bool:
        """Takes over what changed since the last time; False where it is easier to begin anew."""
        seen = self._changes
        if seen >= 0:
            ((count,),) = self.store.read("SELECT COUNT(*) FROM persons WHERE changed > ?", seen)
            if self._index is None or count > max(1000, len(self._index) // 4):
                return False
            gone = self.store.read("SELECT number FROM gone WHERE changed > ? AND number IS NOT NULL", seen)
            touched = self.store.read("SELECT number FROM persons WHERE changed > ?", seen)
            for (number,) in [*gone, *touched]:  # those of them that are in force come back at once
                row = self._index.row_of(number)
                if row is not None:
                    self._index.remove(row)
                    self._names[row] = ""
        for numbers, names, templates in self._read(seen, day):
            if self._index is None:
                self._index = Index(templates.shape[1])
            if self._index.dimensions != templates.shape[1]:
                return False  # of another network
            new = numbers > self._index.last_key
            for place in np.flatnonzero(~new):
                row = self._index.row_of(int(numbers[place]))
                if row is None:
                    return False  # it was not in force before, and others came after it
                self._index.replace(row, templates[place])
                self._names[row] = names[place]
            self._index.append(numbers[new], templates[new])
            self._names += [names[place] for place in np.flatnonzero(new)]
        return self._index is None or self._index.rows < 2 * len(self._index) + ROWS_AT_ONCE

    def _read(self, seen: int, day: str) -> Iterator[tuple[np.ndarray, list[str], np.ndarray]]:
        """The templates of persons who changed: numbers, names and templates, some at a time, in rising order."""
        who = EVERYBODY if seen < 0 else WHO_CHANGED
        cursor = self.store.connection.execute(query_of(who, day), (seen,))
        kept: list[tuple] = []  # the last person's, of whom more may follow
        while True:
            rows = cursor.fetchmany(ROWS_AT_ONCE)
            part = kept + rows
            if not part:
                return
            kept = [row for row in part if row[0] == part[-1][0]] if rows else []
            part = part[: len(part) - len(kept)]
            if part:
                numbers = np.array([row[0] for row in part], np.int64)
                starts = np.flatnonzero(np.diff(numbers, prepend=-1))
                embeddings = np.frombuffer(b"".join([row[3] for row in part]), np.float32).reshape(len(part), -1)
                check_embeddings(self.store, embeddings)
                check_names(self.store, [row[1] for row in part])
                templates = templates_of(embeddings, np.array([row[2] for row in part]), starts)
                good = templates.any(axis=1)
                chosen = starts[good]
                yield numbers[chosen], [part[start][1] for start in chosen], templates[good]
            if not rows:
                return

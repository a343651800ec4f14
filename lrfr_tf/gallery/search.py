"""Exact search: the persons whose templates are most alike, by a matrix product in blocks.

The product is computed in float32. Whoever may be among the best within its rounding is computed again in float64, each
row by itself, so that equal templates have equal scores and the answer is that of the plainest search.
"""

import numpy as np

BLOCK = 32_768  # rows; smaller products lose time where their threads wait for each other
ROUNDING = 2.0**-23  # twice float32's, for each product of a sum


class Index:
    """Templates in memory, in the order of their keys.

    Args:
        dimensions: D of the templates, float32 [D].

    The rows lie in blocks of their own, so that growing copies nothing.
    """

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions
        self.rows = 0
        self._blocks: list[np.ndarray] = []
        self._keys: list[np.ndarray] = []
        self._alive: list[np.ndarray] = []
        self._dead = 0

    def __len__(self) -> int:
        return self.rows - self._dead

    def append(self, keys: np.ndarray, templates: np.ndarray) -> None:
        """Adds rows.

        Args:
            keys: int64 [n], rising, above all keys so far.
            templates: float32 [n, D].
        """
        done = 0
        while done < len(keys):
            inside = self.rows % BLOCK
            if inside == 0:
                self._blocks.append(np.zeros((BLOCK, self.dimensions), np.float32))
                self._keys.append(np.zeros(BLOCK, np.int64))
                self._alive.append(np.zeros(BLOCK, bool))
            count = min(BLOCK - inside, len(keys) - done)
            self._blocks[-1][inside : inside + count] = templates[done : done + count]
            self._keys[-1][inside : inside + count] = keys[done : done + count]
            self._alive[-1][inside : inside + count] = True
            self.rows += count
            done += count

    def row_of(self, key: int) -> int | None:
        """Where a key is; None where it is not."""
        for number, keys in enumerate(self._keys):
            used = min(BLOCK, self.rows - number * BLOCK)
            if used > 0 and key <= keys[used - 1]:
                inside = int(np.searchsorted(keys[:used], key))
                return number * BLOCK + inside if keys[inside] == key else None
        return None

    def key_of(self, row: int) -> int:
        """The key of a row."""
        return int(self._keys[row // BLOCK][row % BLOCK])

    @property
    def last_key(self) -> int:
        """The highest key so far; -1 where there is none."""
        return int(self._keys[-1][(self.rows - 1) % BLOCK]) if self.rows else -1

    def replace(self, row: int, template: np.ndarray) -> None:
        """Puts another template into a row, which is found again if it was removed."""
        block, inside = divmod(row, BLOCK)
        self._blocks[block][inside] = template
        self._dead -= not self._alive[block][inside]
        self._alive[block][inside] = True

    def remove(self, row: int) -> None:
        """Takes a row out of every answer; its template is overwritten."""
        block, inside = divmod(row, BLOCK)
        self._blocks[block][inside] = 0
        self._dead += bool(self._alive[block][inside])
        self._alive[block][inside] = False

    def alive(self) -> np.ndarray:
        """The rows in use, int64, rising."""
        return np.flatnonzero(np.concatenate([*self._alive, np.zeros(0, bool)])[: self.rows])

    def templates(self, rows: np.ndarray) -> np.ndarray:
        """A copy of some rows, float32 [n, D]."""
        out = np.empty((len(rows), self.dimensions), np.float32)
        blocks = rows // BLOCK
        for number in np.unique(blocks):
            chosen = blocks == number
            out[chosen] = self._blocks[number][rows[chosen] % BLOCK]
        return out

    def search(self, probes: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The rows most alike each probe, best first; of equal ones the first enrolled first.

        Args:
            probes: float32 [P, D].
            count: how many; there are as many as rows if those are fewer.

        Returns:
            int64 [P, count] and the cosines, float64 [P, count].
        """
        count = min(count, len(self))
        if count == 0 or len(probes) == 0:
            return np.zeros((len(probes), count), np.int64), np.zeros((len(probes), count))
        probes = np.ascontiguousarray(probes, np.float32)
        top = _TopK(len(probes), count, self.dimensions * ROUNDING * np.linalg.norm(probes, axis=1))
        scores = np.empty((len(probes), BLOCK), np.float32)
        for number, block in enumerate(self._blocks):
            used = min(BLOCK, self.rows - number * BLOCK)
            part = scores[:, :used]
            np.matmul(probes, block[:used].T, out=part)
            alive = self._alive[number][:used]
            if not alive.all():
                part[:, ~alive] = -np.inf
            top.update(part, number * BLOCK)
        rows = np.empty((len(probes), count), np.int64)
        exact = np.empty((len(probes), count))
        for probe in range(len(probes)):
            candidates = top.candidates(probe)
            cosines = (self.templates(candidates).astype(np.float64) * probes[probe].astype(np.float64)).sum(axis=1)
            order = np.argsort(-cosines, kind="stable")[:count]
            rows[probe], exact[probe] = candidates[order], cosines[order]
        return rows, exact


class _TopK:
    """For each probe, whoever may be among the best so far."""

    def __init__(self, probes: int, count: int, margins: np.ndarray) -> None:
        self.count = count
        self.margins = margins.astype(np.float32) + np.float32(1e-7)
        self.limits = np.full(probes, -np.inf, np.float32)  # a score below it is not among the best
        self.rows = [np.zeros(0, np.int64)] * probes
        self.scores = [np.zeros(0, np.float32)] * probes

    def update(self, scores: np.ndarray, first: int) -> None:
        """Takes in the scores of a block, float32 [P, n], whose rows begin with number `first`."""
        for probe in np.flatnonzero(scores.max(axis=1) >= self.limits):
            own = scores[probe]
            limit = self.limits[probe]
            if len(own) > self.count:
                limit = max(limit, np.partition(own, -self.count)[-self.count] - self.margins[probe])
            found = np.flatnonzero((own >= limit) & (own > -np.inf))
            rows = np.concatenate([self.rows[probe], first + found])
            kept = np.concatenate([self.scores[probe], own[found]])
            if len(kept) >= self.count:
                limit = np.partition(kept, -self.count)[-self.count] - self.margins[probe]
                self.limits[probe] = max(limit, self.limits[probe])
                good = kept >= self.limits[probe]
                rows, kept = rows[good], kept[good]
            self.rows[probe], self.scores[probe] = rows, kept

    def candidates(self, probe: int) -> np.ndarray:
        """Rows, rising."""
        return self.rows[probe]

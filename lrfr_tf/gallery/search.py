"""Exact search: the persons whose templates are most alike, by a matrix product in blocks.

The product is computed in float32. Whoever may be among the best within its rounding is computed again in float64, each
row by itself, so that equal templates have equal scores and the answer is that of the plainest search.
"""

import numpy as np

BLOCK = 32_768  # rows; smaller products lose time where their threads wait for each other
GROUP = 32  # rows of a block whose best score is looked at first
AT_ONCE = 4096  # templates that are computed in float64 together
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
        space = np.empty(len(probes) * min(BLOCK, self.rows), np.float32)
        for number, block in enumerate(self._blocks):
            used = min(BLOCK, self.rows - number * BLOCK)
            scores = space[: len(probes) * used].reshape(len(probes), used)
            np.matmul(probes, block[:used].T, out=scores)
            alive = self._alive[number][:used]
            if not alive.all():
                scores[:, ~alive] = -np.inf
            top.update(scores, number * BLOCK)
        asking, rows = top.candidates()
        cosines = self._cosines(probes, asking, rows)
        order = np.lexsort((rows, -cosines, asking))  # each probe has `count` candidates or more
        chosen = order[np.searchsorted(asking[order], np.arange(len(probes)))[:, None] + np.arange(count)]
        return rows[chosen], cosines[chosen]

    def _cosines(self, probes: np.ndarray, asking: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Of some probes, by their numbers, with some rows: float64 [n], each computed by itself."""
        cosines = np.empty(len(rows))
        for start in range(0, len(rows), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            products = self.templates(rows[part]).astype(np.float64)
            products *= probes[asking[part]]
            products.sum(axis=1, out=cosines[part])
        return cosines


class _TopK:
    """For each probe, whoever may be among the best so far.

    The rows of a block are put into small groups. As many groups as rows are asked for have a best score each, so the
    least of these is a bound that the best rows reach; only the few groups that reach it are looked into.
    """

    def __init__(self, probes: int, count: int, margins: np.ndarray) -> None:
        self.count = count
        self.margins = margins.astype(np.float32) + np.float32(1e-7)
        self.limits = np.full(probes, -np.inf, np.float32)  # a score below it is not among the best
        self._best = np.full((probes, count), -np.inf, np.float32)  # of the groups' best scores
        self._found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []  # numbers of probes, rows, scores

    def update(self, scores: np.ndarray, first: int) -> None:
        """Takes in the scores of a block, float32 [P, n], whose rows begin with number `first`."""
        groups = scores.shape[1] // GROUP
        grouped = scores[:, : groups * GROUP].reshape(len(scores), GROUP, groups)
        single = scores[:, groups * GROUP :]  # too few for a group each
        best = np.concatenate([grouped.max(axis=1), single], axis=1)
        if not (best.max(axis=1) >= self.limits).any():
            return
        self._best = np.partition(np.concatenate([self._best, best], axis=1), -self.count)[:, -self.count :]
        self.limits = np.maximum(self.limits, self._best[:, 0] - self.margins)
        asking, places = np.nonzero(best >= self.limits[:, None])
        inside = places < groups
        self._take(asking[~inside], places[~inside] - groups, single, first + groups * GROUP)
        asking, places = np.repeat(asking[inside], GROUP), np.repeat(places[inside], GROUP)
        places += np.tile(np.arange(GROUP) * groups, len(places) // GROUP)
        self._take(asking, places, scores, first)

    def _take(self, asking: np.ndarray, places: np.ndarray, scores: np.ndarray, first: int) -> None:
        found = scores[asking, places]
        good = (found >= self.limits[asking]) & (found > -np.inf)
        self._found.append((asking[good], first + places[good], found[good]))

    def candidates(self) -> tuple[np.ndarray, np.ndarray]:
        """The numbers of probes, and a row for each; every probe's best rows are among its own."""
        asking, rows, scores = (np.concatenate(parts) for parts in zip(*self._found, strict=True))
        good = scores >= self.limits[asking]
        return asking[good], rows[good]

"""The scores that a check of a gallery looks at: references with their own person, and with all others."""

import dataclasses
import math
from collections.abc import Iterator

import numpy as np

SMALL = 32.0  # pixels
PAIRS = 20
REFERENCES_PER_BLOCK = 2048


@dataclasses.dataclass(frozen=True)
class ActiveReferences:
    """The references in force, by person; each array has a row for each of them.

    Attributes:
        rows: their rows among all references.
        persons: int [n], rising.
        templates: float32 [P, D] of unit length; zeros for persons without a reference in force.
        own: score with the mean of the person's others; NaN where there are none.
        own_large: the same with the large ones alone.
    """

    rows: np.ndarray
    persons: np.ndarray
    embeddings: np.ndarray
    templates: np.ndarray
    own: np.ndarray
    own_large: np.ndarray


@dataclasses.dataclass(frozen=True)
class OtherPersons:
    """What the other persons' templates say: the best score and whose it is; comparisons that reach; best pairs."""

    best: np.ndarray
    whose: np.ndarray
    reached: int
    involved: int
    pairs: list[tuple[float, int, int, int]]


def references_in_force(
    embeddings: np.ndarray,
    persons: np.ndarray,
    active: np.ndarray,
    heights: np.ndarray,
    *,
    weights: np.ndarray | None,
    count: int,
) -> ActiveReferences:
    order = np.argsort(persons, kind="stable")
    rows = order[active[order]]
    whose, used = persons[rows], np.asarray(embeddings, np.float32)[rows]
    weighted = used if weights is None else used * np.asarray(weights, np.float32)[rows, None]
    sums = _sums(weighted, whose, count)
    large = (heights[rows] >= SMALL).astype(np.float32)
    sums_large = _sums(weighted * large[:, None], whose, count)
    own = _scores(used, sums[whose] - weighted)
    alone = np.bincount(whose, minlength=count)[whose] < 2
    own_large = _scores(used, sums_large[whose] - weighted * large[:, None])
    few = np.bincount(whose, large, minlength=count)[whose] - large < 1
    return ActiveReferences(
        rows, whose, used, _unit(sums), np.where(alone, np.nan, own), np.where(few, np.nan, own_large)
    )


def compare_with_others(force: ActiveReferences, least: float) -> OtherPersons:
    """Every reference in force with the templates of all other persons, block by block."""
    best = np.full(len(force.rows), -np.inf)
    whose = np.zeros(len(force.rows), np.int64)
    with_template = np.unique(force.persons)
    templates = force.templates[with_template].T
    involved = np.zeros(len(force.templates), bool)
    reached = 0
    pairs: list[tuple[float, int, int, int]] = []
    for start, end in _blocks(force.persons):
        scores = force.embeddings[start:end] @ templates
        columns = np.searchsorted(with_template, force.persons[start:end])
        scores[np.arange(end - start), columns] = -np.inf
        columns = scores.argmax(axis=1)
        whose[start:end] = with_template[columns]
        best[start:end] = scores[np.arange(end - start), columns]
        if best[start:end].max() >= least:
            beyond = scores >= least
            reached += int(beyond.sum())
            involved[with_template[beyond.any(axis=0)]] = True
            involved[force.persons[start:end][beyond.any(axis=1)]] = True
        pairs = _best_pairs(pairs, scores, force.persons[start:end], with_template, offset=start)
    return OtherPersons(best, whose, reached, int(involved.sum()), pairs[:PAIRS])


def _blocks(persons: np.ndarray) -> Iterator[tuple[int, int]]:
    """Ranges of rows that hold whole persons, of about `REFERENCES_PER_BLOCK` rows or one person."""
    starts = np.append(np.flatnonzero(np.diff(persons, prepend=-1)), len(persons))
    start = 0
    while start < len(persons):
        whole = int(np.searchsorted(starts, start + REFERENCES_PER_BLOCK, "right")) - 1
        end = int(starts[max(whole, int(np.searchsorted(starts, start, "right")))])
        yield start, end
        start = end


def _best_pairs(
    known: list[tuple[float, int, int, int]],
    scores: np.ndarray,
    persons: np.ndarray,
    with_template: np.ndarray,
    *,
    offset: int,
) -> list[tuple[float, int, int, int]]:
    """The best pairs so far and of a block, best first, each two persons once: (score, person, other, row)."""
    starts = np.flatnonzero(np.diff(persons, prepend=-1))
    ends = np.append(starts[1:], len(persons))
    by_person = np.maximum.reduceat(scores, starts, axis=0)
    least = known[-1][0] if len(known) >= 2 * PAIRS else -math.inf
    groups, columns = np.nonzero(by_person > least)
    if len(groups) > 2 * PAIRS:
        # Each two persons are there twice at most, once from either side.
        top = np.argpartition(-by_person[groups, columns], 2 * PAIRS)[: 2 * PAIRS]
        groups, columns = groups[top], columns[top]
    pairs = {(min(a, b), max(a, b)): (score, a, b, row) for score, a, b, row in known}
    for group, column in zip(groups.tolist(), columns.tolist(), strict=True):
        score = float(by_person[group, column])
        person, other = int(persons[starts[group]]), int(with_template[column])
        key = (min(person, other), max(person, other))
        if key not in pairs or pairs[key][0] < score:
            row = starts[group] + scores[starts[group] : ends[group], column].argmax()
            pairs[key] = (score, person, other, offset + int(row))
    return sorted(pairs.values(), key=lambda pair: (-pair[0], pair[1], pair[2]))[: 2 * PAIRS]


def _sums(values: np.ndarray, whose: np.ndarray, count: int) -> np.ndarray:
    sums = np.zeros((count, values.shape[1]), np.float32)
    if len(values):
        starts = np.flatnonzero(np.diff(whose, prepend=-1))
        sums[whose[starts]] = np.add.reduceat(values, starts, axis=0)
    return sums


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)


def _scores(embeddings: np.ndarray, templates: np.ndarray) -> np.ndarray:
    return np.einsum("nd,nd->n", embeddings, _unit(templates)).astype(np.float64)

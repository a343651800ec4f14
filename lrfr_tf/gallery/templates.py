"""A person as one template, and references that do not look like the person."""

import numpy as np

FULL_HEIGHT = 64.0  # pixels; below it a face counts less, in proportion to its height (docs/people.md has figures)
FEWEST, SHARE = 5, 0.25  # of references, and of the person's median similarity


def weights_of(heights: np.ndarray) -> np.ndarray:
    """How much each face counts in its person's template, in (0, 1]: float64 [n].

    Args:
        heights: of the faces in pixels of their photos; 0 or less: not known, which counts fully.
    """
    heights = np.asarray(heights, np.float64)
    return np.where(heights > 0, np.minimum(heights, FULL_HEIGHT) / FULL_HEIGHT, 1.0)


def template_of(embeddings: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """The mean of a person's references, weighted by the heights of the faces: float32 [D] of unit length.

    Args:
        embeddings: float32 [n, D] of unit length; n is at least 1.
        heights: float [n]; see `weights_of`.
    """
    return templates_of(embeddings, heights, np.zeros(1, np.int64))[0]


def templates_of(embeddings: np.ndarray, heights: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """The templates of several persons whose references follow one another: float32 [persons, D] of unit length.

    A template whose references cancel out is zero.

    Args:
        embeddings: float32 [n, D].
        heights: float [n].
        starts: the first row of each person, rising.
    """
    weighted = embeddings.astype(np.float64) * weights_of(heights)[:, None]
    sums = weighted if len(starts) == len(weighted) else np.add.reduceat(weighted, starts, axis=0)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.where(lengths > 1e-6, sums / np.maximum(lengths, 1e-6), 0.0).astype(np.float32)


def similarities_to_the_rest(embeddings: np.ndarray) -> np.ndarray:
    """The mean cosine of each reference with the person's others: float64 [n]; n is at least 2."""
    cosines = embeddings.astype(np.float64) @ embeddings.T.astype(np.float64)
    return (cosines.sum(axis=1) - np.diag(cosines)) / (len(embeddings) - 1)


def set_aside_of(embeddings: np.ndarray) -> list[tuple[int, str]]:
    """References that are hardly the person: (row, why in one sentence).

    With five references or more, one whose similarity to the rest stays below a quarter of the person's median is
    somebody else, or no face.

    Args:
        embeddings: float32 [n, D] of unit length.
    """
    if len(embeddings) < FEWEST:
        return []
    own = similarities_to_the_rest(embeddings)
    median = float(np.median(own))
    return [
        (row, f"Its similarity to the person's other references is {own[row]:z.2f}, where {median:.2f} is usual.")
        for row in np.flatnonzero(own < SHARE * median).tolist()
    ]

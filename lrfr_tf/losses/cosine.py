"""Cosines of rows, in float32 and never outside -1..1: what the losses on embeddings share."""

from keras import KerasTensor, ops

# Below this squared length a row keeps its direction but not unit length, so that a row of zeros has finite gradients.
_SMALLEST_SQUARED_LENGTH = 1e-12


def unit_rows(rows: KerasTensor) -> KerasTensor:
    """Divides each row of [M, D], any dtype, by its Euclidean length; float32, and zeros for a row of zeros."""
    rows = ops.cast(rows, "float32")
    squared_lengths = ops.sum(ops.square(rows), axis=-1, keepdims=True)
    return rows * ops.rsqrt(ops.maximum(squared_lengths, _SMALLEST_SQUARED_LENGTH))


def cosine_matrix(rows: KerasTensor, others: KerasTensor) -> KerasTensor:
    """The cosine of every row of [M, D] with every row of [C, D], any dtypes: float32 [M, C] in -1..1."""
    # Rounding takes the product of equal rows to 1.0000001.
    return ops.clip(ops.matmul(unit_rows(rows), ops.transpose(unit_rows(others))), -1.0, 1.0)


def row_cosines(rows: KerasTensor, others: KerasTensor) -> KerasTensor:
    """The cosine of each row of [M, D] with the same row of another [M, D], any dtypes: float32 [M] in -1..1."""
    return ops.clip(ops.sum(unit_rows(rows) * unit_rows(others), axis=-1), -1.0, 1.0)

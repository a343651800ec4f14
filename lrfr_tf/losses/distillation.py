"""Learning from a frozen teacher: its embedding of the sharp image is what the student's should be."""

from keras import KerasTensor, ops

from lrfr_tf.losses.cosine import row_cosines
from lrfr_tf.losses.margin import additive_margin_softmax


def cosine_distillation(student: KerasTensor, teacher: KerasTensor) -> KerasTensor:
    """One minus the mean cosine between the student's and the teacher's embeddings.

    Up to a factor 2 this is the squared distance of the unit vectors. No gradient reaches the teacher.

    Args:
        student: [M, D], any dtype and length.
        teacher: [M, D], of the same images, as sharp as the teacher likes them.

    Returns:
        A float32 scalar in 0..2.
    """
    return 1.0 - ops.mean(row_cosines(student, ops.stop_gradient(teacher)))


def prototype_softmax(
    embeddings: KerasTensor,
    prototypes: KerasTensor,
    labels: KerasTensor,
    scale: float = 30.0,
    margin: float = 0.0,
) -> KerasTensor:
    """AM-Softmax over class rows that are given and fixed, such as the teacher's embeddings or their means.

    The cosine to the own prototype must win against those to all others, which `cosine_distillation` does not ask for.

    Args:
        embeddings: [M, D], any dtype and length.
        prototypes: [C, D], one row a class; no gradient reaches them.
        labels: integers [M] in 0..C-1.
        scale: the inverse of a temperature.
        margin: what the own cosine must win by.

    Returns:
        A float32 scalar.
    """
    return additive_margin_softmax(embeddings, ops.stop_gradient(prototypes), labels, margin, scale)

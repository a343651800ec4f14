"""Learning from a frozen teacher: its embedding of the sharp image is what the student's should be."""

from keras import KerasTensor, ops

from lrfr_tf.losses.cosine import cosine_matrix, row_cosines
from lrfr_tf.losses.margin import cross_entropies


def cosine_distillations(student: KerasTensor, teacher: KerasTensor) -> KerasTensor:
    """One minus the cosine between the student's and the teacher's embedding of each image.

    Up to a factor 2 this is the squared distance of the unit vectors. No gradient reaches the teacher.

    Args:
        student: [M, D], any dtype and length.
        teacher: [M, D], of the same images, as sharp as the teacher likes them.

    Returns:
        float32 [M] in 0..2.
    """
    return 1.0 - row_cosines(student, ops.stop_gradient(teacher))


def person_cross_entropies(
    student: KerasTensor, persons: KerasTensor, identities: KerasTensor, scale: float = 24.0
) -> KerasTensor:
    """How little the student tells each image's person from all others: the cross-entropy of the softmax of scale *
    cosine to the persons' mean embeddings, which stay as they are (no class weights are learned).

    Args:
        student: [M, D], any dtype and length.
        persons: [C, D], a teacher's mean embedding of each person's sharp images.
        identities: int [M], the row of `persons` that each image shows.
        scale: the inverse of a temperature.

    Returns:
        float32 [M], at least 0.
    """
    return cross_entropies(scale * cosine_matrix(student, ops.stop_gradient(persons)), identities)

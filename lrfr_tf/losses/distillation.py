"""Learning from a frozen teacher: its embedding of the sharp image is what the student's should be."""

from keras import KerasTensor, ops

from lrfr_tf.losses.cosine import cosine_matrix, row_cosines


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


def similarity_distillations(
    student: KerasTensor, teacher: KerasTensor, others: KerasTensor, scale: float = 20.0
) -> KerasTensor:
    """How differently student and teacher see an image among many others: the Kullback-Leibler divergence of theirs.

    Each sees the softmax of scale * cosine to the others; the divergence is of the student's from the teacher's. Where
    the cosine counts all directions alike, this counts those in which look-alikes differ. (Passalis and Tefas,
    "Learning Deep Representations with Probabilistic Knowledge Transfer", ECCV 2018, with a softmax for their kernel.)
    No gradient reaches the teacher.

    Args:
        student: [M, D], any dtype and length.
        teacher: [M, D], of the same images, as sharp as the teacher likes them.
        others: [K, D], the teacher's embeddings of other images.
        scale: the inverse of a temperature.

    Returns:
        float32 [M], at least 0.
    """
    expected = ops.stop_gradient(ops.log_softmax(scale * cosine_matrix(teacher, others)))
    found = ops.log_softmax(scale * cosine_matrix(student, others))
    return ops.sum(ops.exp(expected) * (expected - found), axis=1)

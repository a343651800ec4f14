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
    logits = scale * cosine_matrix(student, ops.stop_gradient(persons))
    return ops.sparse_categorical_crossentropy(identities, logits, from_logits=True)


def similarity_distillations(
    student: KerasTensor,
    teacher: KerasTensor,
    others: KerasTensor,
    scale: float = 20.0,
    same: KerasTensor | None = None,
    share_of_same: float = 0.0,
) -> KerasTensor:
    """How differently student and teacher see an image among many others: the Kullback-Leibler divergence of theirs.

    Each sees the softmax of scale * cosine to the others; the divergence is of the student's from the teacher's. Where
    the cosine counts all directions alike, this counts those in which look-alikes differ. (Passalis and Tefas,
    "Learning Deep Representations with Probabilistic Knowledge Transfer", ECCV 2018, with a softmax for their kernel.)
    With `same`, a share of what the student should see is the other images of the same person alike, which tells it
    what the teacher itself does not know. No gradient reaches the teacher.

    Args:
        student: [M, D], any dtype and length.
        teacher: [M, D], of the same images, as sharp as the teacher likes them.
        others: [K, D], the teacher's embeddings of other images.
        scale: the inverse of a temperature.
        same: bool [M, K], which of the others show the person; one at least in each row.
        share_of_same: 0 to 1.

    Returns:
        float32 [M], at least 0.
    """
    expected = ops.softmax(scale * cosine_matrix(teacher, others))
    if same is not None:
        alike = ops.cast(same, "float32")
        alike = alike / ops.sum(alike, axis=1, keepdims=True)
        expected = (1.0 - share_of_same) * expected + share_of_same * alike
    expected = ops.stop_gradient(expected)
    found = ops.log_softmax(scale * cosine_matrix(student, others))
    # Of a share of nothing no logarithm is taken: its summand is zero.
    return ops.sum(expected * (ops.log(ops.maximum(expected, 1e-30)) - found), axis=1)

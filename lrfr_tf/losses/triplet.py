"""Losses on distances between embeddings: batch-hard and semi-hard triplets, and contrastive pairs.

    batch_hard_triplet(embeddings [M, D], identities [M], margin=1.0)
    semi_hard_triplet(embeddings [M, D], identities [M], margin=1.0, distance="L2")
    contrastive(distances [M], same [M], margin=1.0)

Whoever has the same identity is a positive, all others are negatives; the order of the rows means nothing. Everything
is computed in float32. Each returns a float32 scalar.
"""

from keras import KerasTensor, ops

from lrfr_tf.losses.cosine import cosine_matrix

DISTANCES = ("L2", "squared-L2", "angular")


def batch_hard_triplet(embeddings: KerasTensor, identities: KerasTensor, margin: float = 1.0) -> KerasTensor:
    """Each embedding against its farthest positive and its nearest negative, by cosine distance.

    mean over all anchors of max(0, margin + hardest positive - hardest negative), the zeros counted too, with the
    distance 1 - cos in 0..2 (Hermans et al., "In Defense of the Triplet Loss", 2017, equation 5; margin and distance as
    Lai & Lam have them). Over all resolutions of a batch at once: of N identities with four images each there are 4 N
    anchors with 3 positives and 4 N - 4 negatives. An anchor without a positive or without a negative counts as 0.

    Args:
        embeddings: [M, D], any dtype and length.
        identities: integers [M].

    Returns:
        A float32 scalar.
    """
    distances = 1.0 - cosine_matrix(embeddings, embeddings)
    positive, negative = _positives_and_negatives(identities)
    # Outside of 0..2, so that what is no positive is never the farthest, and what is no negative never the nearest.
    hardest_positive = ops.max(ops.where(positive, distances, -1.0), axis=1)
    hardest_negative = ops.min(ops.where(negative, distances, 3.0), axis=1)
    hinges = ops.maximum(margin + hardest_positive - hardest_negative, 0.0)
    complete = ops.logical_and(ops.any(positive, axis=1), ops.any(negative, axis=1))
    return ops.mean(ops.where(complete, hinges, 0.0))


def semi_hard_triplet(
    embeddings: KerasTensor, identities: KerasTensor, margin: float = 1.0, distance: str = "L2"
) -> KerasTensor:
    """Each pair of positives against the nearest negative that is farther than they are from each other.

    Where no negative is farther, the farthest of them is taken (Schroff et al., "FaceNet", CVPR 2015, section 3.2).
    The mean over all ordered pairs of positives of max(0, margin + positive - negative). Equals tensorflow-addons
    0.23's `TripletSemiHardLoss`, but a pair without any negative, and a batch without any pair, count as 0. It takes
    memory for M^3 numbers.

    Args:
        embeddings: [M, D], any dtype; of unit length, unless the distance is "angular".
        identities: integers [M].
        distance: "L2" (Euclidean), "squared-L2", or "angular" (1 - cos).

    Returns:
        A float32 scalar.

    Raises:
        ValueError: the distance is unknown.
    """
    distances = _distances(embeddings, distance)
    positive, negative = _positives_and_negatives(identities)
    # [anchor, positive, negative]
    farther = ops.logical_and(negative[:, None, :], distances[:, None, :] > distances[:, :, None])
    beyond_all = ops.stop_gradient(ops.max(distances)) + 1.0
    nearest_farther = ops.min(ops.where(farther, distances[:, None, :], beyond_all), axis=2)
    farthest = ops.max(ops.where(negative, distances, -1.0), axis=1, keepdims=True)
    semi_hard = ops.where(ops.any(farther, axis=2), nearest_farther, farthest)
    complete = ops.logical_and(positive, ops.any(negative, axis=1, keepdims=True))
    hinges = ops.where(complete, ops.maximum(margin + distances - semi_hard, 0.0), 0.0)
    pairs = ops.sum(ops.cast(positive, "float32"))
    return ops.sum(hinges) / ops.maximum(pairs, 1.0)


def contrastive(distances: KerasTensor, same: KerasTensor, margin: float = 1.0) -> KerasTensor:
    """Pairs of one person pulled together, pairs of two pushed apart as far as the margin.

    The mean of d^2 where `same` is 1 and of max(0, margin - d)^2 where it is 0 (Hadsell et al., "Dimensionality
    Reduction by Learning an Invariant Mapping", CVPR 2006, equation 4, without its halves). Equals tensorflow-addons
    0.23's `ContrastiveLoss`.

    Args:
        distances: [M], any dtype, not negative.
        same: [M], 1 or True where both images of the pair show one person.

    Returns:
        A float32 scalar.
    """
    distances, same = ops.cast(distances, "float32"), ops.cast(same, "float32")
    apart = ops.square(ops.maximum(margin - distances, 0.0))
    return ops.mean(same * ops.square(distances) + (1.0 - same) * apart)


def _positives_and_negatives(identities: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
    """Boolean [M, M]: same identity but another row, and another identity."""
    identities = ops.convert_to_tensor(identities)
    same = identities[:, None] == identities[None, :]
    itself = ops.cast(ops.eye(ops.shape(identities)[0]), "bool")
    return ops.logical_and(same, ops.logical_not(itself)), ops.logical_not(same)


def _distances(embeddings: KerasTensor, distance: str) -> KerasTensor:
    """float32 [M, M], 0 on the diagonal and none negative."""
    if distance == "angular":
        return 1.0 - cosine_matrix(embeddings, embeddings)
    if distance not in DISTANCES:
        raise ValueError(f"A distance is one of {', '.join(DISTANCES)}, not {distance!r}.")
    embeddings = ops.cast(embeddings, "float32")
    products = ops.matmul(embeddings, ops.transpose(embeddings))
    squares = ops.sum(ops.square(embeddings), axis=1)
    squared = ops.maximum(squares[:, None] + squares[None, :] - 2.0 * products, 0.0)
    # Rounding leaves the distance of a row to itself above 0, where the root magnifies it.
    squared = squared * (1.0 - ops.eye(ops.shape(embeddings)[0], dtype="float32"))
    if distance == "squared-L2":
        return squared
    # The root has no slope at 0: equal rows go around it.
    apart = squared > 0
    return ops.where(apart, ops.sqrt(ops.where(apart, squared, 1.0)), 0.0)

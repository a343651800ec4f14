"""Fits a classifier head on stored embeddings."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lrfr_tf.data.embeddings import EmbeddingSet
from lrfr_tf.errors import UserError
from lrfr_tf.models.heads import linear_head
from lrfr_tf.networks.classifier import Classifier
from lrfr_tf.networks.head_kinds import KINDS, check_classes
from lrfr_tf.networks.heads import HeadNetwork, make_templates
from lrfr_tf.training.logistic import fit_logistic
from lrfr_tf.training.mlp import fit_mlp


def fit_classifier(
    kind: str,
    train: EmbeddingSet,
    validation: EmbeddingSet,
    class_names: Sequence[str],
    *,
    embedder_name: str,
    seed: int,
    C: float = 10.0,  # noqa: N803
    epochs: int = 59,
    patience: int = 10,
    batch_size: int = 128,
) -> Classifier:
    """Fits a head on the usable rows of the training split; only "mlp" looks at the validation split, to stop.

    Args:
        kind: "logistic", "mlp" or "cosine".
        train, validation: embeddings of one method; their labels point into `class_names`.
        seed, epochs, patience, batch_size: for "mlp".
        C: inverse strength of the penalty, for "logistic".

    Raises:
        UserError: the kind is unknown, there is no usable training row (for "mlp", no validation row either), or the
            only class would get a probability of 1.
    """
    if kind not in KINDS:
        raise UserError(f"The head {kind!r} is not known; there are {', '.join(KINDS)}.")
    embeddings, labels = train.embeddings[train.usable], train.labels[train.usable]
    if len(labels) == 0:
        raise UserError(f"There is no usable training face to fit the {kind} head on.")
    classes = len(class_names)
    counts = {"train_images": len(labels), "train_identities": len(np.unique(labels))}
    check_classes(embedder_name, kind, classes)
    if kind == "cosine":
        return Classifier(kind, class_names, embedder_name, make_templates(embeddings, labels, classes), fit=counts)
    if kind == "logistic":
        logistic = fit_logistic(embeddings, labels, classes, C=C)
        head = linear_head(embeddings.shape[1], classes)
        head.set_weights([logistic.kernel, logistic.bias])
        report: dict[str, Any] = {
            "C": C,
            "loss": logistic.loss,
            "iterations": logistic.iterations,
            "converged": logistic.converged,
        }
        return Classifier(kind, class_names, embedder_name, HeadNetwork(kind, head), fit={**counts, **report})
    mlp = fit_mlp(
        embeddings,
        labels,
        validation.embeddings[validation.usable],
        validation.labels[validation.usable],
        classes=classes,
        seed=seed,
        epochs=epochs,
        patience=patience,
        batch_size=batch_size,
    )
    report = {"seed": seed, "best_epoch": mlp.best_epoch, "history": mlp.history}
    return Classifier(kind, class_names, embedder_name, HeadNetwork(kind, mlp.model), fit={**counts, **report})

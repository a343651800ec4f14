"""A classifier head and its class names: it scores embeddings, and is saved and loaded again."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lrfr_tf.errors import UserError
from lrfr_tf.files import atomic_folder, read_json, sha256, write_json
from lrfr_tf.models.heads import linear_head, mlp_head
from lrfr_tf.networks.head_kinds import KINDS
from lrfr_tf.networks.heads import Head, HeadNetwork, Templates, make_templates
from lrfr_tf.plural import counted

SCHEMA = 1
TEMPLATES, FACES = "templates.npz", "gallery.npz"  # heads of an older kind kept the faces
FIELDS = {"dimensions": int, "classes": list, "embedder": str, "fit": dict}
HEAD_CROP_KINDS = ("box", "aligned")
VALUES_AT_ONCE = 2**24  # logits or cosines held in memory beside the scores themselves


class Classifier:
    """Embeddings in, one score per class out.

    Args:
        kind: "logistic", "mlp" or "cosine".
        class_names: the class map; column i of the scores belongs to name i.
        embedder_name: the embedder whose embeddings it was fitted on; others cannot be scored.
        head: what scores: a network ("logistic" and "mlp"), or templates ("cosine").
        fit: what the fit reported, such as the best epoch; kept in `head.json`.

    Attributes:
        cut: how the faces of those embeddings were cut out of photos, "box" or "aligned"; None if nobody noted it.
        template: what aligned ones lie on.
    """

    def __init__(
        self,
        kind: str,
        class_names: Sequence[str],
        embedder_name: str,
        head: Head,
        *,
        fit: dict[str, Any] | None = None,
    ) -> None:
        self.kind = kind
        self.class_names = list(class_names)
        self.embedder_name = embedder_name
        self.fit = fit or {}
        self.cut: str | None = None
        self.template: str | None = None
        self.dimensions = head.dimensions
        self.head = head

    def scores(self, embeddings: np.ndarray) -> np.ndarray:
        """Scores float32 [n, classes] of unit-length embeddings float32 [n, D].

        "logistic" and "mlp" give probabilities; "cosine" the cosine in [-1, 1] with the template of each class, and -1
        for a class without one. The row of a miss (zeros) has no meaning.

        Raises:
            UserError: D is not that of the embeddings it was fitted on.
        """
        if embeddings.ndim != 2 or embeddings.shape[1] != self.dimensions:
            raise UserError(
                f"The {self.kind} head takes {self.embedder_name} embeddings [n, {self.dimensions}],"
                f" not {list(embeddings.shape)}."
            )
        step = max(1, VALUES_AT_ONCE // max(2048, len(self.class_names)))
        scores = np.empty((len(embeddings), len(self.class_names)), np.float32)
        for start in range(0, len(embeddings), step):
            scores[start : start + step] = self.head.scores(embeddings[start : start + step])
        return scores

    def save(self, folder: str | Path) -> None:
        """Writes `head.json` and `head.weights.h5` or `templates.npz`; an older `folder` is replaced as a whole."""
        with atomic_folder(folder) as temporary:
            weights = temporary / _weight_file(self.kind)
            self.head.save(weights)
            description = {
                "schema": SCHEMA,
                "kind": self.kind,
                "dimensions": self.dimensions,
                "embedder": self.embedder_name,
                "fit": self.fit,
                "cut": self.cut,
                "template": self.template,
                "classes": self.class_names,
                "sha256": sha256(weights),
            }
            write_json(temporary / "head.json", description)


def load_classifier(folder: str | Path) -> Classifier:
    """Reads a classifier that `Classifier.save` wrote.

    Raises:
        UserError: a file is missing, damaged, was changed, or is of another schema or kind; the message names it.
    """
    folder = Path(folder)
    description = read_json(folder / "head.json")
    if not isinstance(description, dict) or description.get("schema") != SCHEMA or description.get("kind") not in KINDS:
        raise UserError(f"{folder / 'head.json'} does not describe a classifier head of schema {SCHEMA}.")
    if {name: type(description.get(name)) for name in FIELDS} != FIELDS:
        raise UserError(f"{folder / 'head.json'} lacks a field, or has one of another type.")
    kind, dimensions, classes = description["kind"], description["dimensions"], description["classes"]
    if dimensions < 1 or not classes:
        raise UserError(
            f"{folder / 'head.json'} says {counted(dimensions, 'dimension')} and "
            f"{counted(len(classes), 'class', 'classes')}."
        )
    if description.get("cut") not in (None, *HEAD_CROP_KINDS):
        raise UserError(f"{folder / 'head.json'} says that faces were cut out as {description['cut']!r}.")
    weights = folder / _weight_file(kind)
    if kind == "cosine" and not weights.is_file() and (folder / FACES).is_file():
        weights = folder / FACES
    if not weights.is_file():
        raise UserError(f"{weights} is missing.")
    checksum = sha256(weights)
    if description.get("sha256", checksum) != checksum:  # heads that were written before checksums were have none
        raise UserError(f"{weights} is not the file that head.json describes (sha256 differs).")
    head: Head
    try:
        if kind == "cosine":
            head = _read_templates(weights, dimensions, len(classes))
        else:
            network = (mlp_head if kind == "mlp" else linear_head)(dimensions, len(classes))
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # where layers are missing Keras may warn only, and leave them random
                network.load_weights(weights)
            head = HeadNetwork(kind, network)
    except Exception as error:  # many kinds, by where the file is broken
        reason = " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
        raise UserError(f"{weights} cannot be read as a {kind} head ({reason}).") from None
    classifier = Classifier(kind, classes, description["embedder"], head, fit=description["fit"])
    # Heads that were written before these were noted have neither.
    classifier.cut, classifier.template = description.get("cut"), description.get("template")
    return classifier


def _weight_file(kind: str) -> str:
    return TEMPLATES if kind == "cosine" else "head.weights.h5"


def _read_templates(path: Path, dimensions: int, classes: int) -> Templates:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        embeddings = stored["embeddings"]
        labels = stored["labels"] if path.name == FACES else np.arange(classes)
    if embeddings.dtype != np.float32 or embeddings.shape != (len(labels), dimensions) or len(labels) == 0:
        raise ValueError(f"the embeddings are {embeddings.dtype} {list(embeddings.shape)}")
    if labels.dtype != np.int64 or labels.ndim != 1 or labels.min() < 0 or labels.max() >= classes:
        raise ValueError("the labels are not those of the classes")
    if not np.isfinite(embeddings).all():
        raise ValueError("the embeddings are not finite")
    return make_templates(embeddings, labels, classes) if path.name == FACES else Templates(embeddings)

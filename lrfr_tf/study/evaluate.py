"""The first system's experiment, read back from disk: trees, embeddings and heads -> the result and its examples."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lrfr_tf.config import versions
from lrfr_tf.data.face_cache import load_faces, read_tree_manifest
from lrfr_tf.data.photographed_tree import TARGET
from lrfr_tf.errors import UserError
from lrfr_tf.evaluation.identification import rank_misses_last, ranks
from lrfr_tf.faces.frame import cut_face
from lrfr_tf.files import read_json
from lrfr_tf.networks.classifier import load_classifier
from lrfr_tf.study.box_comparison import compare_boxes
from lrfr_tf.study.report.examples import Example
from lrfr_tf.study.stored_embeddings import (
    StoredEmbeddings,
    blocks_of_images,
    check_same_images,
    read_stored_embeddings,
)
from lrfr_tf.study.table import Recognition, quality_rows, recognition_rows

# The examples show the answers of the first of these that was fitted on HR.
HEADS = ("logistic", "mlp", "cosine")
GRID_EXAMPLES, OTHER_EXAMPLES = 10, 6
# What the Siamese network embeds, and how the rows are called: the bicubic image is LR enlarged, without a network.
SIAMESE_ROWS = {"bicubic": "siamese", "hr": "siamese_hr"}


class Evaluation:
    """Reads what the steps of the experiment left on disk, and scores the test split.

    Args:
        data: the prepared tree, with one folder for each method.
        embeddings: one folder for each method, by FaceNet.
        heads: `<method>/<head>/` for each method that a head was fitted on.
        methods: "hr" and those compared with it; examples are chosen by the last one.
        held_out_divisor: see `lrfr_tf.data.folders.is_held_out`.
        siamese: embeddings and heads of the Siamese network, of HR and bicubic; None leaves its rows out.

    Raises:
        UserError: something is missing, or was made from other images or with other settings.
    """

    def __init__(
        self,
        data: Path,
        embeddings: Path,
        heads: Path,
        methods: tuple[str, ...],
        *,
        held_out_divisor: int,
        siamese: tuple[Path, Path] | None = None,
    ) -> None:
        if "hr" not in methods:
            raise UserError("`methods` must name hr: every other method is compared with it.")
        self.data, self.methods, self.held_out_divisor = data, methods, held_out_divisor
        self.tree = read_tree_manifest(data)
        self.facenet = read_stored_embeddings(embeddings, data, methods)
        self.siamese: StoredEmbeddings | None = None
        if siamese is not None:
            self.siamese = read_stored_embeddings(siamese[0], data, tuple(SIAMESE_ROWS))
            check_same_images(self.facenet, self.siamese)
        self.classes, self.tests = self.facenet.classes, self.facenet.tests
        faces = self.facenet.faces
        self.identities = np.array([face.identity for face in faces])
        self.images = {method: load_faces(data / method / "test", faces) for method in methods}
        self.low = load_faces(data / "lr" / "test", faces)
        # Nobody should make the colors of HR out of a photo in others.
        self.target = load_faces(data / TARGET / "test", faces) if "camera" in self.tree else self.images["hr"]
        self.enlarged = load_faces(data / "bicubic" / "test", faces) if self.siamese is not None else None
        self._answers: dict[str, np.ndarray] = {}
        self.recognitions = self._recognize(heads, self.facenet, {method: method for method in methods})
        if siamese is not None and self.siamese is not None:
            self.recognitions += self._recognize(siamese[1], self.siamese, SIAMESE_ROWS)

    def result(self) -> dict[str, Any]:
        """All figures, as `result.json` holds them."""
        result = {
            "schema": 1,
            "data": {
                "data_set": self.tree["data_set"],
                "framing": self.tree["framing"],
                "identities": self.tree["identities"],
                "images": self.tree["images"],
                "dropped_identities": len(self.tree["dropped_identities"]),
                "images_without_face": len(self.tree["images_without_face"]),
                "resize_kernel": self.tree["resize_kernel"],
                **{key: self.tree[key] for key in ("camera", "data_sha256") if "camera" in self.tree},
            },
            "classes": len(self.classes),
            **{key: self.facenet.settings[key] for key in ("embedder", "detector", "policy")},
            "models": {method: self._model_checksum(method) for method in self.methods if method != "hr"},
            "held_out_divisor": self.held_out_divisor,
            "blocks": {name: self._block(chosen) for name, chosen in self._blocks().items()},
            "versions": versions(),
        }
        if self.siamese is not None:
            result["siamese"] = {"embedder": self.siamese.settings["embedder"], **self.siamese.settings["aligned"]}
        return result

    def examples(self) -> list[Example]:
        """Faces for the report: some of the first test images, and some that SRGAN puts right or gets wrong."""
        answers, last = self._answers, self.methods[-1]
        held_out = self._blocks().get("held_out", np.ones(len(self.identities), bool))
        right = answers[last] == self.identities
        groups = {"grid": held_out, "wrong": held_out & ~right}
        if "bicubic" in answers:
            groups["right"] = held_out & right & (answers["bicubic"] != self.identities)
        examples = []
        for group, chosen in groups.items():
            wanted = GRID_EXAMPLES if group == "grid" else OTHER_EXAMPLES
            rows = np.flatnonzero(chosen)
            # Evenly spread over the test set, so that nobody picks the pretty ones.
            for row in rows[np.unique(np.linspace(0, len(rows) - 1, min(wanted, len(rows))).astype(int))]:
                examples.append(self._example(int(row), group))
        return examples

    def _recognize(self, heads: Path, stored: StoredEmbeddings, rows: Mapping[str, str]) -> list[Recognition]:
        """The outcome of every head in a folder; `rows` tells how the row of each method is called."""
        found = []
        for fitted_on in stored.tests:
            for head in HEADS:
                folder = heads / fitted_on / head
                if not folder.is_dir():
                    continue
                classifier = load_classifier(folder)
                if list(classifier.class_names) != self.classes:
                    raise UserError(f"{folder} was fitted with another class map than the embeddings have.")
                if classifier.embedder_name != stored.settings["embedder"]:
                    raise UserError(
                        f"{folder} was fitted on embeddings by {classifier.embedder_name}, but those in "
                        f"{stored.folder} are by {stored.settings['embedder']}."
                    )
                # A head fitted on HR is tried on every method; one fitted on a method's own images, on that method.
                for method in stored.tests if fitted_on == "hr" else (fitted_on,):
                    test, row = stored.tests[method], rows[method]
                    scores = classifier.scores(test.embeddings)
                    order = rank_misses_last(ranks(scores, test.labels), test.usable, len(self.classes))
                    found.append(Recognition(row, head, "hr" if fitted_on == "hr" else row, order))
                    if fitted_on == "hr" and row not in self._answers:
                        self._answers[row] = np.array(self.classes, dtype=object)[scores.argmax(axis=1)]
                        self._answers[row][~test.usable] = None
        if not any(recognition.trained_on == "hr" for recognition in found):
            raise UserError(f"{heads} holds no head fitted on HR (hr/<head>/); fit them with lrfr_tf.train_classifier.")
        return found

    def _blocks(self) -> dict[str, np.ndarray]:
        return blocks_of_images(list(self.identities), self.held_out_divisor)

    def _block(self, chosen: np.ndarray) -> dict[str, Any]:
        hr = self.tests["hr"].rows(chosen)
        boxes = {}
        for method in self.methods:
            if method != "hr":
                test = self.tests[method].rows(chosen)
                boxes[method] = compare_boxes(hr.boxes, hr.landmarks, test.boxes, test.landmarks).summary()
        tests = dict(self.tests)
        if self.siamese is not None:
            # The detector saw the same images again, so the intersection stays what it is.
            tests |= {SIAMESE_ROWS[method]: test for method, test in self.siamese.tests.items()}
        return {
            "images": int(chosen.sum()),
            "identities": len(np.unique(self.identities[chosen])),
            "quality": quality_rows(self.images, self.target, self.tests, chosen),
            "recognition": recognition_rows(self.recognitions, tests, chosen, len(self.classes)),
            "boxes": boxes,
        }

    def _example(self, row: int, group: str) -> Example:
        shown = {"lr": self.low[row]}
        boxes: dict[str, np.ndarray | None] = {}
        for method in (*(method for method in self.methods if method != "hr"), "siamese", "hr"):
            if method == "siamese":
                if self.siamese is not None and self.enlarged is not None:
                    shown["siamese"] = _siamese_input(self.siamese, self.enlarged[row], row)
                continue
            shown[method] = self.images[method][row]
            test = self.tests[method]
            boxes[method] = test.boxes[row] if test.detected[row] else None
        return Example(
            path=self.tests["hr"].paths[row],
            identity=str(self.identities[row]),
            faces=shown,
            boxes=boxes,
            answers={method: answers[row] for method, answers in self._answers.items()},
            group=group,
        )

    def _model_checksum(self, method: str) -> str:
        return read_json(self.data / method / "manifest.json")["model_sha256"] if method != "bicubic" else ""


def _siamese_input(siamese: StoredEmbeddings, enlarged: np.ndarray, row: int) -> np.ndarray:
    """The aligned face, uint8 [S, S, 3]; the enlarged image itself where it was embedded whole or not at all."""
    test = siamese.tests["bicubic"]
    if test.crops[row] not in ("detected", "hr_box"):
        return enlarged
    landmarks = (test if test.crops[row] == "detected" else siamese.tests["hr"]).landmarks[row]
    return cut_face(enlarged, landmarks, **siamese.settings["aligned"])

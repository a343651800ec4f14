"""The first system's experiment, read back from disk: trees, embeddings and heads -> the result and its examples."""

from pathlib import Path
from typing import Any

import numpy as np

from lrfr_tf.config import versions
from lrfr_tf.data.embeddings import load_classes, load_embeddings, read_manifest
from lrfr_tf.data.face_cache import load_faces, read_tree_manifest
from lrfr_tf.data.folders import FaceFile, is_held_out
from lrfr_tf.errors import UserError
from lrfr_tf.evaluation.boxes import compare_boxes
from lrfr_tf.evaluation.identification import ranks, with_misses
from lrfr_tf.evaluation.report.faces import Example
from lrfr_tf.evaluation.table import Recognition, quality_rows, recognition_rows
from lrfr_tf.files import read_json, sha256
from lrfr_tf.recognition.classifier import load_classifier

# The examples show the answers of the first of these that was fitted on HR.
HEADS = ("logistic", "mlp", "cosine")
GRID_EXAMPLES, OTHER_EXAMPLES = 10, 6


class Evaluation:
    """Reads what the steps of the experiment left on disk, and scores the test split.

    Args:
        data: the prepared tree, with one folder for each method.
        embeddings: one folder for each method.
        heads: `<method>/<head>/` for each method that a head was fitted on.
        methods: "hr" and those compared with it; examples are chosen by the last one.
        held_out_divisor: see `lrfr_tf.data.folders.is_held_out`.

    Raises:
        UserError: something is missing, or was made from other images or with other settings.
    """

    def __init__(
        self, data: Path, embeddings: Path, heads: Path, methods: tuple[str, ...], held_out_divisor: int
    ) -> None:
        if "hr" not in methods:
            raise UserError("--methods must name hr: every other method is compared with it.")
        self.data, self.methods, self.held_out_divisor = data, methods, held_out_divisor
        self.tree = read_tree_manifest(data)
        self.manifests = {method: read_manifest(embeddings / method) for method in methods}
        for key in ("embedder", "detector", "policy"):
            if len({str(manifest[key]) for manifest in self.manifests.values()}) > 1:
                raise UserError(f"The embeddings in {embeddings} were made with different settings ({key}).")
        if self.manifests["hr"]["source"] != sha256(data / "manifest.json"):
            raise UserError(f"The embeddings in {embeddings} were made from another tree than {data}.")
        self.classes = load_classes(embeddings / "hr")
        self.tests = {method: load_embeddings(embeddings / method, "test") for method in methods}
        for method, test in self.tests.items():
            if test.paths != self.tests["hr"].paths:
                raise UserError(f"{embeddings / method} and {embeddings / 'hr'} hold different test images.")
        faces = [FaceFile(path, path.split("/")[0]) for path in self.tests["hr"].paths]
        self.identities = np.array([face.identity for face in faces])
        self.images = {method: load_faces(data / method / "test", faces) for method in methods}
        self.low = load_faces(data / "lr" / "test", faces)
        self._answers: dict[str, np.ndarray] = {}
        self.recognitions = self._recognise(heads)

    def result(self) -> dict[str, Any]:
        """All figures, as `result.json` holds them."""
        hr = self.manifests["hr"]
        return {
            "schema": 1,
            "data": {
                "data_set": self.tree["data_set"],
                "framing": self.tree["framing"],
                "identities": self.tree["identities"],
                "images": self.tree["images"],
                "dropped_identities": len(self.tree["dropped_identities"]),
                "images_without_face": len(self.tree["images_without_face"]),
                "resize_kernel": self.tree["resize_kernel"],
            },
            "classes": len(self.classes),
            "embedder": hr["embedder"],
            "detector": hr["detector"],
            "policy": hr["policy"],
            "models": {method: self._model_checksum(method) for method in self.methods if method != "hr"},
            "held_out_divisor": self.held_out_divisor,
            "blocks": {name: self._block(chosen) for name, chosen in self._blocks().items()},
            "versions": versions(),
        }

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

    def _recognise(self, heads: Path) -> list[Recognition]:
        found = []
        for fitted_on in self.methods:
            for head in HEADS:
                folder = heads / fitted_on / head
                if not folder.is_dir():
                    continue
                classifier = load_classifier(folder)
                if list(classifier.class_names) != self.classes:
                    raise UserError(f"{folder} was fitted with another class map than the embeddings have.")
                # A head fitted on HR is tried on every method; one fitted on a method's own images, on that method.
                for method in self.methods if fitted_on == "hr" else (fitted_on,):
                    test = self.tests[method]
                    scores = classifier.scores(test.embeddings)
                    order = with_misses(ranks(scores, test.labels), test.usable, len(self.classes))
                    found.append(Recognition(method, head, fitted_on, order))
                    if fitted_on == "hr" and method not in self._answers:
                        self._answers[method] = np.array(self.classes, dtype=object)[scores.argmax(axis=1)]
                        self._answers[method][~test.usable] = None
        if not self._answers:
            raise UserError(f"{heads} holds no head fitted on HR (hr/<head>/); fit them with lrfr_tf.train_classifier.")
        return found

    def _blocks(self) -> dict[str, np.ndarray]:
        everybody = np.ones(len(self.identities), bool)
        if self.held_out_divisor == 0:
            return {"all": everybody}
        held_out = np.array([is_held_out(identity, self.held_out_divisor) for identity in self.identities])
        if not held_out.any():
            raise UserError(f"No test identity is divisible by --held_out_divisor={self.held_out_divisor}.")
        return {"held_out": held_out, "all": everybody}

    def _block(self, chosen: np.ndarray) -> dict[str, Any]:
        hr = self.tests["hr"].rows(chosen)
        boxes = {}
        for method in self.methods:
            if method != "hr":
                test = self.tests[method].rows(chosen)
                boxes[method] = compare_boxes(hr.boxes, hr.landmarks, test.boxes, test.landmarks).summary()
        return {
            "images": int(chosen.sum()),
            "identities": len(np.unique(self.identities[chosen])),
            "quality": quality_rows(self.images, self.images["hr"], self.tests, chosen),
            "recognition": recognition_rows(self.recognitions, self.tests, chosen, len(self.classes)),
            "boxes": boxes,
        }

    def _example(self, row: int, group: str) -> Example:
        shown = {"lr": self.low[row]}
        boxes: dict[str, np.ndarray | None] = {}
        for method in (*(method for method in self.methods if method != "hr"), "hr"):
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

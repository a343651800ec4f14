"""A classifier with the edges of a served model: faces in, names and scores out, best first.

Super-resolution (where there is a network for it), embedding, head and the names of the classes are one graph.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from lrfr_tf.errors import UserError
from lrfr_tf.export.embedder import BATCH_SIZES, LARGEST_DIFFERENCE, checked_faces, face_sizes
from lrfr_tf.export.servable import Servable
from lrfr_tf.export.warm_up import Request
from lrfr_tf.faces.align import TEMPLATES
from lrfr_tf.faces.frame import box_in_square, crop
from lrfr_tf.images.decode import decode_image
from lrfr_tf.images.decode_in_graph import decode_and_resize
from lrfr_tf.images.limits import PIXEL_BUDGET_IN_GRAPH
from lrfr_tf.images.resize import resize, resize_in_graph
from lrfr_tf.networks.classifier import Classifier, load_classifier
from lrfr_tf.networks.embedding import Embedder, crop_kind_for
from lrfr_tf.networks.exported_classifier import KIND
from lrfr_tf.networks.graph_part import GraphPart
from lrfr_tf.networks.head_kinds import PROBABILITY_KINDS, check_classes
from lrfr_tf.networks.saved_model import content_checksum, file_checksums
from lrfr_tf.networks.stored_network import source_of
from lrfr_tf.networks.super_resolution import SuperResolutionNetwork
from lrfr_tf.networks.synthetic_faces import synthetic_faces, synthetic_files
from lrfr_tf.printable import in_table

MOST_ANSWERS = 5  # k: so many names a face, or as many as there are classes
LABELS = "labels.txt"
CROP_DESCRIPTIONS = {"box": "cut out at their box", "aligned": "aligned by their landmarks"}

InGraph = Callable[[tf.Tensor], tf.Tensor]


def servable_classifier(
    folder: Path, embedder: Embedder, super_resolver: SuperResolutionNetwork | None = None, closed_set: bool = False
) -> Servable:
    """Joins a classifier head with the networks before it, for `export_saved_model`.

    Args:
        folder: the head, as `Classifier.save` wrote it.
        embedder: the one that the head was fitted on, as `load_embedder` gives it.
        super_resolver: faces are first made as small as it takes them; without one the faces themselves are embedded.
            Of the squares that it gives, FaceNet is shown the part in which a detector would see the face.
        closed_set: nobody but the persons of the head will ever be shown to it, so that a head that gives probabilities
            may name every face. Without it such an export answers "unknown", for it cannot tell strangers.

    Raises:
        UserError: the folder holds no head, one that was fitted on another embedder or on faces that were cut out in
            another way (heads that were fitted before they said so are taken), one of a single class that gives
            probabilities, or a name that is no line of a text file; `closed_set` with a head that can tell strangers;
            or the embedder was exported by something else and does not say its size.
    """
    classifier = load_classifier(folder)
    if classifier.embedder_name != embedder.name:
        raise UserError(f"{folder} was fitted on embeddings of {classifier.embedder_name}, not of {embedder.name}.")
    check_classes(str(folder), classifier.kind, len(classifier.class_names))
    if closed_set and classifier.kind not in PROBABILITY_KINDS:
        raise UserError(f"{folder} is a {classifier.kind} head, which can tell strangers; it needs no `closed_set`.")
    _check_cut(folder, classifier, embedder)
    unfit = [name for name in classifier.class_names if not name or {"\n", "\r", "\0"} & set(name)]
    if unfit:
        raise UserError(f"{folder} has a class called {unfit[0]!r}; in an export every name is a line of {LABELS}.")
    resolver = None if super_resolver is None else super_resolver.folded()
    module = _Classifier(classifier, embedder, resolver)
    requests = _requests(face_sizes(embedder.template, embedder.aligned_size))
    computes_in = embedder.record.get("computes_in", "float32")
    facts = {
        "parts": {
            "embedder": embedder.name,
            "super_resolver": None if resolver is None else resolver.name,
            "head": classifier.kind,
            "classes": len(classifier.class_names),
        },
        "cut": _cut(embedder, resolver),
        "closed_set": closed_set,
        "template": embedder.template,
        **({"aligned_size": embedder.aligned_size} if _cut(embedder, resolver) == "aligned" else {}),
        "embedded_part": module.embedded_part,
        "embedder_sha256": embedder.checksum,
        "super_resolver_sha256": None if resolver is None else resolver.checksum,
        "answers": module.answers,
        "parameters": module.parameters,
        "pixel_budget": PIXEL_BUDGET_IN_GRAPH,
        "stored_as": embedder.record.get("stored_as", "float32"),  # the embedder's, which has nearly all weights
        "computes_in": computes_in,
        "source": source_of(folder, content_checksum(file_checksums(folder))),
    }
    answers = [_answer(classifier, embedder, resolver, module.answers, request=request) for request in requests]
    return Servable(KIND, module, _signatures(module), requests, answers, facts, LARGEST_DIFFERENCE[computes_in])


class _Classifier(tf.Module):
    """All parts as TensorFlow operations, and the variables that they need."""

    def __init__(self, classifier: Classifier, embedder: Embedder, resolver: SuperResolutionNetwork | None) -> None:
        super().__init__()
        self.answers = min(MOST_ANSWERS, len(classifier.class_names))
        self._names = self._table_of_names([in_table(name) for name in classifier.class_names])
        self.parameters = 0
        self._scores = self._take(classifier.head.graph_part(), "_head")
        self.input_size = _input_size(embedder) if resolver is None else resolver.low_size
        self.embedded_part = None if resolver is None else _embedded_part(embedder, resolver)
        self._embed = self._take(embedder.graph_part(), "_embedder")
        self._super_resolve = None if resolver is None else self._take(resolver.graph_part(), "_generator")

    def _take(self, part: GraphPart, name: str) -> InGraph:
        """Holds a part's variables as an attribute, so that they are stored, and returns what the part computes."""
        setattr(self, name, part.module)
        self.parameters += part.parameters
        return part.call

    def _table_of_names(self, names: list[str]) -> tf.lookup.StaticHashTable:
        """int64 -> string, out of a file that becomes an asset of the export."""
        text = "".join(f"{name}\n" for name in names).encode()
        # The graph keeps the path as the name of the table. So the file is in TensorFlow's file system in memory, where
        # the same names have the same path on every machine.
        path = f"ram://{hashlib.sha256(text).hexdigest()}/{LABELS}"
        if not tf.io.gfile.exists(path):  # to write a file there once more would lengthen it
            tf.io.gfile.makedirs(path.removesuffix(f"/{LABELS}"))
            with tf.io.gfile.GFile(path, "wb") as file:
                file.write(text)
        lines = (tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE)
        return tf.lookup.StaticHashTable(tf.lookup.TextFileInitializer(path, *lines), default_value="")

    def identify(self, faces: tf.Tensor) -> dict[str, tf.Tensor]:
        """uint8 [N, H, W, 3] -> identity, string [N, k], and score, float32 [N, k]; the best first."""
        # TensorFlow's convolutions for Intel CPUs fail on no images at all: so none becomes one, and is cut off again.
        count = tf.shape(faces)[0]
        faces = tf.pad(faces, [[0, tf.cast(count == 0, tf.int32)], [0, 0], [0, 0], [0, 0]])
        if self._super_resolve is not None:
            faces = self._super_resolve(resize_in_graph(faces, self.input_size, self.input_size))
        if self.embedded_part is not None:
            left, top, right, bottom = self.embedded_part
            faces = faces[:, top:bottom, left:right]
        scores, classes = tf.math.top_k(self._scores(self._embed(faces)), self.answers)
        names = self._names.lookup(tf.cast(classes, tf.int64))
        shape = (None, self.answers)
        return {"identity": tf.ensure_shape(names[:count], shape), "score": tf.ensure_shape(scores[:count], shape)}


def _input_size(embedder: Embedder) -> int:
    if embedder.input_size is None:
        raise UserError(f"The export {embedder.name} does not say its input_size, so no file can be resized.")
    return embedder.input_size


def _cut(embedder: Embedder, resolver: SuperResolutionNetwork | None) -> str:
    """How faces are cut out of photos for it, as `face_crops.CROP_KINDS` calls it."""
    # A super-resolved face is the square in which the trees are framed that such networks learn from.
    return crop_kind_for(embedder) if resolver is None else "square"


def _check_cut(folder: Path, classifier: Classifier, embedder: Embedder) -> None:
    """Refuses a head of embeddings of faces that were cut out otherwise than the export's will be."""
    if classifier.cut is None:
        return
    wanted, template = _cut(embedder, None), embedder.template
    if classifier.cut != wanted:
        raise UserError(
            f"{folder} was fitted on embeddings of faces that were {CROP_DESCRIPTIONS[classifier.cut]}, but "
            f"{embedder.name} takes faces that are {CROP_DESCRIPTIONS[wanted]}; "
            f"extract_embeddings makes such with crop={wanted}."
        )
    if wanted == "aligned" and template in TEMPLATES and classifier.template not in (None, template):
        raise UserError(
            f"{folder} was fitted on faces on the template {classifier.template!r}, but {embedder.name} takes them on "
            f"{template!r}."
        )


def _embedded_part(embedder: Embedder, resolver: SuperResolutionNetwork) -> tuple[int, int, int, int] | None:
    """What of a super-resolved square the embedder is given: the box in which its heads' faces were detected."""
    return box_in_square(resolver.high_size) if _cut(embedder, None) == "box" else None


def _signatures(module: _Classifier) -> dict[str, Any]:
    pixels = tf.TensorSpec((None, None, None, 3), tf.uint8, "faces")
    # Both signatures call this one function, so that the graph is stored once.
    answers = tf.function(module.identify, input_signature=[tf.TensorSpec((None, None, None, 3), tf.uint8)])

    def identify(faces: tf.Tensor) -> dict[str, tf.Tensor]:
        return answers(checked_faces(faces))

    def identify_bytes(image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        return answers(decode_and_resize(image_bytes, module.input_size, module.input_size))

    on_pixels = tf.function(identify, input_signature=[pixels]).get_concrete_function()
    files = tf.TensorSpec((None,), tf.string, "image_bytes")
    on_files = tf.function(identify_bytes, input_signature=[files]).get_concrete_function()
    return {"serving_default": on_pixels, "identify": on_pixels, "identify_bytes": on_files}


def _requests(sizes: tuple[int, ...]) -> list[Request]:
    """Every signature with one face and with some, since the first call of each batch size is slow."""
    requests = []
    for size in sizes:
        faces = synthetic_faces(max(BATCH_SIZES), size)
        for count in BATCH_SIZES:
            requests += [Request(name, {"faces": faces[:count]}) for name in ("serving_default", "identify")]
    files = synthetic_files()
    return [*requests, *(Request("identify_bytes", {"image_bytes": some}) for some in (files[:1], files))]


def _answer(
    classifier: Classifier, embedder: Embedder, resolver: SuperResolutionNetwork | None, count: int, *, request: Request
) -> dict[str, np.ndarray]:
    """What the parts, called one after the other, make of a request."""
    if request.signature == "identify_bytes":
        faces = [decode_image(data, "a warm-up image") for data in request.inputs["image_bytes"]]
    else:
        faces = list(request.inputs["faces"])
    if resolver is not None:
        low = np.stack([resize(face, resolver.low_size, resolver.low_size) for face in faces])
        faces = list(resolver.super_resolve(low))
        part = _embedded_part(embedder, resolver)
        if part is not None:
            faces = [crop(face, part) for face in faces]
    scores = classifier.scores(embedder.embed(faces))
    best = np.argsort(-scores, axis=1, kind="stable")[:, :count]
    return {
        "identity": np.array([in_table(name) for name in classifier.class_names])[best],
        "score": np.take_along_axis(scores, best, axis=1),
    }

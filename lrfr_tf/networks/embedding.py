"""Face crops -> unit-length embeddings, by FaceNet, by an exported embedder or by weights of a training."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lrfr_tf.errors import UserError
from lrfr_tf.faces.align import ALIGNED_SIZE, TEMPLATES
from lrfr_tf.files import sha256
from lrfr_tf.images.by_shape import batches_by_shape
from lrfr_tf.images.resize import resize
from lrfr_tf.models.backbone import BACKBONES, backbone
from lrfr_tf.models.facenet import UnitLength
from lrfr_tf.networks.saved_model import content_checksum, find_version, read_record
from lrfr_tf.weights.backbone import WEIGHTS_SUFFIX, load_weights, template_of_weights
from lrfr_tf.weights.facenet import (
    FACENET_128_SHA256,
    FACENET_512_KEYS,
    facenet_512_sha256,
    fetch_facenet_512,
    load_facenet_128,
    load_facenet_512,
)
from lrfr_tf.weights.mobilefacenet import W600K_SHA256, W600K_TEMPLATE, load_w600k_mbf
from lrfr_tf.weights.sample_package import fetch_facenet_weights

EMBEDDERS = ("facenet-128", *FACENET_512_KEYS)  # those that take the box of a face, not an aligned one
W600K_MBF = "w600k_mbf"
KIND = "embedder"  # in the record of an export
SIGNATURE = "embed"


class Embedder:
    """A network in one compiled call: face crops in, unit-length embeddings out.

    `network` takes float RGB images [N, S, S, 3] in 0..255 and returns unit-length float32 [N, D]. `name` says which
    weights these are; stored embeddings carry it, since embeddings of two networks cannot be compared. `checksum` is
    the SHA-256 of the weights. With `flip`, which may be set at any time, an embedding is the mean of those of the face
    and of its mirror image, made unit length again. `template` is what the faces of its training lay on; None for a
    network that takes faces as a detector cuts them out. `aligned_size` is the side of the square in which an aligned
    face is cut out for it, in pixels: what the network takes, since a resize after the alignment would cost detail; 128
    where nobody noted it.
    """

    def __init__(
        self,
        network: keras.Model,
        name: str,
        batch_size: int = 32,
        flip: bool = False,
        checksum: str = "",
        template: str | None = None,
    ) -> None:
        self.network = network
        self.name = name
        self.template = template
        self.dimensions = int(network.output_shape[-1])
        self.batch_size = batch_size
        self.flip = flip
        self.checksum = checksum
        self._size = int(network.input_shape[1])
        self.aligned_size = ALIGNED_SIZE if template is None else self._size
        signature = [tf.TensorSpec([None, self._size, self._size, 3], tf.uint8)]

        # The free batch dimension is traced once and serves every batch size, so short batches are not padded and a
        # single face costs a single face. XLA (jit_compile) was no faster (801 against 749 ms of CPU time for 32 faces)
        # and compiles for seconds at every new batch size.
        @tf.function(input_signature=signature)
        def embed_batch(faces: tf.Tensor) -> tf.Tensor:
            return network(tf.cast(faces, tf.float32), training=False)

        self._embed_batch = embed_batch

    def embed(self, faces: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
        """Embeds face crops, uint8 RGB [N, H, W, 3] or a list of [H, W, 3] of any sizes, as float32 [N, D].

        Crops of another size than the network's are resized (bicubic, as everywhere). Rows have unit length.

        Raises:
            ValueError: a crop is not uint8 [H, W, 3] or has no pixels.
        """
        for face in faces:
            if not isinstance(face, np.ndarray):
                raise ValueError(f"A face crop must be uint8 [H, W, 3], not {type(face).__name__}.")
            if face.dtype != np.uint8 or face.ndim != 3 or face.shape[2] != 3 or face.size == 0:
                raise ValueError(f"A face crop must be uint8 [H, W, 3], not {face.dtype} {list(face.shape)}.")
        embeddings = self._embed_as_they_are(faces)
        if self.flip:
            embeddings = embeddings + self._embed_as_they_are([face[:, ::-1] for face in faces])
            embeddings /= np.maximum(np.linalg.norm(embeddings, axis=1, keepdims=True), 1e-12)
        return embeddings

    def _embed_as_they_are(self, faces: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
        batches = [faces[start : start + self.batch_size] for start in range(0, len(faces), self.batch_size)]
        embeddings = [self._embed_batch(self._resized(batch)).numpy() for batch in batches]
        return np.concatenate([np.zeros((0, self.dimensions), np.float32), *embeddings])

    def _resized(self, faces: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
        own_size = (self._size, self._size, 3)
        return np.stack([face if face.shape == own_size else resize(face, *own_size[:2]) for face in faces])


class ExportedEmbedder(Embedder):
    """The same from the `embed` signature of an export, which takes crops of any size and resizes in its graph.

    Crops of equal size are computed together.
    """

    def __init__(self, record: dict[str, Any], exported: Any, batch_size: int = 32, flip: bool = False) -> None:
        self.record = record
        self.exported = exported  # its variables live as long as it does
        self._signature = exported.signatures[SIGNATURE]
        self.checksum = content_checksum(record["files"])
        self.name = f"{record['name']}-{record['version']}-{self.checksum[:12]}"
        self.template = record.get("template")
        self.aligned_size = ALIGNED_SIZE if self.template is None else record.get("input_size", ALIGNED_SIZE)
        self.dimensions = int(self._signature.structured_outputs["embedding"].shape[-1])
        self.batch_size = batch_size
        self.flip = flip

    def embed_in_graph(self, faces: tf.Tensor) -> tf.Tensor:
        """uint8 [N, H, W, 3] -> unit-length float32 [N, D], as TensorFlow operations; `flip` is not looked at."""
        return self._signature(faces=faces)["embedding"]

    def _embed_as_they_are(self, faces: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
        embeddings = np.empty((len(faces), self.dimensions), np.float32)
        for batch, crops in batches_by_shape(faces, lambda _: self.batch_size):
            embeddings[batch] = self._signature(faces=tf.constant(crops))["embedding"].numpy()
        return embeddings


def check_embedder(model: str) -> None:
    """Looks whether there is such an embedder, without loading anything; see `load_embedder`.

    Raises:
        UserError: the model is not known or missing.
    """
    if model.endswith(WEIGHTS_SUFFIX) or model in ("facenet", *EMBEDDERS, W600K_MBF):
        return
    if find_version(Path(model)) is None:
        raise UserError(
            f"The embedding model {model!r} is not known; there are {', '.join((*EMBEDDERS, W600K_MBF))}, folders of "
            f"exports (with saved_model.pb) and files of weights (*{WEIGHTS_SUFFIX})."
        )


def load_embedder(model: str, weights: Path | None = None, backbone: str = "spherenet20") -> Embedder:
    """Loads a FaceNet by name, an exported embedder, or weights of a training.

    Args:
        model: "facenet-128" ("facenet" for short), or a 512-D FaceNet, "20180402-114759" or "20180408-102900";
            "w600k_mbf", InsightFace's MobileFaceNet, which wants faces aligned on the template "centred"; the folder of
            an export with an `embed` signature (`saved_models/siamese/1`, or `saved_models/siamese` for its newest
            version); or a file `*.weights.h5` that a training wrote.
        weights: the published file of a named network; without it the file comes from the cache or is fetched into it.
        backbone: the network that a file of weights belongs to, one of `BACKBONES`.

    The name of the embedder is the model's and the first 12 digits of the SHA-256 of its weights.

    Raises:
        UserError: the model is not known or missing, a file is another one or was changed, or it cannot be fetched.
    """
    check_embedder(model)
    if model.endswith(WEIGHTS_SUFFIX):
        return _load_weights(Path(model), backbone)
    version = find_version(Path(model))
    if version is not None:
        return _load_export(version)
    model = "facenet-128" if model == "facenet" else model
    if model == W600K_MBF:
        network = load_w600k_mbf(None if weights is None else Path(weights))
        return _with_unit_length(network, model, W600K_SHA256, W600K_TEMPLATE)
    if model == "facenet-128":
        network = load_facenet_128(fetch_facenet_weights() if weights is None else Path(weights))
        digest = FACENET_128_SHA256
    else:
        network = load_facenet_512(model, fetch_facenet_512(model) if weights is None else Path(weights))
        digest = facenet_512_sha256(model)
    return Embedder(network, f"{model}-{digest[:12]}", checksum=digest)


def _load_export(version: Path) -> ExportedEmbedder:
    record = read_record(version)
    if SIGNATURE not in record["signatures"]:
        raise UserError(f"{version} holds a model of the kind {record['kind']}, which cannot {SIGNATURE}.")
    return ExportedEmbedder(record, tf.saved_model.load(str(version)))


def _load_weights(path: Path, name: str) -> Embedder:
    if name not in BACKBONES:
        raise UserError(f"The backbone {name!r} is not known; there are {', '.join(BACKBONES)}.")
    if not path.is_file():
        raise UserError(f"The weight file {path} is missing.")
    network = backbone(name)
    try:
        load_weights(network, path)
    except UserError:
        raise UserError(f"{path} does not hold the weights of a {name} (see --backbone).") from None
    return _with_unit_length(network, name, sha256(path), template_of_weights(path))


def _with_unit_length(network: keras.Model, name: str, digest: str, template: str) -> Embedder:
    unit_length = keras.Model(network.inputs[0], UnitLength(dtype="float32")(network.outputs[0]))
    return Embedder(unit_length, f"{name}-{digest[:12]}", checksum=digest, template=template)


def template_for(embedder: Embedder, asked: str | None = None) -> str:
    """The template of `lrfr_tf.faces.align` on which faces are aligned for an embedder: the one it was trained on.

    Args:
        asked: the one that the user asks for; None for the embedder's own, or "lai" where it has none (FaceNet).

    Raises:
        UserError: the embedder was trained on another one, or nobody noted on which, and none is asked for.
    """
    own = embedder.template
    if own in TEMPLATES and asked not in (None, own):
        raise UserError(f"{embedder.name} takes faces on the template {own!r}, not on {asked!r}.")
    if own is not None and own not in TEMPLATES and asked is None:
        raise UserError(
            f"{embedder.name} was trained on faces that were aligned elsewhere (template {own!r}), so --template must "
            f"say how they lie: {' or '.join(TEMPLATES)}."
        )
    return asked or own or TEMPLATES[0]

"""Face crops -> unit-length embeddings, by FaceNet, by an exported embedder or by weights of a training."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from lrfr_tf.errors import UserError
from lrfr_tf.faces.align import TEMPLATES
from lrfr_tf.files import sha256
from lrfr_tf.models.backbone import BACKBONES, backbone
from lrfr_tf.models.facenet import UnitLength
from lrfr_tf.networks.embedders import SIGNATURE, ExportedEmbedder, KerasEmbedder
from lrfr_tf.networks.graph_part import GraphPart
from lrfr_tf.networks.saved_model import find_version, read_record
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


class Embedder(Protocol):
    """A network that embeds face crops; `embedders` has the implementations.

    Attributes:
        name: which weights these are; stored embeddings carry it, since embeddings of two networks cannot be compared.
        checksum: the SHA-256 of the weights.
        template: what the faces of its training lay on; None for a network that takes faces as a detector cuts them
            out.
        dimensions: D, numbers of an embedding.
        batch_size: faces computed at a time.
        flip: an embedding is the mean of those of the face and of its mirror image, made unit length again; may be set
            at any time.
        input_size: the side to which faces are resized for the network, in pixels; None for an export that does not
            tell.
        aligned_size: the side of the square in which an aligned face is cut out for it, in pixels: what the network
            takes, since a resize after the alignment would cost detail; 128 where nobody noted it.
        record: that of the export; empty if it comes from elsewhere.
    """

    name: str
    checksum: str
    template: str | None
    dimensions: int
    batch_size: int
    flip: bool
    aligned_size: int
    record: dict[str, Any]

    @property
    def input_size(self) -> int | None: ...

    def embed(self, faces: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
        """Embeds face crops, uint8 RGB [N, H, W, 3] or a list of [H, W, 3] of any sizes, as float32 [N, D].

        Crops of another size than the network's are resized (bicubic, as everywhere). Rows have unit length.

        Raises:
            ValueError: a crop is not uint8 [H, W, 3] or has no pixels.
        """

    def graph_part(self) -> GraphPart:
        """uint8 [N, H, W, 3] -> unit-length float32 [N, D] as TensorFlow operations; `flip` is not looked at."""


def check_embedder(model: str) -> None:
    """Looks whether there is such an embedder, without loading anything; see `load_embedder`.

    Raises:
        UserError: the model is not known or missing.
    """
    if model.endswith(WEIGHTS_SUFFIX) or model in ("facenet", *EMBEDDERS, W600K_MBF):
        return
    if find_version(Path(model)) is None:
        raise UserError(
            f"The embedding model {model!r} is not known; there are {', '.join((*EMBEDDERS, W600K_MBF))}, what "
            f"lrfr models lists, folders of exports (with saved_model.pb) and files of weights (*{WEIGHTS_SUFFIX})."
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
    return load_published_embedder(model, weights)


def load_published_embedder(model: str, weights: Path | None = None) -> KerasEmbedder:
    """Loads a FaceNet or InsightFace's MobileFaceNet by name; see `load_embedder`.

    Raises:
        UserError: the model is not known, its file is missing or another one, or it cannot be fetched.
    """
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
    return KerasEmbedder(network, f"{model}-{digest[:12]}", checksum=digest)


def _load_export(version: Path) -> ExportedEmbedder:
    record = read_record(version)
    if SIGNATURE not in record["signatures"]:
        raise UserError(f"{version} holds a model of the kind {record['kind']}, which cannot {SIGNATURE}.")
    return ExportedEmbedder(record, tf.saved_model.load(str(version)))


def _load_weights(path: Path, name: str) -> KerasEmbedder:
    if name not in BACKBONES:
        raise UserError(f"The backbone {name!r} is not known; there are {', '.join(BACKBONES)}.")
    if not path.is_file():
        raise UserError(f"The weight file {path} is missing.")
    network = backbone(name)
    try:
        load_weights(network, path)
    except UserError:
        raise UserError(f"{path} does not hold the weights of a {name} (see `backbone`).") from None
    return _with_unit_length(network, name, sha256(path), template_of_weights(path))


def _with_unit_length(network: keras.Model, name: str, digest: str, template: str) -> KerasEmbedder:
    unit_length = keras.Model(network.inputs[0], UnitLength(dtype="float32")(network.outputs[0]))
    return KerasEmbedder(unit_length, f"{name}-{digest[:12]}", checksum=digest, template=template)


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
            f"{embedder.name} was trained on faces that were aligned elsewhere (template {own!r}), so `template` must "
            f"say how they lie: {' or '.join(TEMPLATES)}."
        )
    return asked or own or TEMPLATES[0]


def crop_kind_for(embedder: Embedder) -> str:
    """How faces are cut out for an embedder: "aligned", or "box" for one that takes them as a detector finds them."""
    return "box" if embedder.template is None else "aligned"

"""The two kinds of embedders: a Keras network, and the `embed` signature of an export. See `embedding.Embedder`."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lrfr_tf.faces.align import ALIGNED_SIZE
from lrfr_tf.images.by_shape import batches_by_shape
from lrfr_tf.images.resize import resize
from lrfr_tf.models.backbone import fold_facenet
from lrfr_tf.networks.graph_part import Faces, GraphPart, check_faces, embeddings_in_graph
from lrfr_tf.networks.saved_model import content_checksum
from lrfr_tf.networks.stored_network import StoredNetwork

SIGNATURE = "embed"


class KerasEmbedder:
    """A Keras network in one compiled call.

    Args:
        network: float RGB images [N, S, S, 3] in 0..255 -> unit-length float32 [N, D].
        name, batch_size, flip, checksum, template: as `embedding.Embedder` has them.
    """

    def __init__(
        self,
        network: keras.Model,
        name: str,
        *,
        batch_size: int = 32,
        flip: bool = False,
        checksum: str = "",
        template: str | None = None,
    ) -> None:
        self.network = network
        self.name = name
        self.checksum = checksum
        self.record: dict[str, Any] = {}  # it is not of an export
        self.template = template
        self.dimensions = int(network.output_shape[-1])
        self.batch_size = batch_size
        self.flip = flip
        self.input_size = size = int(network.input_shape[1])
        self.aligned_size = ALIGNED_SIZE if template is None else size

        # The free batch dimension is traced once and serves every batch size, so short batches are not padded and a
        # single face costs a single face. XLA (jit_compile) was no faster (801 against 749 ms of CPU time for 32 faces)
        # and compiles for seconds at every new batch size.
        @tf.function(input_signature=[tf.TensorSpec([None, size, size, 3], tf.uint8)])
        def embed_batch(faces: tf.Tensor) -> tf.Tensor:
            return network(tf.cast(faces, tf.float32), training=False)

        self._embed_batch = embed_batch

    def embed(self, faces: Faces) -> np.ndarray:
        """See `embedding.Embedder.embed`; crops of another size than the network's are resized one by one."""
        return embed_or_flip(self._embed_in_batches, faces, self.flip)

    def graph_part(self) -> GraphPart:
        """See `embedding.Embedder.graph_part`; batch norm is folded."""
        folded = fold_facenet(self.network)
        module = StoredNetwork(folded, "float32")
        return GraphPart(embeddings_in_graph(module, self.input_size), module, folded.count_params())

    def _embed_in_batches(self, faces: Faces) -> np.ndarray:
        batches = [faces[start : start + self.batch_size] for start in range(0, len(faces), self.batch_size)]
        embeddings = [self._embed_batch(self._resized(batch)).numpy() for batch in batches]
        return np.concatenate([np.zeros((0, self.dimensions), np.float32), *embeddings])

    def _resized(self, faces: Faces) -> np.ndarray:
        side = self.input_size
        return np.stack([face if face.shape == (side, side, 3) else resize(face, side, side) for face in faces])


class ExportedEmbedder:
    """The `embed` signature of an export, which takes crops of any size and resizes in its graph.

    Args:
        record: that of the export (`read_record`).
        exported: the loaded SavedModel.
        batch_size, flip: as `embedding.Embedder` has them.
    """

    def __init__(self, record: dict[str, Any], exported: Any, batch_size: int = 32, flip: bool = False) -> None:
        self.record = record
        self._exported = exported  # its variables live as long as it does
        self._signature = exported.signatures[SIGNATURE]
        self.checksum = content_checksum(record["files"])
        self.name = f"{record['name']}-{record['version']}-{self.checksum[:12]}"
        self.template: str | None = record.get("template")
        self.input_size: int | None = record.get("input_size")
        self.aligned_size: int = ALIGNED_SIZE if self.template is None else self.input_size or ALIGNED_SIZE
        self.dimensions = int(self._signature.structured_outputs["embedding"].shape[-1])
        self.batch_size = batch_size
        self.flip = flip

    def embed(self, faces: Faces) -> np.ndarray:
        """See `embedding.Embedder.embed`; crops of equal size are computed together."""
        return embed_or_flip(self._embed_in_batches, faces, self.flip)

    def graph_part(self) -> GraphPart:
        """See `embedding.Embedder.graph_part`."""
        return GraphPart(self._embed_in_graph, self._exported, self.record.get("parameters", 0))

    def _embed_in_graph(self, faces: tf.Tensor) -> tf.Tensor:
        return self._signature(faces=faces)["embedding"]

    def _embed_in_batches(self, faces: Faces) -> np.ndarray:
        embeddings = np.empty((len(faces), self.dimensions), np.float32)
        for places, batch in batches_by_shape(faces, lambda _: self.batch_size):
            embeddings[places] = self._embed_in_graph(tf.constant(batch)).numpy()
        return embeddings


def embed_or_flip(embed_in_batches: Callable[[Faces], np.ndarray], faces: Faces, flip: bool) -> np.ndarray:
    """The embeddings of faces; with `flip` the mean with those of their mirror images, of unit length.

    Raises:
        ValueError: a crop is not uint8 [H, W, 3] or has no pixels.
    """
    check_faces(faces)
    embeddings = embed_in_batches(faces)
    if flip:
        embeddings = embeddings + embed_in_batches([face[:, ::-1] for face in faces])
        embeddings /= np.maximum(np.linalg.norm(embeddings, axis=1, keepdims=True), 1e-12)
    return embeddings

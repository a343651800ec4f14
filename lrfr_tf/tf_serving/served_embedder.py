"""An embedder whose network is on a TF-Serving server: faces go there, embeddings come back, nothing is loaded here.

Importing this imports TensorFlow, which the detector needs anyway.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from lrfr_tf.errors import UserError
from lrfr_tf.images.resize import resize
from lrfr_tf.networks.away import FAILED, OTHER_NETWORK, SLOW, UNREACHABLE, NetworkAwayError
from lrfr_tf.networks.embedders import SIGNATURE, embed_or_flip
from lrfr_tf.networks.graph_part import Faces, GraphPart
from lrfr_tf.networks.saved_model import content_checksum, find_version, read_record
from lrfr_tf.recognition.recognizer import Recognizer, calibration_of
from lrfr_tf.tf_serving.client import (
    NotServedError,
    ServedModel,
    ServingError,
    SlowError,
    TensorForm,
    UnavailableError,
    find_signature,
)
from lrfr_tf.tf_serving.grpc_client import GrpcConnection
from lrfr_tf.tf_serving.probe import embedding_of_probe, probe_face

MOST_FACES = 16  # in a request, without the probe; TF-Serving refuses more than its max_batch_size
PAUSE = 1.0  # seconds for which a server that failed is left alone, and a good answer is believed
LEAST_COSINE = 0.9999  # with the embedding of the same face by the same network
LEAST_COSINE_BFLOAT16 = 0.99  # its sums differ from processor to processor
REASONS = {UnavailableError: UNREACHABLE, SlowError: SLOW, NotServedError: OTHER_NETWORK}


class ServedEmbedder:
    """The `embed` signature of an export that a server has loaded; see `lrfr_tf.networks.embedding.Embedder`.

    Each request names the version, and holds a face whose embedding is known; an answer that has another one for it
    comes from another network, and is not taken. After a failure the server is left alone for a moment, so that
    requests are refused at once in place of waiting one behind the other; then it is asked over a new connection.

    Args:
        record: that of the export on this machine (`read_record`).
        expected: the embedding of the probe by that export, float32 [D] (`embedding_of_probe`).
        connect: opens a connection to the server.
        model: what the server calls it.
        note: told in one sentence when the server can no longer be used, and when it is back.

    Raises:
        UserError: nobody can tell what the network takes.

    Threads may share it. A forked child hangs with it: make it after the fork.
    """

    def __init__(
        self,
        record: dict[str, Any],
        expected: np.ndarray,
        connect: Callable[[], GrpcConnection],
        *,
        model: str,
        note: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        if record.get("input_size") is None:
            raise UserError(f"The record of {record['name']} has no input_size, so faces cannot be sent to a server.")
        self.record = record
        self.checksum = content_checksum(record["files"])
        self.name = f"{record['name']}-{record['version']}-{self.checksum[:12]}"
        self.template: str | None = record.get("template")
        self.input_size: int = record["input_size"]
        self.aligned_size = self.input_size
        self.dimensions = len(expected)
        self.batch_size = MOST_FACES
        self.flip = False
        self._expected = expected
        self._least = LEAST_COSINE_BFLOAT16 if record.get("computes_in") == "bfloat16" else LEAST_COSINE
        self._probe = probe_face(self.input_size)
        self._connect, self._model, self._note = connect, model, note
        self._lock = threading.Lock()  # one request at a time
        self._connection: GrpcConnection | None = None
        self._served: ServedModel | None = None
        self._away: NetworkAwayError | None = None
        self._asked = -PAUSE  # when the server last answered or failed, by time.monotonic()

    def embed(self, faces: Faces) -> np.ndarray:
        """See `Embedder.embed`.

        Raises:
            ValueError: a crop is not uint8 [H, W, 3] or has no pixels.
            NetworkAwayError: the server cannot be asked, or computes with another network.
        """
        return embed_or_flip(self._embed_in_batches, faces, self.flip)

    def graph_part(self) -> GraphPart:
        """The network is not here.

        Raises:
            UserError: always.
        """
        raise UserError(f"The network of {self.name} is on a server, so nothing can be made of it here.")

    def check(self) -> None:
        """Asks the server for the embedding that is known, unless it answered a moment ago.

        Raises:
            NetworkAwayError: it cannot be asked, or computes with another network.
        """
        if not self._lock.acquire(blocking=False):  # it is being asked, and may be slow
            if self._away is not None:
                raise self._away
            return
        try:
            if self._away is not None or time.monotonic() - self._asked >= PAUSE:
                self._ask(np.zeros((0, self.input_size, self.input_size, 3), np.uint8))
        finally:
            self._lock.release()

    def _embed_in_batches(self, faces: Faces) -> np.ndarray:
        side = self.input_size
        faces = [face if face.shape == (side, side, 3) else resize(face, side, side) for face in faces]
        rows = [np.zeros((0, self.dimensions), np.float32)]
        with self._lock:
            for start in range(0, len(faces), MOST_FACES):
                rows.append(self._ask(np.stack(faces[start : start + MOST_FACES])))
        return np.concatenate(rows)

    def _ask(self, faces: np.ndarray) -> np.ndarray:
        """What the server answers for some faces, which the lock is held for."""
        if self._away is not None and time.monotonic() - self._asked < PAUSE:
            raise self._away
        try:
            rows = self._answer(np.concatenate([faces, self._probe[None]]))
        except ServingError as error:
            reason = next((name for kind, name in REASONS.items() if isinstance(error, kind)), FAILED)
            self._fail(str(error), reason)
        self._asked = time.monotonic()
        if self._away is not None:
            self._away = None
            self._note(f"The server answers with {self.name} again.")
        return rows[:-1]

    def _answer(self, faces: np.ndarray) -> np.ndarray:
        if self._connection is None:
            self._connection = self._connect()
        if self._served is None:
            self._served = self._described(self._connection)
        signature = find_signature(self._served, SIGNATURE)
        rows = self._connection.predict(self._served, signature, {"faces": faces})["embedding"]
        cosine = float(rows[-1] @ self._expected)
        if not self._least <= cosine <= 2 - self._least:
            self._fail(
                f"{self._connection.address} serves another network as {self._model}, version "
                f"{self._served.version}: of a known face its embedding has the cosine {cosine:.4f} with that of "
                f"{self.name}.",
                OTHER_NETWORK,
            )
        return rows

    def _described(self, connection: GrpcConnection) -> ServedModel:
        """The model of the server, which has the same version and takes and gives the same as the export here."""
        served = connection.describe(self._model, self.record["version"])
        signature = find_signature(served, SIGNATURE)
        told = self.record["signatures"][SIGNATURE]
        wanted = {
            side: {name: TensorForm(dtype, tuple(shape)) for name, (dtype, shape) in told[side].items()}
            for side in ("inputs", "outputs")
        }
        if served.version != self.record["version"] or wanted != {
            "inputs": signature.inputs,
            "outputs": signature.outputs,
        }:
            self._fail(
                f"{connection.address} serves another network as {self._model}: its version is {served.version}, and "
                f"it takes and gives other arrays than {self.name}.",
                OTHER_NETWORK,
            )
        return served

    def _fail(self, sentence: str, reason: str) -> NoReturn:
        error = NetworkAwayError(sentence, reason, PAUSE)
        if self._away is None or self._away.reason != reason:
            self._note(sentence)
        self._away, self._asked = error, time.monotonic()
        if self._connection is not None:
            self._connection.close()
        self._connection = self._served = None
        raise error


def recognizer_of_server(
    model: str, connect: Callable[[], GrpcConnection], *, name: str = "", note: Callable[[str], None]
) -> Recognizer:
    """A recognizer that finds faces here, and has them embedded by a server.

    Args:
        model: the export on this machine that the server has loaded: it tells how faces are cut out, and which
            embeddings are right.
        connect: opens a connection to the server; it need not be there yet.
        name: what the server calls it; empty: as the export is called.
        note: told when the server can no longer be used, and when it is back.

    Raises:
        UserError: there is no such export, it is damaged, or no embedder.
    """
    version = find_version(Path(model))
    if version is None:
        raise UserError(f"A server embeds with exports, and {model} is none; it can be used with the local backend.")
    record = read_record(version)
    if SIGNATURE not in record["signatures"]:
        raise UserError(f"{version} holds a model of the kind {record['kind']}, which cannot {SIGNATURE}.")
    expected = embedding_of_probe(version)
    embedder = ServedEmbedder(record, expected, connect, model=name or record["name"], note=note)
    return Recognizer(embedder, strangers=calibration_of(str(version), embedder))

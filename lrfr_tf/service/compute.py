"""A batch of images -> what is wanted of each: faces, faces with embeddings, or the image super-resolved."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np

from lrfr_tf.images.decode import ImageError, decode_image
from lrfr_tf.images.resize import resize
from lrfr_tf.networks.away import NetworkAwayError
from lrfr_tf.networks.super_resolver import SuperResolver
from lrfr_tf.recognition.face_crops import FoundFace, in_buckets
from lrfr_tf.recognition.recognizer import Face, Recognizer
from lrfr_tf.service.batcher import Job
from lrfr_tf.service.metrics import Metrics
from lrfr_tf.service.request_error import RequestError

# What may be wanted: the faces of a photo; with their embeddings; the same of a photo that shows one person, where a
# face may be less certain; faces with embeddings and their own pixels; the image enlarged by super-resolution.
DETECT, EMBED, EMBED_PERSON, EMBED_SHOWN, SUPER_RESOLVE = (
    "detect",
    "embed",
    "embed_person",
    "embed_shown",
    "super_resolve",
)
IMAGE = "The image"


@dataclass(frozen=True, eq=False)
class Computed:
    """What an image gave, without the image: those of one request may have gigabytes once they are decoded.

    Attributes:
        size: width and height in pixels.
        faces: found in it, most confident first.
        natives: for EMBED_SHOWN what the network saw of each, before it was enlarged, uint8 [h, w, 3].
    """

    size: tuple[int, int]
    faces: Sequence[FoundFace]
    natives: Sequence[np.ndarray] = ()


class Networks:
    """The networks of a service, which threads share.

    Args:
        recognizer: finds faces and embeds them.
        super_resolver: a shipped network's name or a path; loaded when it is first asked for.
        pixel_budget: most pixels of an image.

    Attributes:
        lock: held while a photo is judged and enrolled, so that none is judged without regard to another.
    """

    def __init__(
        self, recognizer: Recognizer, metrics: Metrics, super_resolver: str = "srgan_camera", pixel_budget: int = 0
    ) -> None:
        self.recognizer = recognizer
        self.lock = Lock()
        self._metrics = metrics
        self._pixel_budget = pixel_budget
        self._name = super_resolver
        self._loading = Lock()
        self._super_resolver: SuperResolver | None = None

    def warm_up(self) -> None:
        """Computes once whatever is compiled at its first call."""
        face = np.random.default_rng(0).integers(0, 256, (160, 160, 3), np.uint8)
        self.recognizer.find([face])
        self.recognizer.enroller.find([face])
        with suppress(NetworkAwayError):  # it may come later
            self.recognizer.take([face])

    def compute(self, kind: str, jobs: Sequence[Job]) -> list[Any]:
        """A `Computed` for each job, or for SUPER_RESOLVE uint8 [H, W, 3]; an exception for one that fails."""
        for job in jobs:
            self._metrics.stage_seconds.labels("wait").observe(time.monotonic() - job.since)
        with self._stage("decode"):
            decoded = [self._decoded(job.data) for job in jobs]
        images = [one for one in decoded if isinstance(one, np.ndarray)]
        answers: Iterator[Any] = iter(self._of_images(kind, images) if images else [])
        return [next(answers) if isinstance(one, np.ndarray) else one for one in decoded]

    def _of_images(self, kind: str, images: Sequence[np.ndarray]) -> list[Any]:
        if kind == SUPER_RESOLVE:
            with self._stage("super_resolve"):
                return self._enlarged(images)
        cutter = self.recognizer.enroller if kind == EMBED_PERSON else self.recognizer.cutter
        with self._stage("detect"):
            found = cutter.find(images)
        self._metrics.note_faces(face.height for faces in found for face in faces)
        if kind == DETECT:
            return [Computed(_size_of(pixels), faces) for pixels, faces in zip(images, found, strict=True)]
        with self._stage("embed"):
            rows = iter(self.recognizer.embed([face for faces in found for face in faces]))
        name = self.recognizer.embedder.name
        return [
            Computed(
                _size_of(pixels),
                [Face(face.box, face.landmarks, face.detection_score, face.pixels, next(rows), name) for face in faces],
                [cutter.native(pixels, face) for face in faces] if kind == EMBED_SHOWN else (),
            )
            for pixels, faces in zip(images, found, strict=True)
        ]

    def load_super_resolver(self) -> SuperResolver:
        """The super-resolution network, which is loaded when it is first asked for.

        Raises:
            UserError: it is not known, or damaged.
        """
        with self._loading:
            if self._super_resolver is None:
                self._super_resolver = SuperResolver(self._name)
            return self._super_resolver

    def _enlarged(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        resolver = self.load_super_resolver()
        side = resolver.low_size
        return in_buckets(resolver.network.super_resolve, [resize(one, side, side) for one in images])

    def _decoded(self, data: bytes) -> np.ndarray | Exception:
        try:
            return decode_image(data, IMAGE, self._pixel_budget)
        except ImageError as error:
            return RequestError(400, "unreadable", str(error))

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self._metrics.stage_seconds.labels(name).observe(time.monotonic() - began)


def _size_of(pixels: np.ndarray) -> tuple[int, int]:
    return pixels.shape[1], pixels.shape[0]

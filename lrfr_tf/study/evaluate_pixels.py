"""Accuracy against pixels: who is recognized from how few, when every method is told where the face is."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from tqdm import tqdm

from lrfr_tf.data.embeddings import EmbeddingSet, load_embeddings
from lrfr_tf.errors import UserError
from lrfr_tf.evaluation.identification import ranks
from lrfr_tf.evaluation.significance import mean_with_interval
from lrfr_tf.faces.frame import cut_face
from lrfr_tf.images.camera import CLEAN_LEVEL
from lrfr_tf.images.probes import shrink_to_probe
from lrfr_tf.images.resize import resize
from lrfr_tf.networks.embedding import Embedder
from lrfr_tf.networks.named_models import BASELINE
from lrfr_tf.networks.super_resolution import SuperResolutionNetwork
from lrfr_tf.study.stored_embeddings import StoredEmbeddings

SIAMESE = "siamese"
SIZES = (8, 12, 16, 20, 24, 32, 48, 64)
EMBED_AT_ONCE = 128


def protocol(low_size: int, high_size: int, cameras: Sequence[str] = (CLEAN_LEVEL,)) -> str:
    """What the figures are, in words; the sides are those of the tree's LR and HR faces."""
    shrunk = "Pillow's bicubic, antialiased"
    if set(cameras) != {CLEAN_LEVEL}:
        shrunk += "; or the camera model of docs/camera.md, the seed of a photo being its place among the probes"
    return (
        f"Gallery: HR faces of the train split. Probes: faces of the test split, shrunk from {high_size} to S pixels "
        f"({shrunk}). Bicubic enlarges them to {high_size} pixels. A super-resolution network "
        f"takes {low_size} x {low_size} pixels only: a probe of another size is first resized to that, as the served "
        f"super_resolve_bytes does, so above {low_size} pixels it loses detail before the network sees it. The Siamese "
        "network gets the face enlarged by bicubic and aligned. No method looks for the face: each is told where the "
        "detector found it in HR (FaceNet the box, the Siamese network the landmarks), so the figures are of "
        "recognition alone; images in which nothing was found in HR are left out and counted. Top-1 by the gallery "
        "face of the highest cosine, 95 % bootstrap intervals over images."
    )


def resize_probes(small: np.ndarray, side: int, resolver: SuperResolutionNetwork | None) -> np.ndarray:
    """Probes as an embedder's crop is cut from them: uint8 [N, S, S, 3] -> uint8 [N, side, side, 3].

    Args:
        side: of HR, at least S; at S = side bicubic leaves a face as it is.
        resolver: enlarges them, after a resize to what it takes; None enlarges by bicubic.
    """
    if resolver is None:
        return resize(small, side, side)
    return resolver.super_resolve(resize(small, resolver.low_size, resolver.low_size))


class PixelCurve:
    """The gallery and the probes of one tree, located once in HR.

    Args:
        facenet: embeddings of HR; also those of the Siamese network, or None, made with the same detector.
        high: the HR faces of the test split, uint8 [N, H, H, 3].

    Attributes:
        chosen: bool [N], the test images that are probes.
        counts: how many images were left out, and why.

    Raises:
        UserError: a split is missing, or nothing is left to compare.
    """

    def __init__(self, facenet: StoredEmbeddings, siamese: StoredEmbeddings | None, high: np.ndarray) -> None:
        self._stored = {BASELINE: facenet} if siamese is None else {BASELINE: facenet, SIAMESE: siamese}
        trains = {name: load_embeddings(stored.folder / "hr", "train") for name, stored in self._stored.items()}
        # The same detector saw the same images, so both find the same; should they not, both must have found a face.
        located = np.logical_and.reduce([train.detected for train in trains.values()])
        self._galleries = {name: train.rows(located) for name, train in trains.items()}
        gallery = self._galleries[BASELINE]
        tests = {name: stored.tests["hr"] for name, stored in self._stored.items()}
        found = np.logical_and.reduce([test.detected for test in tests.values()])
        mated = np.isin(tests[BASELINE].labels, gallery.labels)
        self.chosen = found & mated
        self.counts = {
            "test_images": len(found),
            "gallery_images": int(located.sum()),
            "gallery_identities": len(np.unique(gallery.labels)),
            "gallery_images_without_face_in_hr": int((~located).sum()),
            "probes": int(self.chosen.sum()),
            "probes_without_face_in_hr": int((~found).sum()),
            "probes_without_gallery_face": int((found & ~mated).sum()),
        }
        if not self.chosen.any():
            raise UserError("No test image is left: in none of them, or in no gallery image, was a face found in HR.")
        self._probes = {name: test.rows(self.chosen) for name, test in tests.items()}
        self._high = high[self.chosen]

    def correct_answers(
        self,
        sizes: Sequence[int],
        resolvers: Mapping[str, SuperResolutionNetwork],
        facenet: Embedder,
        siamese: Embedder | None,
        *,
        camera: str = CLEAN_LEVEL,
    ) -> dict[str, dict[int, np.ndarray]]:
        """Whether each probe is recognized: method -> size -> bool [number of probes].

        Args:
            resolvers: networks by name; bicubic is always compared.
            facenet, siamese: the embedders that the stored embeddings were made with.
            camera: how probes are shrunk, one of `images.camera.LEVELS`; the seed of a probe is its place.
        """
        networks = {name: resolver for name, resolver in resolvers.items() if name != BASELINE}
        methods = (BASELINE, *networks, *((SIAMESE,) if siamese is not None else ()))
        right: dict[str, dict[int, np.ndarray]] = {method: {} for method in methods}
        text = "embed probes" if camera == CLEAN_LEVEL else f"embed probes, {camera}"
        side = self._high.shape[1]
        with tqdm(total=len(methods) * len(sizes) * len(self._high), desc=text, unit="face") as progress:
            for size in sizes:
                small = shrink_to_probe(self._high, size, form="small", camera=camera)
                for method in methods:
                    faces = resize_probes(small, side, networks.get(method))
                    embedder = siamese if method == SIAMESE and siamese is not None else facenet
                    name = SIAMESE if method == SIAMESE else BASELINE
                    right[method][size] = self._recognized(name, embedder, faces, progress)
        return right

    def _recognized(self, name: str, embedder: Embedder, faces: np.ndarray, progress: tqdm) -> np.ndarray:
        stored, probes = self._stored[name], self._probes[name]
        aligned = stored.settings.get("aligned", {"template": None})
        places = probes.boxes if aligned["template"] is None else probes.landmarks
        embeddings = np.empty((len(faces), embedder.dimensions), np.float32)
        for start in range(0, len(faces), EMBED_AT_ONCE):
            rows = range(start, min(start + EMBED_AT_ONCE, len(faces)))
            embeddings[rows] = embedder.embed([cut_face(faces[row], places[row], **aligned) for row in rows])
            progress.update(len(rows))
        return nearest_is_correct(self._galleries[name], embeddings, probes.labels, stored.classes)


def nearest_is_correct(
    gallery: EmbeddingSet, embeddings: np.ndarray, labels: np.ndarray, classes: Sequence[str]
) -> np.ndarray:
    """Whether the nearest gallery face (cosine) is of the right identity: bool [N]; a tie counts against us.

    Args:
        gallery: every row usable.
        embeddings: float32 [N, D], unit length.
        labels: int64 [N].
    """
    order = np.argsort(gallery.labels, kind="stable")  # so that the faces of one class are neighbors
    present, first_rows = np.unique(gallery.labels[order], return_index=True)
    right = np.empty(len(labels), bool)
    for start in range(0, len(labels), EMBED_AT_ONCE):
        rows = slice(start, start + EMBED_AT_ONCE)
        cosines = embeddings[rows] @ gallery.embeddings[order].T
        scores = np.full((len(cosines), len(classes)), -1.0, np.float32)
        scores[:, present] = np.maximum.reduceat(cosines, first_rows, axis=1)
        right[rows] = ranks(scores, labels[rows]) == 1
    return right


def check_embedder(embedder: Embedder, stored: StoredEmbeddings) -> None:
    """Refuses to compare probes with a gallery that another network embedded.

    Raises:
        UserError: the stored embeddings are another embedder's.
    """
    if embedder.name != stored.settings["embedder"]:
        raise UserError(f"The embeddings in {stored.folder} are by {stored.settings['embedder']}, not {embedder.name}.")


def pixel_blocks(
    right: Mapping[str, Mapping[str, Mapping[int, np.ndarray]]],
    identities: Sequence[str],
    blocks: Mapping[str, np.ndarray],
) -> dict[str, dict[str, Any]]:
    """The figures of each block, as `result.json` holds them; points of a camera other than "clean" name it.

    Args:
        right: camera -> what `PixelCurve.correct_answers` returns for it, the same methods each time.
        identities: who each probe shows.
        blocks: bool [number of probes] for each block.
    """
    return {
        name: {
            "images": int(chosen.sum()),
            "identities": len(np.unique(np.array(identities)[chosen])),
            "curves": {
                method: [
                    {
                        **({} if camera == CLEAN_LEVEL else {"camera": camera}),
                        "pixels": size,
                        "top_1": mean_with_interval(answers[chosen]),
                    }
                    for camera, methods in right.items()
                    for size, answers in methods[method].items()
                ]
                for method in next(iter(right.values()))
            },
        }
        for name, chosen in blocks.items()
    }

"""Faces -> embeddings, chunk by chunk; of very many small image files never more than two chunks are in memory."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
from tqdm import tqdm

from lrfr_tf.data.pairs import image_key
from lrfr_tf.errors import UserError
from lrfr_tf.faces.align import ALIGNED_SIZE, align_face
from lrfr_tf.images.camera import CLEAN_LEVEL
from lrfr_tf.images.decode import read_image
from lrfr_tf.images.probes import shrink_to_probe
from lrfr_tf.images.resize import resize
from lrfr_tf.networks.embedding import Embedder, template_for

EMBED_AT_ONCE = 256
PROBES_AT_ONCE = 128

Crop = Callable[[np.ndarray, int], np.ndarray]  # an image of any size, and a side -> a square of that side


def stretch_to_square(image: np.ndarray, size: int = ALIGNED_SIZE) -> np.ndarray:
    """An image of any size resized to a square without regard to its aspect (bicubic): uint8 [size, size, 3]."""
    return resize(image, size, size)


def pad_to_square(image: np.ndarray, size: int = ALIGNED_SIZE) -> np.ndarray:
    """An image of any size set in the middle of a black square of its longer side, then resized: uint8 [size, size, 3].

    Where the margin cannot be halved, the odd row or column is added below or to the right.
    """
    height, width = image.shape[:2]
    side = max(height, width)
    square = np.zeros((side, side, 3), np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = image
    return resize(square, size, size)


def embed_files(
    embedder: Embedder,
    paths: Sequence[Path],
    crop: Crop,
    progress: str,
    *,
    landmarks: Mapping[tuple[str, str], np.ndarray] | None = None,
) -> Iterator[np.ndarray]:
    """Embeds image files in their order: float32 [k, D] chunks of unit length.

    While a chunk is embedded, a few threads read the next one.

    Args:
        crop: `stretch_to_square` or `pad_to_square`, to the size of the embedder's aligned faces.
        progress: the text of the progress bar.
        landmarks: as `data.landmarks.by_image` gives them: their images are aligned on the embedder's template instead.

    Raises:
        UserError: an image cannot be read, its landmarks are one point, or the network's answer to it is not a number.
    """

    template = "" if landmarks is None else template_for(embedder)

    def read(path: Path) -> np.ndarray:
        points = None if landmarks is None else landmarks.get(image_key(path.parent.name, path.name))
        image = read_image(path)
        if points is None:
            return crop(image, embedder.aligned_size)
        try:
            return align_face(image, points, template=template, size=embedder.aligned_size)
        except ValueError:
            raise UserError(f"The five landmarks of {path} are no face: {points.tolist()}.") from None

    with (
        ThreadPoolExecutor(max_workers=os.cpu_count()) as pool,
        tqdm(total=len(paths), desc=progress, unit="image") as bar,
    ):

        def begin(start: int) -> list[Future[np.ndarray]]:
            return [pool.submit(read, path) for path in paths[start : start + EMBED_AT_ONCE]]

        following = begin(0)
        for start in range(0, len(paths), EMBED_AT_ONCE):
            faces = np.stack([image.result() for image in following])
            following = begin(start + EMBED_AT_ONCE)
            embeddings = embedder.embed(faces)
            bad = np.flatnonzero(~np.isfinite(embeddings).all(axis=1))
            if len(bad):
                raise UserError(f"{embedder.name} gives {paths[start + bad[0]]} an embedding that is not a number.")
            bar.update(len(embeddings))
            yield embeddings


def embed_all(
    embedder: Embedder,
    paths: Sequence[Path],
    crop: Crop,
    progress: str,
    *,
    landmarks: Mapping[tuple[str, str], np.ndarray] | None = None,
) -> np.ndarray:
    """All embeddings of `embed_files` at once, float32 [N, D]; for sets of some thousand images."""
    return np.concatenate(list(embed_files(embedder, paths, crop, progress, landmarks=landmarks)))


def embed_probes(
    embedder: Embedder,
    faces: np.ndarray,
    size: int,
    form: str,
    *,
    progress: str,
    camera: str = CLEAN_LEVEL,
    margin: int = 0,
) -> np.ndarray:
    """Embeds aligned faces at S pixels, chunk by chunk: uint8 [N, H, H, 3] -> float32 [N, D] of unit length.

    Args:
        size, form, camera, margin: as for `images.probes.shrink_to_probe`; the seed of a face is its place.
        progress: the text of the progress bar.
    """
    embeddings = np.empty((len(faces), embedder.dimensions), np.float32)
    with tqdm(total=len(faces), desc=progress, unit="image") as bar:
        for start in range(0, len(faces), PROBES_AT_ONCE):
            chunk = shrink_to_probe(
                faces[start : start + PROBES_AT_ONCE], size, form=form, camera=camera, first_seed=start, margin=margin
            )
            embeddings[start : start + len(chunk)] = embedder.embed(chunk)
            bar.update(len(chunk))
    return embeddings

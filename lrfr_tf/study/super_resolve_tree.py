"""A prepared tree's LR faces -> a tree of super-resolved faces beside it."""

from pathlib import Path

from tqdm import tqdm

from lrfr_tf.config import versions
from lrfr_tf.data.face_cache import load_faces, read_tree_manifest
from lrfr_tf.data.folders import list_faces
from lrfr_tf.errors import UserError
from lrfr_tf.files import sha256
from lrfr_tf.images.decode import write_png
from lrfr_tf.networks.super_resolution import SuperResolutionNetwork
from lrfr_tf.resumable import GROWN_FROM, open_folder, write_manifest

CHUNK = 512


def super_resolve_tree(data: Path, splits: tuple[str, ...], resolver: SuperResolutionNetwork, output: Path) -> None:
    """Writes `<output>/<split>/<identity>/<image>.png` for every image of `<data>/lr`, and a manifest at the end.

    An interrupted run goes on where it stopped, and a finished one where the tree has grown since.

    Raises:
        UserError: `data` is not a finished tree, its LR faces have another size than the model takes, or `output`
            was made by another model or of other data.
    """
    tree = read_tree_manifest(data)
    settings = {"schema": 1, "method": resolver.name, "model_sha256": resolver.checksum, "data": str(data.resolve())}
    settings = open_folder(
        output,
        {**settings, "data_sha256": sha256(data / "manifest.json")},
        of_data=("data_sha256",),
        grown_from=tree.get(GROWN_FROM, ()),
    )
    counts = {}
    for split in splits:
        faces = list_faces(data / "lr", split)
        counts[split] = len(faces)
        pending = [face for face in faces if not (output / split / face.path).is_file()]
        progress = tqdm(
            total=len(faces), initial=len(faces) - len(pending), desc=f"{resolver.name} {split}", unit="image"
        )
        with progress:
            for start in range(0, len(pending), CHUNK):
                chunk = pending[start : start + CHUNK]
                low = load_faces(data / "lr" / split, chunk)
                if low.shape[1:3] != (resolver.low_size, resolver.low_size):
                    raise UserError(
                        f"The LR faces in {data / 'lr'} are {low.shape[2]} x {low.shape[1]} pixels, but "
                        f"{resolver.name} takes {resolver.low_size} x {resolver.low_size}."
                    )
                for face, image in zip(chunk, resolver.super_resolve(low), strict=True):
                    write_png(output / split / face.path, image)
                progress.update(len(chunk))
    write_manifest(output, {**settings, "images": counts, "versions": versions()})

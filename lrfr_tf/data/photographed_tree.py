"""A prepared tree -> the same faces through a camera: LR is the camera model's photo of HR.

<output>/hr/<split>/<identity>/<image>.png           as they are in the tree
<output>/lr/...                                      what the camera makes of them, at the size of the tree's LR faces
<output>/target/...                                  HR in the colors of the photo: what super-resolution should reach
<output>/classes.json, manifest.json                 the tree's, and which camera

Nothing is misplaced: a detector looks for these faces. The seed of a photo is a checksum of its path in the tree, so a
camera has the same accidents whatever else the tree holds.
"""

import shutil
import zlib
from pathlib import Path
from typing import Any

from tqdm import tqdm

from lrfr_tf.data.face_cache import load_faces, read_tree_manifest
from lrfr_tf.data.folders import list_faces
from lrfr_tf.errors import UserError
from lrfr_tf.files import sha256
from lrfr_tf.images.camera_numpy import photograph_with_target
from lrfr_tf.images.decode import read_image, write_png
from lrfr_tf.printable import name_bytes
from lrfr_tf.resumable import GROWN_FROM, open_folder, write_manifest

TARGET = "target"


def photograph_tree(data: Path, camera: str, output: Path) -> dict[str, Any]:
    """Writes the tree, and returns its manifest; an interrupted run goes on where it stopped, a finished one
    where the tree has grown since.

    Args:
        data: a prepared tree.
        camera: one of `images.camera.LEVELS`.

    Raises:
        UserError: `data` is not a finished tree or has been through a camera, or `output` was begun otherwise.
    """
    tree = read_tree_manifest(data)
    if "camera" in tree:
        raise UserError(f"The faces in {data} have been through a camera already ({tree['camera']}).")
    settings = {"schema": 1, "camera": camera, "data_sha256": sha256(data / "manifest.json")}
    open_folder(output, settings, of_data=("data_sha256",), grown_from=tree.get(GROWN_FROM, ()))
    for split in sorted(path.name for path in (data / "hr").iterdir() if path.is_dir()):
        faces = list_faces(data / "hr", split)
        size = load_faces(data / "lr" / split, faces[:1]).shape[1]
        for face in tqdm(faces, desc=f"photograph {split}, {camera}", unit="face"):
            places = {kind: output / kind / split / face.path for kind in (TARGET, "lr", "hr")}
            if places["hr"].is_file():  # the last one that is written
                continue
            high = read_image(data / "hr" / split / face.path)
            seed = zlib.crc32(name_bytes(f"{split}/{face.path}"))
            small, target = photograph_with_target(high, size, camera, seed, misplaced=False)
            for kind, image in ((TARGET, target), ("lr", small), ("hr", high)):
                write_png(places[kind], image)
    shutil.copyfile(data / "classes.json", output / "classes.json")
    manifest = {**tree, **settings, "framing": f"{tree['framing']}; LR as a camera makes it, level {camera}"}
    return write_manifest(output, manifest)

"""A prepared tree through a camera: the same faces, LR by the camera model, the target in its colors."""

import zlib
from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.data.face_cache import read_tree_manifest
from lrfr_tf.data.folders import list_faces, read_classes
from lrfr_tf.data.photographed_tree import photograph_tree
from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json, sha256
from lrfr_tf.images.camera_numpy import photograph, photograph_with_target
from lrfr_tf.images.decode import read_image
from tests.tools.held_out_tree import write_held_out_tree


def test_the_faces_go_through_the_camera_one_by_one(portrait: np.ndarray, tmp_path: Path) -> None:
    data, output = write_held_out_tree(tmp_path / "data", portrait, (1, 2), train_images=2), tmp_path / "harsh"
    manifest = photograph_tree(data, "harsh", output)
    assert manifest == read_tree_manifest(output)
    assert manifest["camera"] == "harsh"
    assert manifest["data_sha256"] == sha256(data / "manifest.json")
    assert read_classes(output) == read_classes(data)
    low = {}
    for split in ("train", "test"):
        faces = list_faces(data / "hr", split)
        assert list_faces(output / "hr", split) == list_faces(output / "lr", split) == faces
        for face in faces:
            high = read_image(data / "hr" / split / face.path)
            assert np.array_equal(read_image(output / "hr" / split / face.path), high)
            seed = zlib.crc32(f"{split}/{face.path}".encode())
            small, target = photograph_with_target(high, 16, "harsh", seed, misplaced=False)
            low[split, face.path] = read_image(output / "lr" / split / face.path)
            assert np.array_equal(low[split, face.path], small)
            assert np.array_equal(read_image(output / "target" / split / face.path), target)
            assert not np.array_equal(small, photograph(high, 16, "clean", seed))

    # Once more does nothing new; what is missing is done again and is what it was.
    split, path = next(iter(low))
    for kind in ("hr", "lr", "target"):
        (output / kind / split / path).unlink()
    before = (output / "manifest.json").read_bytes()
    photograph_tree(data, "harsh", output)
    assert np.array_equal(read_image(output / "lr" / split / path), low[split, path])
    assert (output / "manifest.json").read_bytes() == before

    with pytest.raises(UserError, match="begun with other settings"):
        photograph_tree(data, "moderate", output)
    with pytest.raises(UserError, match=r"have been through a camera already \(harsh\)"):
        photograph_tree(output, "harsh", tmp_path / "twice")
    with pytest.raises(UserError, match="is not a finished tree"):
        photograph_tree(tmp_path, "harsh", tmp_path / "none")
    assert read_json(output / "settings.json")["camera"] == "harsh"

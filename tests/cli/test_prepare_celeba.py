"""CelebA as its authors deliver it -> trees: framing, split, dropped identities, and the real slice where it is."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.data.face_cache import load_faces
from lrfr_tf.data.folders import list_faces, read_classes
from lrfr_tf.files import read_json
from tests.cli.conftest import Tool
from tests.tools.small_runs import write_celeba


def by_pillow(image: Image.Image, size: int) -> np.ndarray:
    """The tree's resize: Pillow, one direction after the other."""
    bicubic = Image.Resampling.BICUBIC
    return np.asarray(image.resize((size, image.height), bicubic).resize((size, size), bicubic))


def test_both_framings_of_a_small_list(tool: Tool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images, identities = write_celeba(tmp_path, identities=12, images=3)
    # A header as some copies have it, and a person with too few images.
    Image.new("RGB", (89, 109), "red").save(images / "000037.png")
    identities.write_text("img label\n" + identities.read_text() + "000037.png 13\n")
    module = tool("prepare_celeba")
    for framing in ("face", "squash"):
        output = tmp_path / framing
        module.main(
            module.Config(
                images=str(images),
                identities=str(identities),
                output=str(output),
                framing=framing,
                keep_dropped=framing == "squash",
            )  # fmt: skip
        )
        manifest = read_json(output / "manifest.json")
        assert manifest["dropped_identities"] == ["13"]
        counts = {"train": 12, "val": 12, "test": 12} | ({"extra": 1} if framing == "squash" else {})
        assert manifest["images"] == counts
        assert read_classes(output) == [str(number) for number in range(1, 13)]
        # The images of person 2 are numbers 2, 14 and 26: in this order test, validation and training.
        for split, name in (("test", "000002"), ("val", "000014"), ("train", "000026")):
            with Image.open(images / f"{name}.png") as photo:
                framed = photo.crop((12, 27, 77, 92)) if framing == "face" else photo
                high = by_pillow(framed, 64)
            face = next(item for item in list_faces(output / "hr", split) if item.identity == "2")
            assert face.path == f"2/{name}.png"
            assert np.array_equal(load_faces(output / "hr" / split, [face])[0], high)
            low = by_pillow(Image.fromarray(high), 16)
            assert np.array_equal(load_faces(output / "lr" / split, [face])[0], low)
    assert "dropped 1 identity with fewer than 3 images" in capsys.readouterr().out


@pytest.mark.shared_data
def test_the_real_slice_has_the_known_counts(tool: Tool, shared_data: Path, tmp_path: Path) -> None:
    archive, identities = (shared_data / "celeba" / name for name in ("img_align_celeba.zip", "identity_CelebA.txt"))
    module = tool("prepare_celeba")
    output = tmp_path / "tree"
    module.main(module.Config(images=str(archive), identities=str(identities), output=str(output), framing="face"))
    manifest = read_json(output / "manifest.json")
    assert manifest["identities"] == len(read_classes(output)) == 739
    assert manifest["images"] == {"train": 996, "val": 739, "test": 739}
    assert len(manifest["dropped_identities"]) == 4840 - 739
    assert manifest["bad_images"] == []
    for split in ("train", "test"):
        face = list_faces(output / "hr", split)[100]
        with zipfile.ZipFile(archive) as photos:
            (name,) = [item for item in photos.namelist() if Path(item).stem == Path(face.path).stem]
            with Image.open(io.BytesIO(photos.read(name))) as photo:
                high = by_pillow(photo.convert("RGB").crop((12, 27, 77, 92)), 64)
        assert np.array_equal(load_faces(output / "hr" / split, [face])[0], high)
        listed = dict(line.split() for line in identities.read_text().splitlines() if "." in line)
        assert listed[Path(name).name] == face.identity

"""tools/make_landmarks.py finds faces in folders and zips, and names the images without one."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.data.landmarks import read_landmarks
from lrfr_tf.errors import UserError
from lrfr_tf.faces.detect import FaceDetector
from tests.cli.conftest import Refused, Tool
from tests.faces_by_code import write_people


def test_a_table_of_a_folder_and_of_a_zip(
    tool: Tool, portrait: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "photos"
    write_people(root, portrait, {"ann": 2}, size=128)
    Image.fromarray(portrait).save(root / "whole.PNG")
    Image.new("RGB", (80, 80)).save(root / "ann/none.png")
    (root / "ann/bad.jpg").write_text("no image")
    module = tool("make_landmarks")
    module.main(module.Config(images=str(root), output=str(tmp_path / "table.csv")))
    printed, told = capsys.readouterr()
    assert "no face: ann/none.png\n" in printed
    assert "landmarks of 3 images; no face in 1; 1 cannot be read." in printed
    assert "note: ann/bad.jpg is passed over: " in told
    found = read_landmarks(tmp_path / "table.csv")
    assert list(found) == ["ann/00.png", "ann/01.png", "whole.PNG"]
    detector = FaceDetector((0.6, 0.7, 0.8))
    for name, points in found.items():
        (detection,) = detector.detect([np.asarray(Image.open(root / name))])
        np.testing.assert_allclose(points, detection.landmarks[0], atol=0.3)
    left, right, nose = found["whole.PNG"][:3]
    assert 165 < left[0] < right[0] < 290
    assert left[1] < nose[1]
    zipped = shutil.make_archive(str(tmp_path / "photos"), "zip", tmp_path, "photos")
    module.main(module.Config(images=zipped, output=str(tmp_path / "zipped.csv")))
    assert list(read_landmarks(tmp_path / "zipped.csv")) == [f"photos/{name}" for name in found]


def test_mistakes_leave_nothing(
    tool: Tool, refused: Refused, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module = tool("make_landmarks")
    output = f"--output={tmp_path}/out/table.csv"
    (tmp_path / "photos").mkdir()
    assert "/nowhere does not exist" in refused(module, "--images=/nowhere", output)
    assert "holds no images" in refused(module, f"--images={tmp_path}/photos", output)
    Image.new("RGB", (80, 80)).save(tmp_path / "photos/a.png")
    assert "No face was found in the one image" in refused(module, f"--images={tmp_path}/photos", output)
    (tmp_path / "photos/text.jpg").write_text("no image")
    with pytest.raises(UserError, match="No face was found in any of the 2 images"):
        module.main(module.Config(images=f"{tmp_path}/photos", output=f"{tmp_path}/out/table.csv"))
    assert "note: text.jpg is passed over: " in capsys.readouterr().err
    (tmp_path / "photos/text.jpg").unlink()
    assert "three thresholds" in refused(module, f"--images={tmp_path}/photos", output, "--thresholds=0.5")
    assert "is a folder" in refused(module, f"--images={tmp_path}/photos", f"--output={tmp_path}")
    for name in "bcde":
        (tmp_path / f"photos/{name}.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    many = refused(module, f"--images={tmp_path}/photos", output)
    assert "4 of 5 images cannot be found or read (more than 5% and more than 3), for example b.png" in many
    assert not (tmp_path / "out").exists()

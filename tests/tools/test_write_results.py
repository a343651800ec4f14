"""The document of results: every figure out of the run folders, and the short table between its marks."""

from pathlib import Path
from typing import Any

import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.files import write_json
from tests.cli.conftest import Tool
from tests.result_by_hand import make_camera_pixels, make_levels_result, make_pixels, make_result, make_siamese_result


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    write_json(tmp_path / "face" / "report" / "result.json", make_result(title="Faces"))
    write_json(
        tmp_path / "face" / "steps.json",
        [{"command": ["tools/x.py", "--data=/somewhere/private/tree"], "seconds": 61.7}],
    )
    record = {
        "config": {"batch_size": 16},
        "command": ["-m", "lrfr_tf.train_srcnn", "--vgg_weights=/somewhere/private/vgg.h5"],
        "training_faces": 1234,
        "validation_faces": 256,
    }
    write_json(tmp_path / "srcnn" / "run.json", record)
    history = [{"network": "srcnn", "step": step, "psnr": 24.0, "psnr_gain": 1.25, "ssim": 0.75} for step in (10, 2000)]
    write_json(tmp_path / "srcnn" / "validation.json", history)
    write_json(tmp_path / "srcnn" / "model" / "super_resolver.json", {})
    return tmp_path


def test_the_document_quotes_the_run_folders(tool: Tool, runs: Path, tmp_path: Path) -> None:
    write_results = tool("write_results")
    (tmp_path / "README.md").write_text("before\n<!-- results -->\nold\n<!-- end of results -->\nafter\n")
    config = write_results.Config(
        experiments=(str(runs / "face"),),
        trainings=(str(runs / "srcnn"),),
        output=str(tmp_path / "docs" / "results.md"),
        readme=str(tmp_path / "README.md"),
    )
    write_results.main(config)
    text = (tmp_path / "docs" / "results.md").read_text()
    assert "out of 1,234 faces" in text
    assert "srcnn after 2,000 steps PSNR 24.00 dB (+1.25 over bicubic), SSIM 0.750" in text
    assert "| 62 | `python tools/x.py --data=tree` |" in text
    assert "python -m lrfr_tf.train_srcnn --vgg_weights=vgg.h5" in text
    assert "private" not in text
    assert "## Faces" in text
    readme = (tmp_path / "README.md").read_text()
    assert readme.startswith("before\n<!-- results -->\n| faces |")
    assert readme.endswith("\n<!-- end of results -->\nafter\n")
    assert "| Faces (n = 6) | HR | 90.0 % | - | - | 90.0 % | 90.0 % |" in readme
    assert "|  | SRCNN | 25.0 % | 20.00 dB | 0.500 | 25.0 % | - |" in readme
    write_results.main(config)
    assert (tmp_path / "README.md").read_text() == readme


def written(tool: Tool, runs: Path, folder: Path, result: dict[str, Any], pixels: dict[str, Any]) -> tuple[str, str]:
    """The document and the README that come of one experiment's result and its accuracy against pixels."""
    write_json(runs / "face" / "report" / "result.json", result)
    write_json(runs / "face" / "pixels" / "result.json", pixels)
    (runs / "face" / "pixels" / "result.held_out.png").write_bytes(b"a picture")
    document, readme = folder / "docs" / "results.md", folder / "README.md"
    readme.write_text("<!-- results -->\n<!-- end of results -->\n")
    module = tool("write_results")
    module.main(module.Config(experiments=(str(runs / "face"),), output=str(document), readme=str(readme)))
    return document.read_text(), readme.read_text()


def test_the_siamese_network_and_the_curve_against_pixels_are_quoted(tool: Tool, runs: Path, tmp_path: Path) -> None:
    text, readme = written(tool, runs, tmp_path, make_siamese_result(title="Faces"), make_pixels())
    assert "Those in `saved_models/`" in text
    assert "siamese-1-abc embeds the face of the bicubic image, aligned to 128 x 128 pixels" in text
    assert "| Siamese, no super-resolution | logistic | HR | 20.0 [15.0, 25.0] |" in text
    assert "### Accuracy against pixels" in text
    assert "](curves/pixels-face.png)" in text
    assert (tmp_path / "docs" / "curves" / "pixels-face.png").read_bytes() == b"a picture"
    assert "| SRCNN (probe resized to 16 px) + FaceNet | 20.0 [15.0, 25.0] | 40.0 [35.0, 45.0] |" in text
    assert "The protocol of pixels." in text
    assert "|  | Siamese, no super-resolution | 100.0 % | - | - | 20.0 % | - |" in readme


def test_camera_levels_are_quoted(tool: Tool, runs: Path, tmp_path: Path) -> None:
    text, readme = written(tool, runs, tmp_path, make_levels_result(title="Faces"), make_camera_pixels())
    assert "### By camera" in text
    assert "| SRGAN | harsh | 15.0 [10.0, 20.0] |" in text
    assert "| Bicubic + FaceNet | harsh | 5.0 [0.0, 10.0] | 25.0 [20.0, 30.0] |" in text
    lines = readme.splitlines()
    assert "| Faces (n = 6) | HR | 90.0 % | - | - | 90.0 % | 90.0 % |" in lines
    place = lines.index("| through a harsh camera | Bicubic | 10.0 % | 20.00 dB | 0.500 | 10.0 % | - |")
    assert lines[place + 1] == "|  | SRCNN | 20.0 % | 20.00 dB | 0.500 | 20.0 % | - |"
    assert sum("| HR |" in line for line in lines) == 1


def test_a_document_without_marks_is_left_alone(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("no marks")
    with pytest.raises(UserError, match="holds no <!-- results -->"):
        tool("write_results").replace_between_markers(tmp_path / "README.md", "text", "results")
    assert (tmp_path / "README.md").read_text() == "no marks"

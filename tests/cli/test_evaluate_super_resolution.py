"""Networks are scored on the held-out persons of trees, and on nobody else."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

from lrfr_tf.files import read_json
from lrfr_tf.images.camera_numpy import photograph_with_target
from lrfr_tf.images.decode import read_image
from lrfr_tf.models.srcnn import srcnn
from lrfr_tf.networks.super_resolution import save_super_resolver
from lrfr_tf.networks.super_resolvers import KerasSuperResolver
from tests.cli.conftest import Refused, Tool
from tests.tools.held_out_tree import write_held_out_tree

ORDER = ("train", "val", "test", "extra")  # of the splits


@pytest.fixture(scope="module")
def trees(portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp("trees")
    return [write_held_out_tree(root / name, portrait, (3, 5, 10), count) for name, count in (("a", 1), ("b", 2))]


def test_held_out_faces_are_scored(
    tool: Tool, trees: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_super_resolver(tmp_path / "model", KerasSuperResolver("srcnn", srcnn("9-1-5"), enlarge_first=True))
    module = tool("evaluate_super_resolution")
    config = module.Config(
        data=tuple(map(str, trees)), output=str(tmp_path / "result.json"), models=(f"mine={tmp_path}/model",),
        contact_sheet=str(tmp_path / "faces.png"), contact_faces=5,
    )  # fmt: skip
    module.main(config)
    result = read_json(tmp_path / "result.json")
    assert [result["trees"][str(tree)]["counts"] for tree in trees] == [
        {"images": 8, "identities": 2},
        {"images": 10, "identities": 2},
    ]
    description = read_json(tmp_path / "model" / "super_resolver.json")
    assert result["models"] == {"mine": {"folder": f"{tmp_path}/model", "sha256": description["sha256"]}}
    assert {"protocol", "versions", "seconds", "config"} <= result.keys()
    decibels = []
    for path in sorted((trees[1] / "hr").glob("*/*/*.png")):
        if path.parent.name in ("5", "10"):
            low = Image.fromarray(read_image(trees[1] / "lr" / path.relative_to(trees[1] / "hr")))
            enlarged = np.asarray(low.resize((64, 64), Image.Resampling.BICUBIC))
            decibels.append(peak_signal_noise_ratio(read_image(path), enlarged, data_range=255))
    methods = result["trees"][str(trees[1])]["methods"]
    assert list(methods) == ["bicubic", "mine"]
    assert methods["bicubic"]["psnr_rgb"]["mean"] == pytest.approx(np.mean(decibels), abs=1e-4)
    assert methods["mine"]["psnr_gain"]["mean"] == pytest.approx(
        methods["mine"]["psnr_rgb"]["mean"] - methods["bicubic"]["psnr_rgb"]["mean"]
    )
    printed = capsys.readouterr().out
    assert f"{trees[0]}: 8 faces" in printed
    assert f"{methods['mine']['psnr_rgb']['mean']:6.2f}" in printed
    # Five strips of four columns, three across.
    with Image.open(tmp_path / "faces.png") as picture:
        assert picture.size == (3 * (4 * 128 + 8), 14 + 2 * (128 + 8))


def test_what_a_camera_makes_of_them_is_scored(tool: Tool, trees: list[Path], tmp_path: Path) -> None:
    module = tool("evaluate_super_resolution")
    output = tmp_path / "result.json"
    module.main(module.Config(data=(str(trees[0]),), output=str(output), camera=("clean", "moderate")))
    rows = {name: tree["methods"]["bicubic"] for name, tree in read_json(output)["trees"].items()}
    assert list(rows) == [str(trees[0]), f"{trees[0]}, moderate"]
    clean, moderate = (row["psnr_rgb"]["mean"] for row in rows.values())
    assert moderate < clean - 0.5
    # By hand: the faces in their order are the seeds, and the target has the colors of the photo.
    decibels = []
    faces = [path for path in (trees[0] / "hr").glob("*/*/*.png") if path.parent.name in ("5", "10")]
    faces.sort(key=lambda path: (ORDER.index(path.parts[-3]), int(path.parent.name), path.name))
    for seed, path in enumerate(faces):
        low, target = photograph_with_target(read_image(path), 16, "moderate", seed, misplaced=False)
        enlarged = np.asarray(Image.fromarray(low).resize((64, 64), Image.Resampling.BICUBIC))
        decibels.append(peak_signal_noise_ratio(target, enlarged, data_range=255))
    assert moderate == pytest.approx(np.mean(decibels), abs=1e-4)


def test_mistakes_leave_nothing(tool: Tool, refused: Refused, trees: list[Path], tmp_path: Path) -> None:
    module = tool("evaluate_super_resolution")
    output, data = f"--output={tmp_path}/out/result.json", f"--data={trees[0]}"
    assert "--models=srcnn is not of the form name=folder" in refused(module, data, output, "--models=srcnn")
    assert "/nowhere" in refused(module, data, output, "--models=srcnn=/nowhere")
    assert "--held_out_divisor=7" in refused(module, data, output, "--held_out_divisor=7")
    assert "/nowhere is not a finished tree" in refused(module, "--data=/nowhere", output)
    assert "is a folder" in refused(module, data, f"--output={tmp_path}")
    assert not (tmp_path / "out").exists()

"""A tree that looks like VGGFace2 -> aligned faces: lists of landmarks, persons left out, a killed run."""

import csv
import shutil
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.files import read_json
from lrfr_tf.main import run
from tests.cli.conftest import Refused, Tool
from tests.faces_of_dots import face_of_dots, landmarks_at, positions_of_dots
from tests.tools.small_runs import files_below, finish_script, finished_files, lines_beside_progress, start_script

# Split -> identity -> number of photos. Persons of the test split are others than those of the training split.
PEOPLE = {"train": {"n000002": 4, "n000003": 3, "n000007": 2}, "test": {"n000001": 3, "n000009": 2}}
META = (
    'Class_ID, Name, Sample_Num, Flag, Gender\nn000001, "Dalai_Lama", 3, 0, m\nn000002, "A_Fine_Frenzy", 4, 1, f\n'
    'n000003, "José_Pérez", 3, 1, m\nn000007, "Zoë_Kravitz", 2, 1, f\nn000009, "A._C._Green", 2, 0, m\n'
)
HEADER = ["NAME_ID", "P1X", "P1Y", "P2X", "P2Y", "P3X", "P3Y", "P4X", "P4Y", "P5X", "P5Y"]


def write_vggface2(root: Path, people: dict[str, dict[str, int]]) -> dict[str, np.ndarray]:
    """`<root>/VGGFace2/<split>/<identity>/<image>_<face>.jpg`, and the two loose_landmark lists beside it."""
    random = np.random.default_rng(5)
    points: dict[str, np.ndarray] = {}
    for split, identities in people.items():
        with open(root / f"loose_landmark_{split}.csv", "w", newline="") as file:
            writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC)
            writer.writerow(HEADER)
            for identity, count in identities.items():
                (root / "VGGFace2" / split / identity).mkdir(parents=True)
                for number in range(1, count + 1):
                    height, width = random.integers(110, 180, 2)
                    name = f"{identity}/{number:04d}_01"
                    found = landmarks_at((width / 2, height / 2), random.uniform(0.8, 1.3), random.uniform(-25, 25))
                    points[name] = found.round(2)
                    photo = face_of_dots(points[name], height, width)
                    Image.fromarray(photo).save(root / "VGGFace2" / split / f"{name}.jpg", quality=95)
                    writer.writerow([name, *(float(value) for value in points[name].ravel())])
    (root / "identity_meta.csv").write_text(META, encoding="utf-8")
    return points


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Read only."""
    folder = tmp_path_factory.mktemp("vggface2")
    write_vggface2(folder, PEOPLE)
    return folder


@pytest.fixture(scope="module")
def flags(root: Path) -> list[str]:
    lists = ",".join(f"{root}/loose_landmark_{split}.csv" for split in PEOPLE)
    return [f"--images={root}/VGGFace2", f"--landmarks={lists}"]


def call(module: object, *flags: str) -> None:
    run(module.main, module.Config, ["script", *flags])  # type: ignore[attr-defined]


def on_template(face: np.ndarray, points: np.ndarray, left_margin: int) -> float:
    """How far the dots are, at most, from where least squares put the photo's landmarks; template as published."""
    published = [(34.6224, 59.0815), (74.8935, 58.8587), (54.8859, 81.9847), (38.3421, 105.5606), (71.6913, 105.3761)]
    target = np.array(published) + (left_margin, 0)
    # In complex numbers a similarity is z -> a z + b, and least squares give a by one division.
    z, t = points @ (1, 1j), target @ (1, 1j)
    a = np.vdot(z - z.mean(), t - t.mean()) / np.vdot(z - z.mean(), z - z.mean())
    expected = a * (z - z.mean()) + t.mean()
    near = np.stack([expected.real, expected.imag], axis=1)
    return float(np.abs(positions_of_dots(face, near, window=9) - near).max())


@pytest.mark.parametrize("margin", [0, 10])
def test_train_and_test_persons_come_together_and_lie_on_the_template(
    margin: int, tool: Tool, flags: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    points = write_vggface2(tmp_path, PEOPLE)
    # The paper has no margin, and so has the tool unless it is told.
    call(
        tool("prepare_vggface2"), *flags, f"--output={tmp_path}/tree", *([f"--left_margin={margin}"] if margin else [])
    )
    assert f"{tmp_path}/tree: 14 faces of 5 identities\nleft out 0 identities" in capsys.readouterr().out
    faces = sorted(path.relative_to(tmp_path / "tree").as_posix() for path in (tmp_path / "tree").rglob("*.jpg"))
    assert faces == sorted(f"{name}.jpg" for name in points)
    for name, found in points.items():
        face = np.asarray(Image.open(tmp_path / "tree" / f"{name}.jpg"))
        assert face.shape == (128, 128 + margin, 3)
        assert on_template(face, found, margin) < 0.5


def test_one_list_of_both_splits_without_the_persons_of_a_test_set(
    tool: Tool, root: Path, flags: list[str], tmp_path: Path
) -> None:
    """As loose_landmark_train_test_remove_lfw_megaface.csv: train/ or test/ before each name, persons missing."""
    call(tool("prepare_vggface2"), *flags, f"--output={tmp_path}/all", "--left_margin=0")
    with open(tmp_path / "both.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for split in PEOPLE:
            with open(root / f"loose_landmark_{split}.csv", newline="") as part:
                writer.writerows(
                    [f"{split}/{row[0]}", *row[1:]] for row in list(csv.reader(part))[1:] if "n000003" not in row[0]
                )
    call(
        tool("prepare_vggface2"), f"--images={root}", f"--landmarks={tmp_path}/both.csv", "--left_margin=0",
        f"--output={tmp_path}/tree",
    )  # fmt: skip
    manifest = read_json(tmp_path / "tree" / "manifest.json")
    assert manifest["images_per_identity"] == {"n000001": 3, "n000002": 4, "n000007": 2, "n000009": 2}
    left_out = manifest["images_without_landmarks"]
    assert left_out == [f"VGGFace2/train/n000003/000{number}_01.jpg" for number in (1, 2, 3)]
    everybody = {name: data for name, data in files_below(tmp_path / "all").items() if name.endswith(".jpg")}
    made = {name: data for name, data in files_below(tmp_path / "tree").items() if name.endswith(".jpg")}
    assert made == {name: data for name, data in everybody.items() if not name.startswith("n000003")}


def test_persons_are_left_out_by_number_and_by_name(
    tool: Tool, refused: Refused, root: Path, flags: list[str], tmp_path: Path
) -> None:
    (tmp_path / "numbers.txt").write_text("n000001\n")
    (tmp_path / "lfw-names.txt").write_text("Zoe_Kravitz\t5\nAC_Green\t1\nNobody_Else\t2\n")
    flags = [
        *flags, f"--output={tmp_path}/tree", f"--exclude={tmp_path}/numbers.txt",
        f"--exclude_names={tmp_path}/lfw-names.txt", f"--identity_meta={root}/identity_meta.csv",
    ]  # fmt: skip
    message = refused(tool("prepare_vggface2"), *flags)
    assert f"{tmp_path}/lfw-names.txt has entries that match nobody, 1 of 3 (Nobody_Else)" in message
    assert not (tmp_path / "tree").exists()
    call(tool("prepare_vggface2"), *flags, "--allow_unmatched_exclusions")
    manifest = read_json(tmp_path / "tree" / "manifest.json")
    assert manifest["excluded_identities"] == ["n000001", "n000007", "n000009"]
    assert manifest["images_per_identity"] == {"n000002": 4, "n000003": 3}


def test_aligned_faces_out_of_a_zip_are_resized(tool: Tool, root: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "faces.zip", "w") as archive:
        for path in (root / "VGGFace2").rglob("*.jpg"):
            face = Image.open(path).resize((112, 112))
            with archive.open(f"faces_112/{path.parent.name}/{path.stem}.png", "w") as file:
                face.save(file, format="PNG")
    call(
        tool("prepare_vggface2"), f"--images={tmp_path}/faces.zip", "--aligned", "--left_margin=0",
        f"--output={tmp_path}/tree",
    )  # fmt: skip
    assert read_json(tmp_path / "tree" / "manifest.json")["images"] == 14
    for path in (root / "VGGFace2").rglob("*.jpg"):
        expected = Image.open(path).resize((112, 112)).resize((128, 128), Image.Resampling.BICUBIC)
        face = np.asarray(Image.open(tmp_path / "tree" / path.parent.name / path.name))
        assert np.abs(face.astype(int) - np.asarray(expected)).mean() < 2


def test_wrong_input_is_one_sentence(
    tool: Tool, refused: Refused, root: Path, flags: list[str], tmp_path: Path
) -> None:
    module, images, output = tool("prepare_vggface2"), flags[0], f"--output={tmp_path}/tree"
    assert "needs either --landmarks" in refused(module, images, output)
    assert "needs either --landmarks" in refused(module, *flags, output, "--aligned")
    assert "belong together" in refused(module, *flags, output, f"--exclude_names={root}/identity_meta.csv")
    (tmp_path / "plain.csv").write_text("n000002/0001_01,1,2,3,4,5,6,7,8,9,10\n")
    message = refused(module, images, output, f"--landmarks={tmp_path}/plain.csv")
    assert "plain.csv is no landmark table of VGGFace2" in message
    assert "none.csv is missing" in refused(module, images, output, f"--landmarks={tmp_path}/none.csv")
    names = (f"--exclude_names={root}/identity_meta.csv", f"--identity_meta={flags[1].split('=')[1].split(',')[0]}")
    assert "should be identity_meta.csv" in refused(module, *flags, output, *names)
    assert not (tmp_path / "tree").exists()
    shutil.copytree(root / "VGGFace2", tmp_path / "VGGFace2")
    (tmp_path / "VGGFace2" / "test" / "n000001" / "0002_01.jpg").unlink()
    message = refused(module, f"--images={tmp_path}/VGGFace2", flags[1], output)
    assert "1 of 14 images cannot be found or read (more than 1%), for example n000001/0002_01" in message
    assert not finished_files(tmp_path / "tree")


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_the_same(tool: Tool, tmp_path: Path) -> None:
    people = {"train": {f"n{number:06d}": 30 for number in range(20)}, "test": {"n000100": 30}}
    write_vggface2(tmp_path, people)
    flags = [
        f"--images={tmp_path}/VGGFace2",
        f"--landmarks={tmp_path}/loose_landmark_train.csv,{tmp_path}/loose_landmark_test.csv",
    ]
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    call(tool("prepare_vggface2"), *flags, f"--output={whole}")
    with start_script("tools/prepare_vggface2.py", *flags, f"--output={killed}", "--workers=1") as process:
        deadline = time.monotonic() + 120
        while not list(killed.glob("*/[!.]*.jpg")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.001)
        process.kill()
    assert process.returncode == -9
    assert 0 < len(list(killed.glob("*/[!.]*.jpg"))) < 630
    assert not finished_files(killed)
    code, _, error = finish_script("tools/prepare_vggface2.py", *flags, f"--output={killed}")
    assert (code, lines_beside_progress(error)) == (0, [])
    assert files_below(killed) == files_below(whole)

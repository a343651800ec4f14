"""Photos -> a tree of aligned faces on the command line: each source of landmarks, who stays out, wrong input."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.data.landmarks import write_landmarks
from lrfr_tf.faces.align import align_face, template_points
from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.files import read_json
from lrfr_tf.main import run
from tests.cli.conftest import Refused, Tool
from tests.faces_of_dots import face_of_dots, positions_of_dots
from tests.tools.small_runs import files_below

# The five points of aligned CelebA, 178 x 218, as published means have them; ours are measured and within 2 px.
CELEBA = np.array([[69.0, 111.0], [108.0, 111.0], [88.0, 135.0], [71.0, 152.0], [105.0, 152.0]])


def call(module: object, *flags: str) -> None:
    run(module.main, module.Config, ["script", *flags])  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def detected(photos: Path, tool: Tool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree of the four tinted persons, with landmarks from the detector. Read only."""
    output = tmp_path_factory.mktemp("detected") / "tree"
    call(tool("prepare_aligned"), f"--images={photos}", f"--output={output}", "--template=centred")
    return output


def test_detected_faces_lie_on_the_template(detected: Path) -> None:
    assert read_json(detected / "manifest.json")["images_per_identity"] == {"1": 5, "2": 5, "3": 5, "10": 5}
    faces = [np.asarray(Image.open(path)) for path in sorted(detected.glob("*/*.jpg"))]
    assert {face.shape for face in faces} == {(128, 138, 3)}
    # Found once more in the aligned faces, the landmarks are those of the template but for what no similarity mends.
    found = np.stack([detection.landmarks[0] for detection in FaceDetector((0.6, 0.7, 0.8)).detect(faces)])
    target = template_points("centred") + (10, 0)
    assert np.abs(np.median(found, axis=0) - target).max() < 6
    assert np.abs(found[:, :2].mean(axis=1) - target[:2].mean(axis=0)).max() < 5  # between the eyes
    assert np.ptp(found[:, :2], axis=0).max() < 4  # and the eyes of all faces lie alike


def test_a_table_of_landmarks_gives_what_it_says(
    tool: Tool, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = sorted(path.relative_to(photos).as_posix() for path in photos.rglob("*.png"))
    random = np.random.default_rng(0)
    rows = {name: template_points("lai", 90) + random.normal(0, 2, (5, 2)).round(2) for name in names}
    write_landmarks(tmp_path / "landmarks.csv", {f"elsewhere/{name[:-4]}.jpg": rows[name] for name in names[1:]})
    (tmp_path / "exclude.txt").write_text("003\n")
    output = tmp_path / "tree"
    call(
        tool("prepare_aligned"), f"--images={photos}", f"--output={output}", "--left_margin=0", "--held_out_divisor=5",
        f"--landmarks={tmp_path}/landmarks.csv", f"--exclude={tmp_path}/exclude.txt", "--workers=2",
    )  # fmt: skip
    manifest = read_json(output / "manifest.json")
    assert manifest["excluded_identities"] == ["3", "10"]
    assert manifest["images_without_landmarks"] == names[:1]
    assert manifest["images_per_identity"] == {"1": 4, "2": 5}
    said = capsys.readouterr().out
    assert said == (
        f"{output}: 9 faces of 2 identities\nleft out 2 identities and 1 photo without landmarks; 0 bad images\n"
    )
    for name in ("1/03.png", "2/04.png"):
        photo, face = (np.asarray(Image.open(path)) for path in (photos / name, output / f"{name[:-4]}.jpg"))
        expected = align_face(photo, rows[name].round(2), template="lai")
        assert np.abs(face.astype(int) - expected).mean() < 2.5  # what JPEG changes; the photos are noisy


@pytest.mark.parametrize("kind", ["full", "half", "squeezed"])
def test_aligned_celeba_needs_no_landmarks(kind: str, tool: Tool, tmp_path: Path) -> None:
    photo = Image.fromarray(face_of_dots(CELEBA, 218, 178, radius=3))
    size = {"full": (178, 218), "half": (89, 109), "squeezed": (64, 64)}[kind]
    (tmp_path / "images").mkdir()
    for number in (1, 2):
        photo.resize(size, Image.Resampling.BICUBIC).save(tmp_path / "images" / f"00000{number}.png")
    (tmp_path / "identity.txt").write_text("000001.png 7\n000002.png 12\n")
    call(
        tool("prepare_aligned"), f"--images={tmp_path}/images", f"--identities={tmp_path}/identity.txt",
        "--landmarks=celeba", f"--output={tmp_path}/tree", f"--unsqueeze={str(kind == 'squeezed').lower()}",
    )  # fmt: skip
    target = template_points("lai") + (10, 0)
    for name in ("7/000001.jpg", "12/000002.jpg"):
        face = np.asarray(Image.open(tmp_path / "tree" / name))
        assert face.shape == (128, 138, 3)
        # CelebA's mean face is not quite of the template's shape: its mouth lies 2 px higher, its eyes a little lower.
        assert np.abs(positions_of_dots(face, target) - target).max() < 4


def test_a_table_by_file_name_where_a_list_names_the_persons(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    shifts = {"000001": 0, "000002": 9, "000003": -7}
    for name, shift in shifts.items():
        Image.fromarray(face_of_dots(CELEBA + shift, 218, 178, radius=3)).save(tmp_path / "images" / f"{name}.png")
    (tmp_path / "identity.txt").write_text("000001.png 7\n000002.png 8\n000003.png 8\n")
    write_landmarks(tmp_path / "l.csv", {f"img_align_celeba/{name}.jpg": CELEBA + s for name, s in shifts.items()})
    call(
        tool("prepare_aligned"), f"--images={tmp_path}/images", f"--identities={tmp_path}/identity.txt",
        f"--landmarks={tmp_path}/l.csv", f"--output={tmp_path}/tree",
    )  # fmt: skip
    faces = [np.asarray(Image.open(tmp_path / "tree" / name)) for name in ("7/000001.jpg", "8/000002.jpg")]
    target = template_points("lai") + (10, 0)
    first, second = (positions_of_dots(face, target) for face in faces)
    assert np.abs(first - second).max() < 0.3  # however far the photo was shifted
    assert np.abs(first - target).max() < 4


def test_a_second_run_makes_nothing_new_and_other_settings_are_refused(
    tool: Tool, refused: Refused, photos: Path, detected: Path
) -> None:
    before = files_below(detected)
    flags = (f"--images={photos}", f"--output={detected}")
    call(tool("prepare_aligned"), *flags, "--template=centred")
    assert files_below(detected) == before
    message = refused(tool("prepare_aligned"), *flags, "--template=lai", "--min_face_size=30")
    assert f"{detected} was begun with other settings (detector, template)" in message
    assert files_below(detected) == before


def test_wrong_input_is_one_sentence(tool: Tool, refused: Refused, photos: Path, tmp_path: Path) -> None:
    module, output = tool("prepare_aligned"), f"--output={tmp_path}/tree"
    assert "does not exist" in refused(module, f"--images={tmp_path}/none", output)
    images = f"--images={photos}"
    assert "no.csv is missing" in refused(module, images, output, f"--landmarks={tmp_path}/no.csv")
    (tmp_path / "short.csv").write_text("1/00.png,1,2,3\n")
    assert "Line 1 of" in refused(module, images, output, f"--landmarks={tmp_path}/short.csv")
    write_landmarks(tmp_path / "others.csv", {"x/y.jpg": CELEBA})
    message = refused(module, images, output, f"--landmarks={tmp_path}/others.csv")
    assert "does not name any of the 20 photos, for example not 1/00.png; it names x/y" in message
    assert "list of identities" in refused(module, images, output, f"--exclude={tmp_path}/none.txt")
    assert "Everybody (4 identities) is excluded" in refused(module, images, output, "--held_out_divisor=1")
    assert "--template=arcface is not known" in refused(module, images, output, "--template=arcface")
    assert "--workers=0" in refused(module, images, output, "--workers=0")
    (tmp_path / "list.txt").write_text("900001.jpg 3\n")
    assert "Of 1 image of the identity list" in refused(module, images, output, f"--identities={tmp_path}/list.txt")
    assert not (tmp_path / "tree").exists()


@pytest.mark.shared_data
def test_real_aligned_celeba_lies_on_the_template(tool: Tool, shared_data: Path, tmp_path: Path) -> None:
    """The eyes that the detector finds in the results, against the template; squeezed 64 x 64 images are the source."""
    celeba = shared_data / "celeba"
    listed = (celeba / "celeba_64_identity.txt").read_text().splitlines()[:120]
    (tmp_path / "few.txt").write_text("\n".join(listed))
    call(
        tool("prepare_aligned"), f"--images={celeba}/celeba_64.zip", f"--identities={tmp_path}/few.txt",
        "--landmarks=celeba", "--unsqueeze", f"--output={tmp_path}/tree",
    )  # fmt: skip
    faces = [np.asarray(Image.open(path)) for path in sorted((tmp_path / "tree").glob("*/*.jpg"))]
    assert len(faces) == 120
    found = [item.landmarks[0] for item in FaceDetector((0.6, 0.7, 0.8)).detect(faces) if item.found]
    assert len(found) > 100
    target = template_points("lai") + (10, 0)
    assert np.abs(np.median(found, axis=0) - target)[:2].max() < 2.5
    assert np.median(np.abs(np.array(found) - target)[:, :2]) < 2.5

"""SCface's layout, its landmark tables, the probes' alignment, and the look-alike."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.benchmarks.scface.files import (
    align_probe,
    align_probes,
    check_landmarks,
    draw_test_subjects,
    find_scface,
    image_key,
    read_scface_landmarks,
    read_test_subjects,
)
from lrfr_tf.benchmarks.scface_lookalike import choose_photos, eye_distance, shrink
from lrfr_tf.data.landmarks import write_landmarks
from lrfr_tf.errors import UserError
from lrfr_tf.faces.align import similarity_transform, template_points
from lrfr_tf.sources.image_source import open_source

POINTS = template_points("centred", 40) + (3, 2)


def small_image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (48, 48), (90, 80, 70)).save(path, format="JPEG")


@pytest.fixture(scope="module")
def scface(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three persons; capitals as in some copies; infrared images and other files beside them."""
    root = tmp_path_factory.mktemp("scface") / "SCface_database"
    for subject in (1, 2, 130):
        small_image(root / f"mugshot_frontal_original_all/{subject:03d}_frontal.JPG")
        small_image(root / f"Mugshot_frontal_cropped_all/{subject:03d}_frontal.jpg")
        for camera in range(1, 8):
            for distance in (1, 2, 3):
                suffix = "JPG" if camera == 2 else "jpg"
                small_image(root / f"surveillance_cameras_all/{subject:03d}_cam{camera}_{distance}.{suffix}")
        small_image(root / f"surveillance_cameras_all/{subject:03d}_cam8.jpg")
    return root


def test_the_layout_is_found_in_folders_and_zips(scface: Path, tmp_path: Path) -> None:
    zipped = Path(shutil.make_archive(str(tmp_path / "scface"), "zip", scface.parent, scface.name))
    for path in (scface, scface.parent, zipped):
        found = find_scface(open_source(path))
        assert list(found.mugshots) == [1, 2, 130]
        assert found.mugshots[130].endswith("mugshot_frontal_original_all/130_frontal.JPG")
        assert found.distances == [1, 2, 3]
        assert [(p.distance, p.subject, p.camera) for p in found.probes] == [
            (distance, subject, camera) for distance in (1, 2, 3) for subject in (1, 2, 130) for camera in range(1, 6)
        ]
    cropped = find_scface(open_source(scface), "mugshot_frontal_cropped_all")
    assert cropped.mugshots[2] == "Mugshot_frontal_cropped_all/002_frontal.jpg"
    some = cropped.of_subjects([130, 1])
    assert list(some.mugshots) == [1, 130]
    assert {probe.subject for probe in some.probes} == {1, 130}
    assert len(some.probes) == 30


def test_partial_trees_are_refused(scface: Path, tmp_path: Path) -> None:
    def refused(*removed: str) -> str:
        copy = tmp_path / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(scface, copy)
        for pattern in removed:
            for path in copy.glob(pattern):
                path.unlink()
        with pytest.raises(UserError) as error:
            find_scface(open_source(copy))
        return str(error.value)

    assert "lacks 1 of 15 images of distance 2, such as 002_cam3_2.jpg" in refused("*/002_cam3_2.jpg")
    assert "holds no surveillance_cameras_all/001_cam1_1.jpg" in refused("surveillance*/*")
    assert "holds no mugshots mugshot_frontal_original_all or mugshot_frontal_cropped_all" in refused("*ugshot*/*")
    assert "lacks the mugshots of 1 person, such as 002_frontal.jpg" in refused("*ugshot*/002*")
    copy = tmp_path / "copy"
    shutil.rmtree(copy)
    shutil.copytree(scface, copy)
    shutil.rmtree(copy / "Mugshot_frontal_cropped_all")
    with pytest.raises(UserError, match="holds no mugshots mugshot_frontal_cropped_all/"):
        find_scface(open_source(copy), "mugshot_frontal_cropped_all")
    # A whole distance may be absent: look-alikes have fewer.
    for path in copy.glob("*/*_3.*"):
        path.unlink()
    assert find_scface(open_source(copy)).distances == [1, 2]
    small_image(copy / "more/surveillance_cameras_all/001_CAM1_1.jpeg")
    with pytest.raises(UserError, match="is there twice"):
        find_scface(open_source(copy))


def write_tables(folder: Path, mugshots: str) -> None:
    subjects, cameras = (1, 2, 130), range(1, 6)
    write_landmarks(folder / "scface_mugshot.csv", {f"{mugshots}/{s:03d}_frontal.jpg": POINTS for s in subjects})
    for distance in (1, 2, 3):
        names = [f"surveillance_cameras_all/{s:03d}_cam{c}_{distance}.jpg" for s in subjects for c in cameras]
        write_landmarks(folder / f"SCface_distance{distance}.csv", dict.fromkeys(names, POINTS + distance))


def test_landmark_tables(scface: Path, tmp_path: Path) -> None:
    for mugshots in ("mugshot_frontal_original_all", "mugshot_frontal_cropped_all"):
        write_tables(tmp_path, mugshots)
        landmarks, folder = read_scface_landmarks(tmp_path, [1, 2, 3])
        assert folder == mugshots
        images = find_scface(open_source(scface), folder)
        check_landmarks(images, landmarks, tmp_path)
        for probe in images.probes:
            np.testing.assert_allclose(landmarks[image_key(probe.name)], POINTS + probe.distance, atol=0.006)
    images = find_scface(open_source(scface))  # the tables now are of the cropped mugshots
    with pytest.raises(UserError, match=r"scface_mugshot\.csv holds no landmarks of any of the 3 images"):
        check_landmarks(images, landmarks, tmp_path)
    (tmp_path / "SCface_distance2.csv").unlink()
    with pytest.raises(UserError, match=r"scface_distance2\.csv is missing"):
        read_scface_landmarks(tmp_path, [1, 2, 3])
    assert len(read_scface_landmarks(tmp_path, [1, 3])[0]) == 33
    with pytest.raises(UserError, match="is no folder"):
        read_scface_landmarks(tmp_path / "none", [1])


def test_a_probe_is_aligned_near_its_own_resolution(scface: Path) -> None:
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (100, 75, 3), np.uint8)
    points = np.array([[30.0, 40.2], [40.0, 40.0], [35.0, 46.0], [31.0, 52.4], [39.0, 52.0]])
    crop = align_probe(image, points, "lai")
    assert crop.shape == (37, 37, 3)  # int(3 * 12.4)
    # Where the transform sends the middle of the face, the crop shows the pixels of there.
    transform = similarity_transform(points, template_points("lai", 37))
    scale = np.hypot(transform[0, 0], transform[1, 0])
    assert 0.7 < scale < 1.5
    probes = find_scface(open_source(scface)).probes[:2]
    known = {image_key(probes[0].name): POINTS}
    aligned = align_probes(open_source(scface), probes, known, "lai")
    assert [len(face) for face in aligned] == [int(3 * np.ptp(POINTS[:, 1])), int(3 * np.ptp(POINTS[:, 1]) * 24 / 40)]
    with pytest.raises(UserError, match="are no face"):
        align_probes(open_source(scface), probes[:1], {image_key(probes[0].name): np.ones((5, 2))}, "lai")


def test_test_subjects(tmp_path: Path) -> None:
    drawn = draw_test_subjects(range(1, 131), 80, seed=0)
    assert len(set(drawn)) == 80
    assert set(drawn) <= set(range(1, 131))
    assert drawn == draw_test_subjects(range(130, 0, -1), 80, seed=0) != draw_test_subjects(range(1, 131), 80, seed=1)
    with pytest.raises(UserError, match="3 persons are too few to draw 80"):
        draw_test_subjects([1, 2, 3], 80, 0)
    (tmp_path / "list.txt").write_text("130\n2\n")
    assert read_test_subjects(tmp_path / "list.txt", [1, 2, 130]) == [2, 130]
    for text, message in (
        ("5", r"names others \(1\) than the 3 persons there, such as 5"),
        ("x", "such as x"),
        ("2 2", "such as 2 2"),
        ("2\n2", "names somebody twice"),
        ("", "is empty; it should be a list of test subjects"),
    ):
        (tmp_path / "list.txt").write_text(text)
        with pytest.raises(UserError, match=message):
            read_test_subjects(tmp_path / "list.txt", [1, 2, 130])
    with pytest.raises(UserError, match="cannot be read as a list"):
        read_test_subjects(tmp_path / "none.txt", [1])


def test_shrinking_brings_the_eyes_together() -> None:
    image = np.random.default_rng(0).integers(0, 256, (218, 178, 3), np.uint8)
    points = template_points("centred", 128) + 20
    for wanted in (4.0, 10.0, 17.0, 30.0):
        small, small_points = shrink(image, points, wanted)
        assert eye_distance(small_points) == pytest.approx(wanted, rel=0.03)
        scale = wanted / eye_distance(points)
        assert small.shape == (round(218 * scale), round(178 * scale), 3)
        middle = (small_points.mean(axis=0) + 0.5) / (small.shape[1], small.shape[0])
        np.testing.assert_allclose(middle, (points.mean(axis=0) + 0.5) / (178, 218))
        expected = Image.fromarray(image).resize(small.shape[1::-1], Image.Resampling.BICUBIC)
        assert np.abs(small.astype(int) - np.asarray(expected, int)).max() <= 2
    same, same_points = shrink(image, points, 100.0)
    np.testing.assert_array_equal(same, image)
    np.testing.assert_allclose(same_points, points)


def test_which_photos_are_chosen() -> None:
    def photo(distance: float) -> np.ndarray:
        return template_points("lai", 128) * (distance / 40.2716)

    distances = dict(zip("abcdefgh", (31, 29, 35, 28, 50, 30.5, 33, 40), strict=True))
    landmarks = {f"5/{name}": photo(distance) for name, distance in distances.items()} | {"10/a": photo(40)}
    photos = {"5": [f"5/{name}" for name in "hgfedcba"] + ["5/no face"], "10": ["10/a"]}
    (person,) = choose_photos(photos, landmarks, least_eye_distance=30, persons=0)
    assert person.mugshot == "5/e"
    assert person.probes == ("5/a", "5/c", "5/f", "5/g", "5/h")
    (person,) = choose_photos(photos, landmarks, least_eye_distance=34, persons=0)
    assert person.probes == ("5/c", "5/h", "5/g", "5/a", "5/f")
    with pytest.raises(UserError, match="Of 1 person nobody has 6 photos with landmarks"):
        choose_photos({"10": ["10/a"]}, landmarks, 30, 0)
    assert len(choose_photos({"5": photos["5"], "15": photos["5"]}, landmarks, 30, 1)) == 1

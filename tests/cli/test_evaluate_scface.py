"""The SCface tool on a look-alike made by tools/make_scface_lookalike.py; figures once more with NumPy and Pillow."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.data.landmarks import read_landmarks, write_landmarks
from lrfr_tf.faces.align import align_face
from lrfr_tf.files import read_json, write_json
from lrfr_tf.images.decode import read_image
from tests.cli.conftest import Refused, Tool
from tests.faces_by_code import person
from tests.tools.small_embedders import embed_by_hand, pillow, write_small_embedder

POINTS = np.array([[48.0, 58.0], [80.0, 58.0], [65.0, 77.0], [52.0, 93.0], [77.0, 93.0]])  # in 128 x 128
PEOPLE = {"5": 7, "10": 6, "12": 6, "15": 8, "20": 6, "25": 5, "100": 6}


@pytest.fixture(scope="module")
def photos(portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """<person>/<photo>.jpg and a table of landmarks; 12 is not held out, and 25 has too few photos."""
    root = tmp_path_factory.mktemp("scface_photos")
    rows = {}
    for identity, (name, count) in enumerate(PEOPLE.items()):
        (root / "people" / name).mkdir(parents=True)
        for photo in range(count):
            image = Image.fromarray(person(portrait, identity, photo, 128))
            side = 128 + 8 * photo  # the later photos are larger
            image.resize((side, side)).save(root / f"people/{name}/{photo}.jpg", quality=95)
            rows[f"{name}/{photo}.jpg"] = (POINTS + 0.5) * (side / 128) - 0.5
    write_landmarks(root / "people.csv", rows)
    write_small_embedder(root / "small" / "1")
    return root


@pytest.fixture(scope="module")
def lookalike(photos: Path, tool: Tool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("scface_lookalike") / "tree"
    module = tool("make_scface_lookalike")
    module.main(
        module.Config(
            data=str(photos / "people"), landmarks=str(photos / "people.csv"), output=str(output),
            eye_distances=(10.0, 17.0, 30.0),
        )
    )  # fmt: skip
    return output


def settings(photos: Path, tree: Path, folder: Path, **more: Any) -> dict[str, Any]:
    return {
        "model": str(photos / "small"), "data": str(tree / "SCface_database"), "landmarks": str(tree / "landmarks"),
        "output": str(folder / "result.json"), **more,
    }  # fmt: skip


def by_hand(
    tree: Path,
    distance: int,
    persons: list[int],
    template: str = "lai",
    small: bool = False,
    flip: bool = False,
    matched: bool = False,
    full: int = 128,
) -> np.ndarray:
    """bool [persons, 5]: is the nearest mugshot the right one?"""  # fmt: skip
    probes = read_landmarks(tree / f"landmarks/scface_distance{distance}.csv")
    mugshots = read_landmarks(tree / "landmarks/scface_mugshot.csv")
    crops = {}
    for name, points in probes.items():
        side = int(3 * (points[:, 1].max() - points[:, 1].min()))
        crop = align_face(np.asarray(Image.open(tree / "SCface_database" / name)), points, template=template, size=side)
        crops[name] = crop if small else pillow(crop, full, full)
    gallery = []
    for subject in persons:
        name = f"mugshot_frontal_original_all/{subject:03d}_frontal.jpg"
        face = align_face(
            np.asarray(Image.open(tree / "SCface_database" / name)), mugshots[name], template=template, size=full
        )
        if matched:
            sides = [int(3 * np.ptp(probes[probe][:, 1])) for probe in probes if int(probe[-14:-11]) in persons]
            side = int(np.median(sides))
            face = pillow(pillow(face, side, side), full, full)
        gallery.append(embed_by_hand(face, flip))
    right = np.zeros((len(persons), 5), bool)
    for row, subject in enumerate(persons):
        for camera in range(1, 6):
            probe = embed_by_hand(crops[f"surveillance_cameras_all/{subject:03d}_cam{camera}_{distance}.jpg"], flip)
            right[row, camera - 1] = np.argmax([probe @ mugshot for mugshot in gallery]) == row
    return right


def test_the_lookalike_is_scface_in_names_and_sizes(photos: Path, lookalike: Path) -> None:
    manifest = read_json(lookalike / "manifest.json")
    assert [person["identity"] for person in manifest["persons"].values()] == ["5", "10", "15", "20", "100"]
    assert manifest["counts"] == {"persons": 5, "probes": 75, "probes_not_shrunk": 0}
    assert manifest["persons"]["003"]["mugshot"] == "15/7.jpg"  # the largest
    names = {path.name for path in (lookalike / "SCface_database/surveillance_cameras_all").iterdir()}
    expected = {f"{s:03d}_cam{c}_{d}.jpg" for s in range(1, 6) for c in range(1, 6) for d in (1, 2, 3)}
    assert names == expected
    for distance, wanted in ((1, 10), (2, 17), (3, 30)):
        rows = read_landmarks(lookalike / f"landmarks/scface_distance{distance}.csv")
        assert len(rows) == 25
        for points in rows.values():
            assert np.hypot(*(points[1] - points[0])) == pytest.approx(wanted, rel=0.03)
    # The face lies where the table says: the shrunk probe, enlarged, is the photo.
    photo = np.asarray(Image.open(photos / "people" / manifest["persons"]["001"]["probes"][0]))
    probe = np.asarray(Image.open(lookalike / "SCface_database/surveillance_cameras_all/001_cam1_3.jpg"))
    enlarged = pillow(probe, *photo.shape[:2]).astype(float)
    assert np.abs(enlarged - photo).mean() < 8


def test_figures_equal_those_by_hand(
    tool: Tool, photos: Path, lookalike: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module = tool("evaluate_scface")
    module.main(module.Config(**settings(photos, lookalike, tmp_path)))
    result = read_json(tmp_path / "result.json")
    assert result["counts"] == {
        "persons": 5, "probes": 75, "mugshots_without_landmarks": 0, "probes_without_landmarks": 0,
    }  # fmt: skip
    assert "5-way closed set" in result["protocol"]
    for distance in (1, 2, 3):
        right, row = by_hand(lookalike, distance, [1, 2, 3, 4, 5]), result["distances"][str(distance)]
        assert row["rank_1"] == pytest.approx(right.mean())
        assert list(row["cameras"].values()) == pytest.approx(list(right.mean(axis=0)))
        assert row["cmc"][0] == row["rank_1"]
        assert row["cmc"][-1] == 1.0
        assert len(row["cmc"]) == 5
        assert row["interval_95"][0] <= row["rank_1"] <= row["interval_95"][1]
    assert result["distances"]["3"]["rank_1"] > 0.5
    assert result["distances"]["1"]["probe_side"]["median"] < result["distances"]["2"]["probe_side"]["median"]
    printed = capsys.readouterr().out
    assert f"{100 * result['distances']['1']['rank_1']:.2f}" in printed
    assert "79.85" in printed
    assert read_image(tmp_path / "result.cmc.png").shape == (550, 800, 3)


def test_faces_are_aligned_to_what_the_network_takes(tool: Tool, photos: Path, lookalike: Path, tmp_path: Path) -> None:
    write_small_embedder(tmp_path / "small" / "1", template="centred", input_size=112)
    module = tool("evaluate_scface")
    module.main(module.Config(**settings(photos, lookalike, tmp_path, model=str(tmp_path / "small"))))
    result = read_json(tmp_path / "result.json")
    assert "aligned to 112 x 112" in result["protocol"]
    assert "128" not in result["protocol"]
    for distance in (1, 2, 3):
        right = by_hand(lookalike, distance, [1, 2, 3, 4, 5], "centred", full=112)
        assert list(result["distances"][str(distance)]["cameras"].values()) == pytest.approx(list(right.mean(axis=0)))


@pytest.mark.parametrize(
    ("flags", "hand"),
    [
        ({"probe_form": "small"}, {"small": True}),
        ({"flip": True, "template": "centred"}, {"flip": True, "template": "centred"}),
        ({"matched_gallery": True}, {"matched": True}),
    ],
)
def test_options_change_what_they_should(
    tool: Tool, photos: Path, lookalike: Path, tmp_path: Path, flags: dict[str, Any], hand: dict[str, Any]
) -> None:
    module = tool("evaluate_scface")
    module.main(module.Config(**settings(photos, lookalike, tmp_path, **flags)))
    result = read_json(tmp_path / "result.json")
    for distance in (1, 3):
        right = by_hand(lookalike, distance, [1, 2, 3, 4, 5], **hand)
        assert result["distances"][str(distance)]["rank_1"] == pytest.approx(right.mean())


def test_listed_test_subjects_make_the_gallery(tool: Tool, photos: Path, lookalike: Path, tmp_path: Path) -> None:
    (tmp_path / "test.txt").write_text("5\n002\n3\n")
    module = tool("evaluate_scface")
    listed = str(tmp_path / "test.txt")
    module.main(module.Config(**settings(photos, lookalike, tmp_path, protocol="80way", test_subjects=listed)))
    result = read_json(tmp_path / "result.json")
    assert result["subjects"] == [2, 3, 5]
    assert result["counts"]["probes"] == 45
    assert result["distances"]["1"]["rank_1"] == pytest.approx(by_hand(lookalike, 1, [2, 3, 5]).mean())


@pytest.fixture(scope="module")
def whole_size(portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree of as many persons, cameras and distances as SCface has: 130 mugshots and 1,950 probes."""
    root = tmp_path_factory.mktemp("scface_of_130")
    folders = [f"SCface_database/{name}_all" for name in ("mugshot_frontal_original", "surveillance_cameras")]
    for folder in folders:
        (root / folder).mkdir(parents=True)
    tables: dict[str, dict[str, np.ndarray]] = {name: {} for name in ("mugshot", "distance1", "distance2", "distance3")}

    def write(table: str, name: str, image: np.ndarray) -> None:
        Image.fromarray(image).save(root / "SCface_database" / name, quality=95)
        tables[table][name] = (POINTS + 0.5) * (image.shape[0] / 128) - 0.5

    for subject in range(1, 131):
        name = f"mugshot_frontal_original_all/{subject:03d}_frontal.jpg"
        write("mugshot", name, person(portrait, subject, 0, 96))
        for camera in range(1, 6):
            photo = person(portrait, subject, camera, 72)
            for distance, side in ((1, 24), (2, 40), (3, 72)):
                name = f"surveillance_cameras_all/{subject:03d}_cam{camera}_{distance}.jpg"
                write(f"distance{distance}", name, pillow(photo, side, side))
    for table, rows in tables.items():
        write_landmarks(root / "landmarks" / f"scface_{table}.csv", rows)
    return root


def test_the_130_persons_and_80_drawn_of_them(tool: Tool, photos: Path, whole_size: Path, tmp_path: Path) -> None:
    module = tool("evaluate_scface")
    module.main(module.Config(**settings(photos, whole_size, tmp_path / "130")))
    result = read_json(tmp_path / "130/result.json")
    assert (result["counts"]["persons"], result["counts"]["probes"]) == (130, 1950)
    everybody = by_hand(whole_size, 1, list(range(1, 131)))
    assert 0.02 < everybody.mean() < 0.9  # chance is below 0.01
    assert result["distances"]["1"]["rank_1"] == pytest.approx(everybody.mean())
    drawn = {}
    for seed in (0, 1):
        folder = tmp_path / f"80-{seed}"
        module.main(module.Config(**settings(photos, whole_size, folder, protocol="80way", seed=seed)))
        drawn[seed] = read_json(folder / "result.json")
        assert "80-way" in drawn[seed]["protocol"]
        assert drawn[seed]["counts"]["probes"] == 80 * 15
        assert len(set(drawn[seed]["subjects"])) == 80
        assert set(drawn[seed]["subjects"]) < set(range(1, 131))
    assert drawn[0]["subjects"] != drawn[1]["subjects"]
    right = by_hand(whole_size, 1, drawn[0]["subjects"])
    assert drawn[0]["distances"]["1"]["rank_1"] == pytest.approx(right.mean())


def test_the_paired_difference(
    tool: Tool, photos: Path, lookalike: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module = tool("evaluate_scface")
    other = str(tmp_path / "plain/result.json")
    module.main(module.Config(**settings(photos, lookalike, tmp_path / "plain")))
    module.main(module.Config(**settings(photos, lookalike, tmp_path / "flip", flip=True, baseline=other)))
    result = read_json(tmp_path / "flip/result.json")
    for distance in (1, 2, 3):
        ours, theirs = (by_hand(lookalike, distance, [1, 2, 3, 4, 5], flip=flip) for flip in (True, False))
        found = result["difference_to_baseline"][str(distance)]
        assert found["mean"] == pytest.approx(ours.mean() - theirs.mean())
        assert found["interval_95"][0] <= found["mean"] <= found["interval_95"][1]
    assert "to the baseline" in capsys.readouterr().out


def test_mistakes_leave_nothing(tool: Tool, refused: Refused, photos: Path, lookalike: Path, tmp_path: Path) -> None:
    module = tool("evaluate_scface")

    def call(**changed: str) -> str:
        flags = settings(photos, lookalike, tmp_path / "out", **changed)
        return refused(module, *(f"--{name}={value}" for name, value in flags.items()))

    assert "too few to draw 80" in call(protocol="80way")
    assert "so it is not SCface" in call(data=str(photos / "people"))
    assert "is no folder" in call(landmarks=str(photos / "people.csv"))
    assert "scface_mugshot.csv is missing" in call(landmarks=str(photos / "people"))
    assert "cannot be read as a list" in call(test_subjects=f"{tmp_path}/none.txt")
    assert "is no result of lrfr evaluate scface" in call(baseline=str(lookalike / "manifest.json"))
    other = {"distances": {}, "images_sha256": "that of other images"}
    write_json(tmp_path / "other.json", other)
    assert "was measured on other images" in call(baseline=str(tmp_path / "other.json"))
    assert "is a folder" in call(output=str(tmp_path))
    assert not (tmp_path / "out").exists()

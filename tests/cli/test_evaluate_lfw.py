"""The LFW tool on a look-alike tree; similarities, thresholds and figures are found once more with NumPy and Pillow."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.data.landmarks import read_landmarks, write_landmarks
from lrfr_tf.data.pairs import read_pairs
from lrfr_tf.faces.align import align_face
from lrfr_tf.files import read_json, sha256
from lrfr_tf.images.camera_numpy import photograph
from lrfr_tf.images.decode import read_image
from lrfr_tf.images.probes import shrink_to_probe
from tests.cli.conftest import Refused, Tool
from tests.faces_by_code import person, write_people
from tests.tools.small_embedders import embed_by_hand, pillow, write_small_embedder

PERSONS = ("Ann_B", "Cy_D", "Ed_F", "Gi_H", "Jo_K", "Li_M")
POINTS = np.array([[36.0, 44.0], [60.0, 44.0], [49.0, 58.0], [39.0, 70.0], [58.0, 70.0]])


@pytest.fixture(scope="module")
def lfw(portrait: np.ndarray, tool: Tool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """LFW's layout with six persons, a list of pairs (3 folds of 8 + 8), landmarks and an exported embedder."""
    root = tmp_path_factory.mktemp("evaluate_lfw")
    rows = {}
    for identity, name in enumerate(PERSONS):
        (root / "lfw" / name).mkdir(parents=True)
        for photo in range(5):
            file = f"{name}/{name}_{photo + 1:04d}.jpg"
            Image.fromarray(person(portrait, identity, photo)).save(root / "lfw" / file, quality=95)
            rows[f"lfw/{file}"] = POINTS + np.random.default_rng(10 * identity + photo).normal(0, 0.5, (5, 2))
    write_landmarks(root / "LFW.csv", rows)
    pairs = tool("make_pairs")
    pairs.main(
        pairs.Config(
            data=(str(root / "lfw"),), output=str(root / "pairs.txt"), held_out_divisor=0, folds=3, pairs_per_fold=8
        )
    )
    write_small_embedder(root / "small" / "1")
    return root


def settings(lfw: Path, folder: Path, **more: Any) -> dict[str, Any]:
    return {
        "model": str(lfw / "small"), "data": str(lfw / "lfw"), "pairs": str(lfw / "pairs.txt"),
        "landmarks": str(lfw / "LFW.csv"), "probe_sizes": (8, 128), "output": str(folder / "result.json"), **more,
    }  # fmt: skip


def by_hand(
    lfw: Path,
    size: int,
    template: str = "lai",
    small: bool = False,
    flip: bool = False,
    matched: bool = False,
    full: int = 128,
) -> dict[str, Any]:
    """Accuracy of each fold and the similarities, pair by pair."""
    landmarks = read_landmarks(lfw / "LFW.csv")

    def embedded(end: tuple[str, str], side: int) -> np.ndarray:
        name = f"{end[0]}/{end[1].split('.')[0]}.jpg"
        face = align_face(
            np.asarray(Image.open(lfw / "lfw" / name)), landmarks[f"lfw/{name}"], template=template, size=full
        )
        if side != full:
            face = pillow(face, side, side)
            face = face if small else pillow(face, full, full)
        return embed_by_hand(face, flip)

    folds = read_pairs(lfw / "pairs.txt")
    similarities = np.array(
        [[embedded(p.first, size if matched else full) @ embedded(p.second, size) for p in fold] for fold in folds]
    )
    same = np.array([[p.same for p in fold] for fold in folds])
    accuracies = []
    for fold in range(len(folds)):
        others = [other for other in range(len(folds)) if other != fold]
        best = (-1.0, 0.0)
        for threshold in np.linspace(-1, 1, 10001):
            best = max(best, (float(((similarities[others] >= threshold) == same[others]).mean()), threshold))
        accuracies.append(float(((similarities[fold] >= best[1]) == same[fold]).mean()))
    return {"folds": accuracies, "similarities": similarities.ravel(), "same": same.ravel()}


def test_figures_equal_those_by_hand(tool: Tool, lfw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    module = tool("evaluate_lfw")
    module.main(module.Config(**settings(lfw, tmp_path)))
    result = read_json(tmp_path / "result.json")
    assert result["counts"] == {
        "pairs": 48, "matched": 24, "folds": 3, "persons": 6, "persons_in_several_folds": 0,
        "images": result["counts"]["images"], "images_without_landmarks": 0,
    }  # fmt: skip
    assert result["model"]["name"].startswith("small-1-")
    assert result["model"]["sha256"] == read_json(lfw / "small/1/model.json")["sha256"]
    assert result["pairs_sha256"] == sha256(lfw / "pairs.txt")
    for size in (8, 128):
        row, expected = result["sizes"][str(size)], by_hand(lfw, size)
        np.testing.assert_allclose(row["folds"], expected["folds"], atol=1e-9)
        assert row["accuracy"] == pytest.approx(np.mean(expected["folds"]))
        assert row["standard_deviation"] == pytest.approx(np.std(expected["folds"]))
        matched, mismatched = (expected["similarities"][expected["same"] == kind] for kind in (True, False))
        auc = np.mean(matched[:, None] > mismatched[None])
        assert row["auc"] == pytest.approx(auc, abs=1e-3)
        # Of 24 mismatched pairs 1 % is none: the threshold lies just above the most alike. (Ours are float32.)
        assert row["threshold_at_far"]["0.01"] == pytest.approx(mismatched.max(), abs=1e-5)
    assert 0.6 < result["sizes"]["128"]["accuracy"] <= 1
    printed = capsys.readouterr().out
    assert f"{100 * result['sizes']['8']['accuracy']:.2f}" in printed
    assert "94.80" in printed  # the paper's
    for picture in ("result.accuracy.png", "result.roc.png"):
        assert read_image(tmp_path / picture).shape == (550, 800, 3)


@pytest.mark.parametrize(
    ("flags", "hand"),
    [
        ({"probe_form": "small"}, {"small": True}),
        ({"flip": True, "template": "centred"}, {"flip": True, "template": "centred"}),
        ({"matched_gallery": True}, {"matched": True}),
    ],
)
def test_options_change_what_they_should(
    tool: Tool, lfw: Path, tmp_path: Path, flags: dict[str, Any], hand: dict[str, Any]
) -> None:
    module = tool("evaluate_lfw")
    module.main(module.Config(**settings(lfw, tmp_path, **flags, probe_sizes=(12,))))
    result = read_json(tmp_path / "result.json")
    expected = by_hand(lfw, 12, **hand)
    np.testing.assert_allclose(result["sizes"]["12"]["folds"], expected["folds"], atol=1e-9)
    matched, mismatched = (expected["similarities"][expected["same"] == kind] for kind in (True, False))
    assert result["sizes"]["12"]["auc"] == pytest.approx(np.mean(matched[:, None] > mismatched[None]), abs=1e-3)


def test_the_paired_difference(tool: Tool, lfw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    module = tool("evaluate_lfw")
    module.main(module.Config(**settings(lfw, tmp_path / "plain")))
    module.main(
        module.Config(**settings(lfw, tmp_path / "flip", flip=True, baseline=str(tmp_path / "plain/result.json")))
    )
    plain, flip = (read_json(tmp_path / name / "result.json") for name in ("plain", "flip"))
    for size in ("8", "128"):
        bits = [
            np.unpackbits(np.frombuffer(bytes.fromhex(r["sizes"][size]["correct"]), np.uint8)) for r in (flip, plain)
        ]
        found = flip["difference_to_baseline"][size]
        assert found["mean"] == pytest.approx((bits[0].astype(float) - bits[1]).mean())
        low, high = found["interval_95"]
        assert low <= found["mean"] <= high
    assert "to the baseline" in capsys.readouterr().out
    assert plain["difference_to_baseline"] is None


def test_without_landmarks_mtcnn_looks_once(
    tool: Tool, portrait: np.ndarray, lfw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_people(tmp_path / "people", portrait, {"5": 2, "10": 2, "15": 2, "20": 2}, size=128)
    Image.new("RGB", (128, 128), (128, 120, 110)).save(tmp_path / "people/5/00.png")  # no face
    pairs = tool("make_pairs")
    people, listed = str(tmp_path / "people"), str(tmp_path / "pairs.txt")
    pairs.main(pairs.Config(data=(people,), output=listed, folds=2, pairs_per_fold=2))
    module = tool("evaluate_lfw")
    flags = settings(lfw, tmp_path / "a", data=people, pairs=listed, landmarks=None)
    module.main(module.Config(**flags, save_landmarks=str(tmp_path / "found.csv")))
    assert "note: Of 8 photos 1 has no landmarks, such as 5/00.png" in capsys.readouterr().out
    assert len(read_landmarks(tmp_path / "found.csv")) == 7
    module.main(
        module.Config(**settings(lfw, tmp_path / "b", data=people, pairs=listed, landmarks=str(tmp_path / "found.csv")))
    )
    first, second = (read_json(tmp_path / name / "result.json") for name in ("a", "b"))
    assert first["counts"] == second["counts"]
    assert first["counts"]["images_without_landmarks"] == 1
    for size in first["sizes"]:
        assert first["sizes"][size]["correct"] == second["sizes"][size]["correct"]


def test_mistakes_leave_nothing(tool: Tool, refused: Refused, lfw: Path, tmp_path: Path) -> None:
    module = tool("evaluate_lfw")

    def call(**changed: str) -> str:
        flags = {
            name: str(value)
            for name, value in settings(lfw, tmp_path / "out", **changed).items()
            if name != "probe_sizes" or name in changed
        }
        return refused(module, *(f"--{name}={value}" for name, value in flags.items()))

    assert "pairs.txt is missing" in call(pairs=f"{tmp_path}/pairs.txt")
    assert "/nowhere does not exist" in call(data="/nowhere")
    (tmp_path / "empty").mkdir()
    assert "lacks 30 of 30 images that the list of pairs names" in call(data=f"{tmp_path}/empty")
    assert "'squeeze' is not known" in call(model="squeeze")
    assert "The weight file none.weights.h5 is missing" in call(model="none.weights.h5")
    assert "none.csv is missing" in call(landmarks=f"{tmp_path}/none.csv")
    assert "must lie in 1 to 128" in call(probe_sizes="8,200")
    assert "none.json is missing" in call(baseline=f"{tmp_path}/none.json")
    assert "is no result of lrfr evaluate lfw" in call(baseline=str(lfw / "small/1/model.json"))
    assert "is a folder" in call(output=str(tmp_path))
    write_landmarks(tmp_path / "other.csv", {"a/b.jpg": POINTS})
    assert "holds no landmarks of any of the" in call(landmarks=f"{tmp_path}/other.csv")
    assert not (tmp_path / "out").exists()


@pytest.mark.facenet
def test_facenet_takes_the_aligned_faces(tool: Tool, lfw: Path, facenet_weights: Path, tmp_path: Path) -> None:
    module = tool("evaluate_lfw")
    flags = settings(lfw, tmp_path, model="facenet", facenet_weights=str(facenet_weights), probe_sizes=(128,))
    module.main(module.Config(**flags))
    result = read_json(tmp_path / "result.json")
    assert result["model"]["name"] == "facenet-128-6acdd8fb3a3f"
    # All persons are one face in different tints, which FaceNet hardly sees.
    assert result["sizes"]["128"]["auc"] > 0.5


def test_faces_lie_on_the_template_of_the_model(
    tool: Tool, lfw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_small_embedder(tmp_path / "small" / "1", template="centred")
    given = settings(lfw, tmp_path, model=str(tmp_path / "small"), probe_sizes=(12,))
    module = tool("evaluate_lfw")
    module.main(module.Config(**given))
    result = read_json(tmp_path / "result.json")
    assert "on the template 'centred'" in result["protocol"]
    expected = by_hand(lfw, 12, template="centred")
    np.testing.assert_allclose(result["sizes"]["12"]["folds"], expected["folds"], atol=1e-9)
    capsys.readouterr()
    module.main(module.Config(**{**given, "template": "lai"}))
    assert "note: small-1-" in (error := capsys.readouterr().err)
    assert "was trained on the template 'centred', and is measured on 'lai'" in error
    assert "on the template 'lai'" in read_json(tmp_path / "result.json")["protocol"]


def test_faces_are_aligned_to_what_the_network_takes(tool: Tool, lfw: Path, tmp_path: Path) -> None:
    write_small_embedder(tmp_path / "small" / "1", template="centred", input_size=112)
    module = tool("evaluate_lfw")
    module.main(module.Config(**settings(lfw, tmp_path, model=str(tmp_path / "small"), probe_sizes=())))
    result = read_json(tmp_path / "result.json")
    assert list(result["sizes"]) == ["8", "12", "16", "20", "112"]
    assert "aligned to 112 x 112" in result["protocol"]
    assert "128" not in result["protocol"]
    for size in (8, 112):
        expected = by_hand(lfw, size, "centred", full=112)
        np.testing.assert_allclose(result["sizes"][str(size)]["folds"], expected["folds"], atol=1e-9)
        matched, mismatched = (expected["similarities"][expected["same"] == kind] for kind in (True, False))
        assert result["sizes"][str(size)]["auc"] == pytest.approx(
            np.mean(matched[:, None] > mismatched[None]), abs=1e-3
        )


def test_probes_by_a_camera(lfw: Path, tool: Tool, tmp_path: Path) -> None:
    """A row of each camera and size: image 1 stays sharp, image 2 is the photo that the camera model takes of it."""
    script = tool("evaluate_lfw")
    script.main(script.Config(**settings(lfw, tmp_path, camera=("clean", "harsh"), probe_sizes=(16, 128))))
    result = read_json(tmp_path / "result.json")
    assert list(result["sizes"]) == ["16", "128", "harsh 16", "harsh 128"]
    assert result["sizes"]["harsh 16"]["auc"] <= result["sizes"]["16"]["auc"]
    assert "docs/camera.md" in result["protocol"]
    clean = read_json(tmp_path / "result.json")["sizes"]["16"]
    script.main(script.Config(**settings(lfw, tmp_path, probe_sizes=(16, 128))))
    assert read_json(tmp_path / "result.json")["sizes"]["16"] == clean  # the margin is the camera's alone
    # One similarity by hand: the probe is `photograph` of the aligned face with its margin, enlarged again.
    landmarks = read_landmarks(lfw / "LFW.csv")
    names = sorted(landmarks)[:2]
    faces = [
        align_face(np.asarray(Image.open(lfw / name)), landmarks[name], template="lai", size=128, margin=18)
        for name in names
    ]
    probe = shrink_to_probe(np.stack(faces), 16, camera="moderate", first_seed=7, margin=18)[1]
    np.testing.assert_array_equal(probe, pillow(photograph(faces[1], 16, "moderate", 8, margin=18), 128, 128))

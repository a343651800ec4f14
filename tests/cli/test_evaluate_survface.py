"""tools/evaluate_survface.py on a look-alike, against counting over all pairs and all similarities at once."""

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from PIL import Image
from sklearn.metrics import roc_auc_score

from lrfr_tf.benchmarks import benchmark_result, embed_crops
from lrfr_tf.evaluation.verification import best_threshold
from lrfr_tf.files import read_json
from lrfr_tf.images.decode import decode_image
from lrfr_tf.networks.embedding import Embedder
from tests.cli.conftest import Refused, Tool
from tests.survface_by_code import made_up, write_survface_identification, write_survface_verification
from tests.tools.small_runs import small_embedder

VERIFICATION, IDENTIFICATION = "Face_Verification_Test_Set", "Face_Identification_Test_Set"


def stand_in(model: str = "", weights: Path | None = None, backbone: str = "") -> Embedder:
    return small_embedder()


@pytest.fixture(scope="module")
def tree(portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("survface") / "QMUL-SurvFace"
    write_survface_verification(root, made_up(portrait))
    return write_survface_identification(root, made_up(portrait))


def embeddings_by_name(folder: Path, mirrored: bool = False) -> dict[str, np.ndarray]:
    """Each image by Pillow in two passes to 128 x 128, and the stand-in: float64, of unit length."""
    embedder = small_embedder()
    found = {}
    for path in folder.iterdir():
        with Image.open(path) as image:
            wide = image.convert("RGB").resize((128, image.height), Image.Resampling.BICUBIC)
        crop = np.asarray(wide.resize((128, 128), Image.Resampling.BICUBIC))
        total = embedder.embed([crop])[0].astype(float)
        if mirrored:
            total = total + embedder.embed([crop[:, ::-1]])[0]
        found[path.name.lower()] = total / np.linalg.norm(total)
    return found


def rate_by_lines(far: np.ndarray, tar: np.ndarray, target: float) -> float:
    """np.interp on the upper ends of the curve's steps; the curve's points come from counting."""
    ends = {}
    for x, y in zip(far, tar, strict=True):
        ends[x] = max(y, ends.get(x, 0.0))
    xs = np.array(sorted(ends))
    # Between two FARs the curve rises from the upper end of the left one to the lower end of the right one.
    right = xs[np.searchsorted(xs, target)]
    if right == target:
        return float(ends[right])
    left = xs[np.searchsorted(xs, target) - 1]
    lower = min(y for x, y in zip(far, tar, strict=True) if x == right)
    return float(ends[left] + (lower - ends[left]) * (target - left) / (right - left))


def counted(scores: np.ndarray, same: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    points = [(0.0, 0.0)]
    for threshold in sorted(set(scores), reverse=True):
        points.append((np.mean(scores[~same] >= threshold), np.mean(scores[same] >= threshold)))
    far, tar = np.array(points).T
    return far, tar


@pytest.mark.parametrize("flip", [False, True])
def test_figures_are_those_of_counting(
    tool: Tool, tree: Path, tmp_path: Path, flip: bool, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    module = tool("evaluate_survface")
    monkeypatch.setattr(benchmark_result, "load_embedder", stand_in)
    monkeypatch.setattr(embed_crops, "EMBED_AT_ONCE", 13)  # so that everything comes in several chunks
    output = tmp_path / "result.json"
    module.main(module.Config(model="facenet", data=str(tree), output=str(output), flip=flip))
    result = read_json(output)

    images = embeddings_by_name(tree / VERIFICATION / "verification_images", flip)
    scores, same = [], []
    for kind in ("positive", "negative"):
        listed = scipy.io.loadmat(tree / VERIFICATION / f"{kind}_pairs_names.mat")[f"{kind}_pairs_names"]
        for row in listed:
            scores.append(images[row[0][0].lower()] @ images[row[1][0].lower()])
            same.append(kind == "positive")
    scores, same = np.array(scores), np.array(same)
    verification = result["verification"]
    assert verification["auc"] == pytest.approx(roc_auc_score(same, scores), abs=1e-3)
    assert 0.5 < verification["auc"] < 1
    far, tar = counted(scores, same)
    for target in (0.3, 0.1, 0.01, 0.001):
        assert verification["tar_at_far"][str(target)] == pytest.approx(rate_by_lines(far, tar, target), abs=2e-3)
    # 60 pairs of each kind: fold k has places 6 k .. 6 k + 5 of each list.
    accuracies = []
    for fold in range(10):
        tested = np.isin(np.arange(120) % 60 // 6, [fold])
        threshold = best_threshold(scores[~tested], same[~tested])
        accuracies.append(np.mean((scores[tested] >= threshold) == same[tested]))
    assert verification["accuracy"]["mean"] == pytest.approx(np.mean(accuracies), abs=1e-9)
    assert verification["counts"] == {"pairs": 120, "matched": 60, "images": 30}

    tests = tree / IDENTIFICATION
    by_person: dict[str, list[np.ndarray]] = {}
    for name, embedding in embeddings_by_name(tests / "gallery", flip).items():
        by_person.setdefault(name.split("_")[0], []).append(embedding)
    persons = sorted(by_person)
    templates = np.stack([np.mean(by_person[person], axis=0) for person in persons])
    templates /= np.linalg.norm(templates, axis=1, keepdims=True)
    strangers = [float((templates @ e).max()) for e in embeddings_by_name(tests / "unmated_probe", flip).values()]
    own = []
    for name, embedding in embeddings_by_name(tests / "mated_probe", flip).items():
        similarities = dict(zip(persons, templates @ embedding, strict=True))
        in_order = sorted(persons, key=lambda person: -similarities[person])  # noqa: B023
        right = in_order.index(name.split("_")[0]) < 20
        own.append(similarities[name.split("_")[0]] if right else -9.0)
    far, tar = counted(np.array(own + strangers), np.arange(80) < 50)
    identification = result["identification"]
    assert identification["counts"] == {"identities": 25, "gallery": 62, "mated": 50, "unmated": 30}
    for target in (0.3, 0.2, 0.1, 0.01):
        found = identification["tpir20_at_fpir"][str(target)]
        assert found == pytest.approx(rate_by_lines(far, tar, target), abs=2e-3)
    area = np.sum(np.diff(far) * (tar[1:] + tar[:-1]) / 2)
    assert identification["auc"] == pytest.approx(area, abs=1e-3)
    assert identification["closed_set"]["rank_20"] == pytest.approx(np.mean(np.array(own) > -9))
    assert 0.2 < identification["auc"] < identification["closed_set"]["rank_20"] <= 1

    assert result["model"] == {"name": "stand-in", "sha256": ""}
    assert ("mirror image" in result["protocol"]) == flip
    for picture in ("result.roc.png", "result.open_set.png"):
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")
    printed = capsys.readouterr().out
    assert f"{100 * verification['tar_at_far']['0.1']:.2f}" in printed
    assert "52.74" in printed  # the paper's row
    assert f"{100 * identification['tpir20_at_fpir']['0.2']:.2f}" in printed


def test_one_task_needs_one_test_set(
    tool: Tool, refused: Refused, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tool("evaluate_survface")
    monkeypatch.setattr(benchmark_result, "load_embedder", stand_in)
    part = Path(shutil.copytree(tree / VERIFICATION, tmp_path / "part" / VERIFICATION)).parent
    output = tmp_path / "out" / "result.json"
    flags = ("--model=facenet", f"--data={part}", f"--output={output}")
    assert "Face_Identification_Test_Set is missing." in refused(module, *flags)
    assert not output.parent.exists()
    module.main(module.Config(model="facenet", data=str(part), output=str(output), task="verification"))
    result = read_json(output)
    assert result["identification"] is None
    assert not (output.parent / "result.open_set.png").exists()
    assert "Open-set" not in result["protocol"]


def test_mistakes_leave_nothing(tool: Tool, refused: Refused, tree: Path, tmp_path: Path) -> None:
    module = tool("evaluate_survface")
    output = f"--output={tmp_path}/out/result.json"
    assert "/nowhere is missing" in refused(module, "--model=facenet", "--data=/nowhere", output)
    assert "'resnet' is not known" in refused(module, "--model=resnet", f"--data={tree}", output)
    assert "weights.h5 is missing" in refused(module, "--model=/nowhere/a.weights.h5", f"--data={tree}", output)
    assert "--task=all is not known" in refused(module, "--model=facenet", f"--data={tree}", output, "--task=all")
    assert "is a folder" in refused(module, "--model=facenet", f"--data={tree}", f"--output={tmp_path}")
    assert not (tmp_path / "out").exists()


def test_an_image_that_is_damaged_is_named(
    tool: Tool, refused: Refused, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tool("evaluate_survface")
    monkeypatch.setattr(benchmark_result, "load_embedder", stand_in)
    copy = Path(shutil.copytree(tree, tmp_path / "copy"))
    damaged = next((copy / IDENTIFICATION / "unmated_probe").iterdir())
    damaged.write_bytes(damaged.read_bytes()[:100])
    flags = ("--model=facenet", f"--data={copy}", f"--output={tmp_path}/out/result.json", "--task=identification")
    assert str(damaged) in refused(module, *flags)
    assert not (tmp_path / "out").exists()


@pytest.mark.facenet
@pytest.mark.shared_data
def test_facenet_knows_real_faces(tool: Tool, shared_data: Path, facenet_weights: Path, tmp_path: Path) -> None:
    """ORL's 40 persons, four times as large as SurvFace's so that FaceNet can: 30 are known, 10 are strangers."""
    with zipfile.ZipFile(shared_data / "orl" / "orl_faces.zip") as archive:
        photos = {name: archive.read(name) for name in archive.namelist() if name.endswith(".pgm")}

    def faces(identity: int, photo: int) -> np.ndarray:
        number = identity + 1 if identity < 1000 else 31 + identity % 10
        (data,) = (data for name, data in photos.items() if name.endswith(f"s{number}/{photo % 10 + 1}.pgm"))
        return decode_image(data, "orl")

    write_survface_verification(tmp_path / "data", faces, persons=12, scale=4)
    write_survface_identification(tmp_path / "data", faces, persons=30, scale=4)
    module = tool("evaluate_survface")
    config = module.Config(
        model="facenet", data=str(tmp_path / "data"), output=str(tmp_path / "result.json"), flip=True,
        facenet_weights=str(facenet_weights),
    )  # fmt: skip
    module.main(config)
    result = read_json(tmp_path / "result.json")
    assert result["model"]["name"].startswith("facenet-128-")
    assert len(result["model"]["sha256"]) == 64
    assert result["verification"]["auc"] > 0.9
    assert result["identification"]["closed_set"]["rank_1"] > 0.8
    assert result["identification"]["tpir20_at_fpir"]["0.3"] > 0.8

"""Pairs of a tree are verified with every method's images; a stand-in judges, the real FaceNet once."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.benchmarks.verify_pairs import find_paired_faces
from lrfr_tf.data.pairs import read_pairs
from lrfr_tf.evaluation.verification import fold_accuracy, roc_auc
from lrfr_tf.files import read_json, sha256
from lrfr_tf.images.camera_numpy import photograph
from lrfr_tf.images.decode import read_image
from lrfr_tf.images.resize import resize
from lrfr_tf.models.srcnn import srcnn
from lrfr_tf.networks.super_resolution import save_super_resolver
from lrfr_tf.networks.super_resolvers import KerasSuperResolver
from tests.cli.conftest import Refused, Tool
from tests.tools.held_out_tree import write_held_out_tree
from tests.tools.small_runs import small_embedder


@pytest.fixture(scope="module")
def tree(portrait: np.ndarray, tool: Tool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree and its list of pairs: two folds of 20 + 20."""
    root = write_held_out_tree(tmp_path_factory.mktemp("verification") / "tree", portrait, (5, 10, 15, 20, 25, 30))
    module = tool("make_pairs")
    module.main(module.Config(data=(str(root),), output=str(root / "pairs.txt"), folds=2, pairs_per_fold=20))
    return root


def verified(tool: Tool, tree: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> dict[str, Any]:
    """The result of the tool with a network of its own, "mine", and a stand-in for FaceNet."""
    save_super_resolver(folder / "model", KerasSuperResolver("srcnn", srcnn("9-1-5"), enlarge_first=True))
    module = tool("evaluate_verification")
    monkeypatch.setattr(module, "load_embedder", small_embedder)
    output, models = folder / "result.json", (f"mine={folder}/model",)
    module.main(module.Config(str(tree), str(tree / "pairs.txt"), output=str(output), models=models, **settings))
    return read_json(output)


def test_every_method_is_verified_on_the_same_pairs(
    tool: Tool, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result = verified(tool, tree, tmp_path, monkeypatch)
    assert list(result["methods"]) == ["hr", "bicubic", "mine"]
    assert {"pairs": 80, "matched": 40, "folds": 2, "persons": 6}.items() <= result["counts"].items()
    assert result["counts"]["persons_in_several_folds"] == 0
    assert result["embedder"] == "stand-in"
    assert result["pairs_sha256"] == sha256(tree / "pairs.txt")
    assert set(result["models"]) == {"mine"}
    # Bicubic and HR once more, file by file.
    pairs = [pair for fold in read_pairs(tree / "pairs.txt") for pair in fold]
    same, folds = np.array([pair.same for pair in pairs]), np.repeat([0, 1], 40)
    for method, kind in (("hr", "hr"), ("bicubic", "lr")):
        cosines = []
        for pair in pairs:
            both = []
            for person, name in (pair.first, pair.second):
                (path,) = (tree / kind).glob(f"*/{person}/{name}")
                both.append(np.asarray(Image.fromarray(read_image(path)).resize((64, 64), Image.Resampling.BICUBIC)))
            one, other = small_embedder().embed(both)
            cosines.append(one @ other)
        expected = fold_accuracy(np.array(cosines), same, folds)
        assert result["methods"][method]["accuracy"]["mean"] == pytest.approx(expected.mean, abs=1e-9)
        assert result["methods"][method]["auc"] == pytest.approx(roc_auc(np.array(cosines), same), abs=2e-3)
    assert result["methods"]["hr"]["accuracy"]["mean"] > 0.7
    assert result["methods"]["mine"]["difference_to_bicubic"]["mean"] == pytest.approx(
        result["methods"]["mine"]["accuracy"]["mean"] - result["methods"]["bicubic"]["accuracy"]["mean"]
    )
    assert f"{100 * result['methods']['bicubic']['accuracy']['mean']:.2f}" in capsys.readouterr().out


def test_probes_of_a_camera_against_sharp_faces(
    tool: Tool, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    more = {"camera": "harsh", "sharp_first": True, "compare_with": ("bicubic", "mine")}
    methods = verified(tool, tree, tmp_path, monkeypatch, **more)["methods"]
    # By hand: image 2 is a photo whose seed is its place among the images of the pairs, and image 1 is sharp.
    pairs = [pair for fold in read_pairs(tree / "pairs.txt") for pair in fold]
    paired = find_paired_faces(tree, read_pairs(tree / "pairs.txt"))
    places = {(face.identity, face.path.split("/")[-1]): place for place, face in enumerate(paired.images)}
    cosines = []
    for pair in pairs:
        sharp, probe = (read_image(tree / "hr" / paired.images[places[end]].path) for end in (pair.first, pair.second))
        small = photograph(probe, 16, "harsh", places[pair.second], misplaced=False)
        one, other = small_embedder().embed([sharp, resize(small, 64, 64)])
        cosines.append(one @ other)
    expected = fold_accuracy(np.array(cosines), np.array([pair.same for pair in pairs]), np.repeat([0, 1], 40))
    assert methods["bicubic"]["accuracy"]["mean"] == pytest.approx(expected.mean, abs=1e-9)
    assert methods["hr"]["accuracy"]["mean"] > methods["bicubic"]["accuracy"]["mean"]
    assert methods["mine"]["difference_to_mine"] is None
    assert methods["bicubic"]["difference_to_mine"]["mean"] == pytest.approx(
        -methods["mine"]["difference_to_bicubic"]["mean"]
    )
    printed = capsys.readouterr().out
    assert "to bicubic" in printed
    assert "to mine" in printed


@pytest.mark.facenet
def test_facenet_judges(tool: Tool, tree: Path, facenet_weights: Path, tmp_path: Path) -> None:
    module = tool("evaluate_verification")
    config = module.Config(
        data=str(tree), pairs=str(tree / "pairs.txt"), output=str(tmp_path / "result.json"),
        facenet_weights=str(facenet_weights),
    )  # fmt: skip
    module.main(config)
    result = read_json(tmp_path / "result.json")
    assert result["embedder"].startswith("facenet-128-")
    # All persons are one face in different tints, which FaceNet hardly sees.
    assert result["methods"]["hr"]["auc"] > 0.55


def test_mistakes_leave_nothing(
    tool: Tool, refused: Refused, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tool("evaluate_verification")
    output, data, pairs = f"--output={tmp_path}/out/result.json", f"--data={tree}", f"--pairs={tree}/pairs.txt"
    assert "/nowhere is missing" in refused(module, data, output, "--pairs=/nowhere")
    assert "/nowhere is not a finished tree" in refused(module, "--data=/nowhere", output, pairs)
    assert "is not of the form name=folder" in refused(module, data, output, pairs, "--models=srcnn")
    missing = refused(module, data, output, pairs, "--facenet_weights=/nowhere/facenet_keras.h5")
    assert "The weight file /nowhere/facenet_keras.h5 is missing" in missing
    other = tmp_path / "other.txt"
    lines = "ann\ta.png\tb.png\nann\ta.png\tbob\tb.png\n"
    other.write_text(f"2\t1\n{lines}{lines}")
    assert "images that the list of pairs names, such as ann/a" in refused(module, data, output, f"--pairs={other}")
    other.write_text(f"1\t1\n{lines}")
    assert "has one fold" in refused(module, data, output, f"--pairs={other}")
    assert "--compare_with=srgan is no method" in refused(module, data, output, pairs, "--compare_with=srgan")
    assert "is a folder" in refused(module, data, pairs, f"--output={tmp_path}")
    assert not (tmp_path / "out").exists()

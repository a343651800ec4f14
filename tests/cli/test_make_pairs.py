"""The list of pairs of a tree and of a folder of persons; mistakes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.data.pairs import read_pairs
from tests.cli.conftest import Refused, Tool
from tests.tools.held_out_tree import write_held_out_tree


@pytest.fixture(scope="module")
def tree(portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_held_out_tree(tmp_path_factory.mktemp("pairs") / "tree", portrait, (3, 5, 10, 15, 20))


def test_held_out_persons_of_all_splits(
    tool: Tool, tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module = tool("make_pairs")
    # 4 held-out persons, 6 images each, 2 folds: 2 x 15 matched pairs in a fold, so that all images come up.
    for name in ("one", "two"):
        module.main(module.Config(data=(str(tree),), output=str(tmp_path / f"{name}.txt"), folds=2, pairs_per_fold=30))
    assert (tmp_path / "one.txt").read_bytes() == (tmp_path / "two.txt").read_bytes()
    folds = read_pairs(tmp_path / "one.txt")
    ends = {end for fold in folds for pair in fold for end in (pair.first, pair.second)}
    assert ends == {(str(n), f"{n:03d}{photo:03d}.png") for n in (5, 10, 15, 20) for photo in range(1, 7)}
    assert "120 pairs in 2 folds; 24 images of 4 persons." in capsys.readouterr().out


def test_a_folder_of_persons(tool: Tool, tmp_path: Path) -> None:
    for person in ("ann", "bob", "cat", "dan"):
        (tmp_path / "people" / person).mkdir(parents=True)
        for photo in range(3):
            Image.new("RGB", (4, 4)).save(tmp_path / "people" / person / f"{person}{photo}.jpg")
    module = tool("make_pairs")
    config = module.Config(
        data=(str(tmp_path / "people"),), output=str(tmp_path / "pairs.txt"), held_out_divisor=0, folds=2,
        pairs_per_fold=6,
    )  # fmt: skip
    module.main(config)
    folds = read_pairs(tmp_path / "pairs.txt")
    assert [len(fold) for fold in folds] == [12, 12]
    assert all(name.startswith(person) and name.endswith(".jpg") for pair in folds[0] for person, name in [pair.first])


def write_people(root: Path, counts: dict[str, int]) -> None:
    for person, count in counts.items():
        (root / person).mkdir(parents=True)
        for photo in range(count):
            Image.new("RGB", (4, 4)).save(root / person / f"{photo}.jpg")


def test_named_persons_need_no_flags(tool: Tool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_people(tmp_path / "people", {"Ann": 18, "Bob": 4, "Cy": 7, "Dee": 5, "Zoë": 6})
    Image.new("RGB", (4, 4)).save(tmp_path / "people" / "Ann" / "3.png")
    module = tool("make_pairs")
    module.main(module.Config(data=(str(tmp_path / "people"),), output=str(tmp_path / "pairs.txt")))
    folds = read_pairs(tmp_path / "pairs.txt")
    assert len(folds) == 2  # of five persons; each fold has as many pairs as the one with fewer images gives
    assert [pair.same for pair in folds[0]] == [True] * (len(folds[0]) // 2) + [False] * (len(folds[0]) // 2)
    assert not {name for fold in folds for pair in fold for _, name in (pair.first, pair.second)} & {"3.png"}
    said = capsys.readouterr()
    assert f"5 persons: folds 2, matched pairs in each {len(folds[0]) // 2}, and" in said.err
    assert "2 images are left out, such as Ann/3: the same person has another of that name" in said.err


def test_names_among_numbers_are_counted(tool: Tool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_people(tmp_path / "people", {"Ann": 3, "5": 3, "10": 3, "7": 3})
    module = tool("make_pairs")
    module.main(module.Config(data=(str(tmp_path / "people"),), output=str(tmp_path / "pairs.txt")))
    assert {pair.first[0] for pair in read_pairs(tmp_path / "pairs.txt")[0]} == {"5", "10"}
    said = capsys.readouterr().err
    assert (
        "Left out, since their names are no numbers: 1 of 4 persons, such as Ann; `held_out_divisor`=0 takes everybody."
        in said
    )
    assert "evaluate_lfw needs two; one fold is here" in said


def test_pairs_of_one_half(tool: Tool, tree: Path, tmp_path: Path) -> None:
    """What versions are chosen on and what is reported share nobody."""
    module, found = tool("make_pairs"), {}
    for half in ("calibration", "reported"):
        output = tmp_path / f"{half}.txt"
        module.main(module.Config(data=(str(tree),), output=str(output), folds=1, pairs_per_fold=20, half=half))
        pairs = read_pairs(output)[0]
        found[half] = {person for pair in pairs for person, _ in (pair.first, pair.second)}
    assert found == {"calibration": {"5", "15"}, "reported": {"10", "20"}}


def test_mistakes_leave_no_list(tool: Tool, refused: Refused, tree: Path, tmp_path: Path) -> None:
    module, output = tool("make_pairs"), f"--output={tmp_path}/pairs.txt"
    assert "4 persons are too few for 10 folds" in refused(module, f"--data={tree}", output, "--folds=10")
    few = refused(module, f"--data={tree}", output, "--folds=2", "--pairs_per_fold=300")
    assert "enough for 30 of 300 matched pairs; lower --pairs_per_fold" in few
    assert "--held_out_divisor=7" in refused(module, f"--data={tree}", output, "--held_out_divisor=7")
    alone = refused(module, f"--data={tree}", output, "--held_out_divisor=3", "--half=reported")
    assert "hold nobody of --half=reported" in alone
    twice = refused(module, f"--data={tree},{tree}", output, "--folds=2")
    assert "hold the image 5/00500" in twice
    assert "/nowhere does not exist" in refused(module, "--data=/nowhere", output)
    assert not list(tmp_path.iterdir())

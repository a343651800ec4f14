"""What a Siamese run is made of, and flags that do not fit together."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json, write_json
from lrfr_tf.training.run import Plan
from lrfr_tf.training.siamese_run import SiameseSettings, plan_siamese
from lrfr_tf.training.strategy import set_up
from tests.aligned_by_code import write_aligned_tree

COUNTS = {"1": 5, "2": 3, "3": 4, "4": 6, "6": 4, "7": 2, "8": 9}


@pytest.fixture(scope="module")
def tree(portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_aligned_tree(tmp_path_factory.mktemp("aligned") / "tree", portrait, COUNTS, left_margin=10)


def plan(tree: Path, **changes: Any) -> Plan:
    values: dict[str, Any] = {
        "data": (str(tree),), "output": "/nowhere/run", "backbone": "spherenet4", "batch_size": 3,
        "validation_identities": 2, **changes,
    }  # fmt: skip
    config = SiameseSettings(**values)
    return plan_siamese(config, set_up(config))


def people(run: Plan) -> int:
    return run.facts["training_identities"]


@pytest.mark.parametrize("faces_in", ["memory", "files"])
def test_batches_of_a_run(tree: Path, tmp_path: Path, faces_in: str) -> None:
    (phase,) = plan(tree, sizes=(128, 8), faces_in=faces_in, output=str(tmp_path)).phases()
    batch = next(iter(phase.batches(0)))
    assert batch.keys() == {"faces", "labels"}
    assert batch["faces"].shape == (6, 128, 128, 3)
    assert len(set(batch["labels"].numpy())) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"initial_weights": "nothing.h5"}, "`initial_weights`=nothing.h5 is neither random nor a file"),
        ({"classification_weight": 0.0, "triplet_weight": 0.0}, "there is nothing to learn"),
        ({"sizes": (256,)}, "`sizes`=256: each is 1 to 128"),
        ({"validation_identities": 6}, "lower `validation_identities`"),
        ({"batch_size": 6}, "A batch takes 6 identities, more than the 5 there; lower `batch_size`"),
        ({"held_out_divisor": 1}, "No face is left"),
        ({"data": ("/nowhere",)}, "/nowhere is not a finished tree of aligned faces"),
        ({"exclude": "/nowhere"}, "/nowhere"),
    ],
)
def test_flags_that_do_not_fit_are_refused(tree: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        plan(tree, **change)


def test_names_of_a_list_that_match_nobody_are_refused(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A list saved by Notepad leaves out whom it names, and one that leaves nobody out is never passed over."""
    (tmp_path / "list.txt").write_bytes(b"\xef\xbb\xbf2\r\n003\r\n")
    assert people(plan(tree, exclude=str(tmp_path / "list.txt"))) == people(plan(tree)) - 2
    (tmp_path / "list.txt").write_text("2\n90\n")
    with pytest.raises(UserError, match=r"list.txt has entries that match nobody, 1 of 2 \(90\)"):
        plan(tree, exclude=str(tmp_path / "list.txt"))
    capsys.readouterr()
    run = plan(tree, exclude=str(tmp_path / "list.txt"), allow_unmatched_exclusions=True)
    assert people(run) == people(plan(tree)) - 1
    assert "list.txt has entries that match nobody, 1 of 2" in capsys.readouterr().err
    (tmp_path / "list.txt").write_text("90\n")
    with pytest.raises(UserError, match="list.txt leaves nobody out"):
        plan(tree, exclude=str(tmp_path / "list.txt"), allow_unmatched_exclusions=True)


def test_a_list_may_name_those_who_were_left_out_when_the_tree_was_made(portrait: np.ndarray, tmp_path: Path) -> None:
    root = write_aligned_tree(tmp_path / "tree", portrait, COUNTS)
    write_json(root / "manifest.json", {**read_json(root / "manifest.json"), "excluded_identities": ["00090"]})
    (tmp_path / "list.txt").write_text("90\n")
    assert people(plan(root, exclude=str(tmp_path / "list.txt"))) == len(COUNTS) - 2


def test_faces_of_another_size_are_refused(portrait: np.ndarray, tmp_path: Path) -> None:
    from PIL import Image

    root = write_aligned_tree(tmp_path / "tree", portrait, COUNTS)
    for path in root.rglob("*.jpg"):
        Image.new("RGB", (64, 64)).save(path)
    with pytest.raises(UserError, match="takes aligned faces of 128 pixels, not 64"):
        plan(root)


def test_a_run_knows_the_template_of_its_trees(tree: Path, portrait: np.ndarray, tmp_path: Path) -> None:
    assert plan(tree).facts["template"] == "lai"
    other = write_aligned_tree(tmp_path / "tree", portrait, COUNTS, left_margin=10, template="centred")
    assert plan(other).facts["template"] == "centred"
    with pytest.raises(UserError, match=r"are framed differently \(template, size, .*: \('lai', 128, 10, 0\) and"):
        plan(tree, data=(str(tree), str(other)))

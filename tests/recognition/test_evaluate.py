"""What an evaluation refuses before it reads a face; its figures are tested end to end and in test_table."""

from pathlib import Path

import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.files import write_json
from lrfr_tf.recognition.evaluate import Evaluation


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    write_json(tmp_path / "data" / "manifest.json", {"schema": 1})
    common = {"schema": 1, "embedder": "a", "detector": {"name": "mtcnn"}, "policy": "miss", "splits": {}}
    write_json(tmp_path / "embeddings" / "hr" / "manifest.json", {**common, "source": "of another tree"})
    write_json(tmp_path / "embeddings" / "srgan" / "manifest.json", {**common, "source": "x", "policy": "whole"})
    return tmp_path


def open_evaluation(folders: Path, *methods: str) -> Evaluation:
    return Evaluation(folders / "data", folders / "embeddings", folders / "heads", methods, 0)


def test_embeddings_of_another_tree_are_refused(folders: Path) -> None:
    with pytest.raises(UserError, match="were made from another tree than"):
        open_evaluation(folders, "hr")


def test_embeddings_made_with_different_settings_are_refused(folders: Path) -> None:
    with pytest.raises(UserError, match=r"were made with different settings \(policy\)"):
        open_evaluation(folders, "hr", "srgan")


def test_hr_must_be_among_the_methods(folders: Path) -> None:
    with pytest.raises(UserError, match="--methods must name hr"):
        open_evaluation(folders, "srgan")

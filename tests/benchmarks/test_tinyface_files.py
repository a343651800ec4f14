"""Look-alikes of TinyFace are read as they are delivered; what is missing is named."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from lrfr_tf.benchmarks.tinyface.files import find_tinyface
from lrfr_tf.errors import UserError
from tests.survface_by_code import made_up, write_tinyface


@pytest.fixture(scope="module")
def whole(portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tinyface(tmp_path_factory.mktemp("tiny") / "tinyface", made_up(portrait))


@pytest.fixture
def tree(whole: Path, tmp_path: Path) -> Path:
    """A copy, to be damaged."""
    return Path(shutil.copytree(whole, tmp_path / "tinyface"))


def test_test_set_is_that_of_the_lists(whole: Path) -> None:
    faces = find_tinyface(whole)
    assert (len(faces.probes), len(faces.gallery), len(faces.distractors)) == (12, 12, 40)
    assert (faces.identities, faces.names_that_disagree) == (8, 0)
    for paths, labels in ((faces.probes, faces.probe_labels), (faces.gallery, faces.gallery_labels)):
        assert [int(path.name.split("_")[0]) - 1 for path in paths] == labels.tolist()
    assert find_tinyface(whole, distractors=False).distractors == []


def test_other_copies_of_the_tree(tree: Path, tmp_path: Path) -> None:
    expected = find_tinyface(tree)
    assert find_tinyface(tree / "Testing_Set").probes == expected.probes
    (tree / "Testing_Set" / "Probe").rename(tree / "Testing_Set" / "probe")
    for path in (tree / "Testing_Set" / "Gallery_Match").iterdir():
        path.rename(path.with_suffix(".JPG"))
    (tree / "Testing_Set").rename(tree / "testing_set")
    outer = tmp_path / "outer"
    outer.mkdir()
    tree.rename(outer / "TinyFace")
    found = find_tinyface(outer)
    assert [path.stem for path in found.gallery] == [path.stem for path in expected.gallery]
    assert [path.stem for path in found.probes] == [path.stem for path in expected.probes]
    np.testing.assert_array_equal(found.probe_labels, expected.probe_labels)


def test_the_lists_say_who_it_is_and_names_are_only_counted(tree: Path) -> None:
    path = tree / "Testing_Set" / "probe_img_ID_pairs.mat"
    stored = scipy.io.loadmat(path)
    ids = stored["probe_ids"].copy()
    ids[:2] = 5
    scipy.io.savemat(path, {"probe_set": stored["probe_set"], "probe_ids": ids})
    faces = find_tinyface(tree)
    assert faces.probe_labels[:2].tolist() == [4, 4]
    assert faces.names_that_disagree == 2


def test_what_is_missing_is_named(tree: Path, tmp_path: Path) -> None:
    tests = tree / "Testing_Set"
    with pytest.raises(UserError, match=r"nowhere is missing; it should be the tinyface folder\.$"):
        find_tinyface(tmp_path / "nowhere")
    (tmp_path / "other").mkdir()
    with pytest.raises(UserError, match=r"other holds no Testing_Set; it should be the tinyface folder\.$"):
        find_tinyface(tmp_path / "other")
    shutil.rmtree(tests / "Gallery_Distractor")
    with pytest.raises(UserError, match=r"Gallery_Distractor is missing\.$"):
        find_tinyface(tree)
    assert len(find_tinyface(tree, distractors=False).probes) == 12
    (tests / "Gallery_Distractor").mkdir()
    with pytest.raises(UserError, match=r"Gallery_Distractor holds no image \(.jpg"):
        find_tinyface(tree)
    (tests / "Gallery_Match" / "2_1.jpg").unlink()
    with pytest.raises(UserError, match=r"Gallery_Match lacks 1 of 12 images .*lists, such as 2_1.jpg\.$"):
        find_tinyface(tree)
    (tests / "gallery_match_img_ID_pairs.mat").unlink()
    with pytest.raises(UserError, match=r"gallery_match_img_ID_pairs.mat is missing\.$"):
        find_tinyface(tree)


def test_a_probe_of_nobody_in_the_gallery(tree: Path) -> None:
    path = tree / "Testing_Set" / "probe_img_ID_pairs.mat"
    stored = scipy.io.loadmat(path)
    scipy.io.savemat(path, {"probe_set": stored["probe_set"], "probe_ids": stored["probe_ids"].astype(int) + 1})
    with pytest.raises(UserError, match=r"Gallery_Match has no image of identity 9, which probes show\.$"):
        find_tinyface(tree)

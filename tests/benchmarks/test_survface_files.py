"""Look-alikes of QMUL-SurvFace are read as they are delivered; what is missing is named."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from lrfr_tf.benchmarks.survface.files import find_open_set, find_verification_pairs
from lrfr_tf.errors import UserError
from lrfr_tf.images.decode import read_image
from tests.survface_by_code import (
    LARGEST,
    SMALLEST,
    cells,
    made_up,
    write_survface_identification,
    write_survface_verification,
)

VERIFICATION, IDENTIFICATION = "Face_Verification_Test_Set", "Face_Identification_Test_Set"


@pytest.fixture(scope="module")
def whole(portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("survface") / "QMUL-SurvFace"
    write_survface_verification(root, made_up(portrait))
    write_survface_identification(root, made_up(portrait))
    return root


@pytest.fixture
def tree(whole: Path, tmp_path: Path) -> Path:
    """A copy, to be damaged."""
    return Path(shutil.copytree(whole, tmp_path / "QMUL-SurvFace"))


def test_pairs_are_those_of_the_lists(whole: Path) -> None:
    pairs = find_verification_pairs(whole)
    expected = []
    for kind in ("positive", "negative"):
        listed = scipy.io.loadmat(whole / VERIFICATION / f"{kind}_pairs_names.mat")[f"{kind}_pairs_names"]
        # The form in which the authors' own script reads them.
        expected += [(row[0][0].lower(), row[1][0].lower(), kind == "positive") for row in listed]
    names = [path.name.lower() for path in pairs.images]
    found = [(names[a], names[b], bool(same)) for a, b, same in zip(pairs.first, pairs.second, pairs.same, strict=True)]
    assert found == expected
    assert len(set(names)) == len(names) == 30
    assert {path.suffix for path in pairs.images} == {".jpg", ".JPG"}
    # A mismatched pair never shows one person, so the look-alike is a test of something.
    assert all((a.split("_")[0] == b.split("_")[0]) == same for a, b, same in found)
    shapes = {read_image(path).shape[:2] for path in pairs.images}
    assert {SMALLEST, LARGEST} <= shapes


def test_open_set_is_that_of_the_lists(whole: Path) -> None:
    faces = find_open_set(whole)
    assert (len(faces.gallery), len(faces.mated), len(faces.unmated)) == (62, 50, 30)
    assert faces.identities == 25
    assert set(faces.gallery_labels) == set(faces.mated_labels) == set(range(25))
    # Names and labels say the same in the look-alike: person n is called 5001 + n.
    for paths, labels in ((faces.gallery, faces.gallery_labels), (faces.mated, faces.mated_labels)):
        assert [int(path.name.split("_")[0]) - 5001 for path in paths] == labels.tolist()
    assert [path.parent.name for path in faces.unmated] == ["unmated_probe"] * 30


def test_other_copies_of_the_tree(tree: Path, tmp_path: Path) -> None:
    """Nested once more, in other letter case, with the lists in the folder of the evaluation."""
    expected = find_open_set(tree)
    (tree / VERIFICATION).rename(tree / VERIFICATION.lower())
    assert len(find_verification_pairs(tree).same) == 120
    lists = tree / "Face_Identification_Evaluation"
    lists.mkdir()
    for path in (tree / IDENTIFICATION).glob("*.mat"):
        path.rename(lists / path.name)
    outer = tmp_path / "outer"
    outer.mkdir()
    tree.rename(outer / "qmul-survface")
    found = find_open_set(outer)
    assert [path.name for path in found.gallery] == [path.name for path in expected.gallery]
    np.testing.assert_array_equal(found.mated_labels, expected.mated_labels)


def test_identity_numbers_may_have_gaps(tree: Path) -> None:
    for folder in ("gallery", "mated_probe"):
        path = tree / IDENTIFICATION / f"{folder}_img_ID_pairs.mat"
        stored = scipy.io.loadmat(path)
        changed = {f"{folder}_set": stored[f"{folder}_set"].T, f"{folder}_ids": stored[f"{folder}_ids"].T * 7 + 3}
        scipy.io.savemat(path, changed)
    faces = find_open_set(tree)
    assert set(faces.gallery_labels) == set(faces.mated_labels) == set(range(25))


def refusal(call: object, root: Path) -> str:
    with pytest.raises(UserError) as refused:
        call(root)  # type: ignore[operator]
    text = str(refused.value)
    assert text.endswith(".")
    return text


def test_what_is_missing_is_named(tree: Path, tmp_path: Path) -> None:
    assert "nowhere is missing; it should be the QMUL-SurvFace folder" in refusal(find_open_set, tmp_path / "nowhere")
    (tmp_path / "other").mkdir()
    assert "holds neither Face_Verification_Test_Set nor Face_Id" in refusal(find_open_set, tmp_path / "other")
    images = tree / VERIFICATION / "verification_images"
    (images / "101_cam1_0.JPG").unlink()
    text = refusal(find_verification_pairs, tree)
    assert "lacks 1 of 30 images" in text
    assert "positive_pairs_names.mat lists, such as 101_cam1_0.jpg" in text
    shutil.copy(images / "103_cam1_0.JPG", images / "103_cam1_0.png")
    assert "103_cam1_0.JPG and 103_cam1_0.png" in refusal(find_verification_pairs, tree)
    shutil.rmtree(images)
    assert "verification_images is missing" in refusal(find_verification_pairs, tree)
    for folder in ("unmated_probe", "gallery"):
        shutil.rmtree(tree / IDENTIFICATION / folder)
        assert f"{folder} is missing" in refusal(find_open_set, tree)
    shutil.rmtree(tree / IDENTIFICATION)
    assert "Face_Identification_Test_Set is missing" in refusal(find_open_set, tree)


def test_lists_that_are_not_lists(tree: Path) -> None:
    path = tree / VERIFICATION / "negative_pairs_names.mat"
    good = path.read_bytes()
    scipy.io.savemat(path, {"negative_pairs_names": cells([["a.jpg"], ["b.jpg"]])})
    assert "holds negative_pairs_names as [2, 1], not as [n, 2] names" in refusal(find_verification_pairs, tree)
    scipy.io.savemat(path, {"something_else": 1})
    assert "holds no negative_pairs_names; there is something_else in it" in refusal(find_verification_pairs, tree)
    scipy.io.savemat(path, {"negative_pairs_names": np.ones((3, 2))})
    assert "not the name of an image" in refusal(find_verification_pairs, tree)
    for damaged in (b"", b"<html>" * 100, good[:200], good[:-40]):
        path.write_bytes(damaged)
        assert "negative_pairs_names.mat cannot be read as a MATLAB file" in refusal(find_verification_pairs, tree)
    path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + b"\x89HDF\r\n\x1a\n" * 8)
    assert "is of MATLAB 7.3 (HDF5)" in refusal(find_verification_pairs, tree)
    path.unlink()
    assert "negative_pairs_names.mat is missing" in refusal(find_verification_pairs, tree)


def test_identities_that_do_not_fit(tree: Path) -> None:
    path = tree / IDENTIFICATION / "mated_probe_img_ID_pairs.mat"
    stored = scipy.io.loadmat(path)
    names, ids = stored["mated_probe_set"], stored["mated_probe_ids"].astype(np.int64)
    scipy.io.savemat(path, {"mated_probe_set": names, "mated_probe_ids": np.where(ids == 3, 77, ids)})
    assert "has no image of identity 77, which mated probes show" in refusal(find_open_set, tree)
    scipy.io.savemat(path, {"mated_probe_set": names, "mated_probe_ids": ids[:-1]})
    assert "has 50 mated_probe_set and 49 mated_probe_ids" in refusal(find_open_set, tree)
    scipy.io.savemat(path, {"mated_probe_set": names, "mated_probe_ids": ids + 0.5})
    assert "not as whole numbers" in refusal(find_open_set, tree)
    names[1] = names[0]
    scipy.io.savemat(path, {"mated_probe_set": names, "mated_probe_ids": ids})
    assert f"lists {names[0, 0][0]} 2 times" in refusal(find_open_set, tree)
    names[1, 0] = np.array(["../../secret.jpg"])
    scipy.io.savemat(path, {"mated_probe_set": names, "mated_probe_ids": ids})
    assert "lacks 1 of 50 images" in refusal(find_open_set, tree)

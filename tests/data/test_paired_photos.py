"""Photos of pairs are found in folders and zips, and aligned; those without landmarks get the middle."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.data.paired_photos import align_photos, fallback_landmarks, find_paired_photos, landmarks_for
from lrfr_tf.data.pairs import Pair, read_pairs
from lrfr_tf.errors import UserError
from lrfr_tf.faces.align import align_face
from lrfr_tf.sources.image_source import open_source

PAIRS = "2\t1\nAnn_B\t1\t2\nAnn_B\t1\tCy_D\t1\nCy_D\t2\t1\nAnn_B\t2\tCy_D\t2\n"


@pytest.fixture(scope="module")
def lfw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """LFW's layout and spelling: two persons with two photos."""
    root = tmp_path_factory.mktemp("lfw")
    random = np.random.default_rng(0)
    for name in ("Ann_B", "Cy_D"):
        (root / "lfw" / name).mkdir(parents=True)
        for number, suffix in ((1, "jpg"), (2, "JPG")):
            image = Image.fromarray(random.integers(0, 256, (250, 250, 3), np.uint8))
            image.save(root / "lfw" / name / f"{name}_{number:04d}.{suffix}", format="JPEG")
    (root / "pairs.txt").write_text(PAIRS)
    return root


def test_photos_are_found_in_folders_and_zips(lfw: Path, tmp_path: Path) -> None:
    zipped = shutil.make_archive(str(tmp_path / "lfw"), "zip", lfw, "lfw")
    folds = read_pairs(lfw / "pairs.txt")
    for path, prefix in ((lfw, "lfw/"), (lfw / "lfw", ""), (Path(zipped), "lfw/")):
        photos = find_paired_photos(open_source(path), folds)
        assert photos.images == [
            f"{prefix}{name}"
            for name in (
                "Ann_B/Ann_B_0001.jpg", "Ann_B/Ann_B_0002.JPG", "Cy_D/Cy_D_0001.jpg", "Cy_D/Cy_D_0002.JPG",
            )
        ]  # fmt: skip
        assert photos.first.tolist() == [0, 0, 3, 1]
        assert photos.second.tolist() == [1, 2, 2, 3]
        assert photos.same.tolist() == [True, False, True, False]
        assert photos.folds.tolist() == [0, 0, 1, 1]
        assert photos.persons.tolist() == [[0, 0], [0, 1], [1, 1], [0, 1]]
        assert photos.counts() == {
            "pairs": 4, "matched": 2, "folds": 2, "persons": 2, "persons_in_several_folds": 2, "images": 4,
        }  # fmt: skip


def test_missing_and_double_photos(lfw: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(lfw, copy)
    (copy / "lfw/Cy_D/Cy_D_0002.JPG").unlink()
    folds = read_pairs(lfw / "pairs.txt")
    with pytest.raises(UserError, match="lacks 1 of 4 images that the list of pairs names, such as Cy_D/Cy_D_0002"):
        find_paired_photos(open_source(copy), folds)
    shutil.copy(copy / "lfw/Ann_B/Ann_B_0001.jpg", copy / "lfw/Ann_B/Ann_B_0001.jpeg")
    with pytest.raises(UserError, match="holds Ann_B/Ann_B_0001 twice"):
        find_paired_photos(open_source(copy), folds)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="lacks 2 of 2 images"):
        find_paired_photos(open_source(tmp_path / "empty"), [[Pair(("a", "1.jpg"), ("a", "2.jpg"))]])


def test_alignment_and_what_happens_without_landmarks(lfw: Path) -> None:
    source = open_source(lfw)
    names = ["lfw/Ann_B/Ann_B_0001.jpg", "lfw/Cy_D/Cy_D_0001.jpg"]
    points = np.array([[100.0, 110], [150, 112], [125, 140], [104, 165], [146, 166]])
    faces = align_photos(source, names, [points, None], "centred")
    images = [np.asarray(Image.open(lfw / name)) for name in names]
    np.testing.assert_array_equal(faces[0], align_face(images[0], points, template="centred", size=128))
    # The middle: the square from 62.5 to 187.5, which 128 x 128 pixels show; the inner half is compared, bicubic both.
    middle = Image.fromarray(images[1]).resize((128, 128), Image.Resampling.BICUBIC, box=(62.5, 62.5, 187.5, 187.5))
    difference = np.abs(faces[1].astype(float) - np.asarray(middle, float))
    assert np.corrcoef(faces[1].ravel(), np.asarray(middle).ravel())[0, 1] > 0.6
    assert difference.mean() < 60
    np.testing.assert_allclose(fallback_landmarks(300, 200).mean(axis=0)[0], 100, atol=1)
    eyes = fallback_landmarks(250, 250)[:2]
    assert np.ptp(eyes[:, 0]) == pytest.approx(125 * 35.2372 / 112, abs=1e-3)
    with pytest.raises(UserError, match="are no face"):
        align_photos(source, names[:1], [np.ones((5, 2))], "lai")


def test_a_table_of_other_photos_is_refused() -> None:
    keys = [("ann", "1"), ("ann", "2")]
    points = np.zeros((5, 2))
    found = landmarks_for(keys, {("ann", "2"): points}, "table.csv")
    assert found[0] is None
    assert found[1] is points
    with pytest.raises(UserError, match=r"table\.csv holds no landmarks of any of the 2 photos, such as ann/1"):
        landmarks_for(keys, {("bob", "1"): points}, "table.csv")

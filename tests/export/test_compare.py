"""What a conversion loses, against sums by hand and scikit-image."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

from lrfr_tf.errors import UserError
from lrfr_tf.export.compare import compare_embeddings, compare_images, cpu_milliseconds, loss_table
from lrfr_tf.export.faces import PairedFaces, read_paired_faces, sample_faces
from lrfr_tf.images.degrade import degrade
from lrfr_tf.images.resize import resize
from tests.aligned_by_code import write_aligned_tree
from tests.faces_by_code import person, write_people


def test_the_loss_of_images(portrait: np.ndarray) -> None:
    originals = np.stack([person(portrait, identity, 0, 64) for identity in range(3)])
    low = degrade(originals, 16)
    enlarged = resize(low, 64, 64)

    def one_level_off(faces: np.ndarray) -> np.ndarray:
        images = resize(faces, 64, 64)
        images[:, ::2] = np.where(images[:, ::2] < 255, images[:, ::2] + 1, 254)
        return images

    losses = compare_images({"bicubic": lambda faces: resize(faces, 64, 64), "off": one_level_off}, low, originals)
    assert losses["bicubic"].psnr_to_reference is None
    assert losses["bicubic"].gain == losses["bicubic"].gain_of_reference == losses["off"].gain_of_reference == 0.0
    assert losses["off"].share_that_differs == 0.5
    assert losses["off"].largest_levels == 1
    assert losses["off"].psnr_to_reference == pytest.approx(10 * np.log10(255**2 / 0.5))
    by_hand = [
        peak_signal_noise_ratio(original, off) - peak_signal_noise_ratio(original, plain)
        for original, off, plain in zip(originals, one_level_off(low), enlarged, strict=True)
    ]
    assert losses["off"].gain == pytest.approx(np.mean(by_hand), abs=1e-6)


def flat(faces: np.ndarray) -> np.ndarray:
    rows = faces.astype(np.float32).reshape(len(faces), -1)
    rows = rows - rows.mean(axis=1, keepdims=True)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def turned(faces: np.ndarray) -> np.ndarray:
    """Every embedding turned by 60 degrees towards a direction of its own, and twice as long."""
    rows = flat(faces)
    aside = np.zeros_like(rows)
    aside[:, 0], aside[:, 1] = rows[:, 1], -rows[:, 0]
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    return 2 * (0.5 * rows + np.sqrt(0.75) * aside)


def test_the_loss_of_embeddings_and_of_accuracy(portrait: np.ndarray) -> None:
    faces = np.stack([person(portrait, identity, photo, 32) for identity in range(6) for photo in range(2)])
    losses = compare_embeddings({"flat": flat, "turned": turned}, faces, 16)
    assert losses["flat"].faces == 2 * len(faces)
    assert losses["flat"].smallest_cosine == pytest.approx(1)
    assert losses["flat"].accuracy is None
    assert losses["turned"].mean_cosine == pytest.approx(0.5, abs=1e-5)
    assert losses["turned"].largest_error_of_length == pytest.approx(1, abs=1e-5)
    first = np.array([0, 2, 4, 6, 0, 2, 4, 6])
    second = np.array([1, 3, 5, 7, 3, 5, 7, 1])
    same = np.array([True] * 4 + [False] * 4)
    pairs = PairedFaces(faces, first, second, same, np.array([0, 0, 1, 1] * 2))
    # One embedder sees nothing but the tint, which tells these persons apart; the other answers with noise.
    tint = lambda images: flat(np.tile(images.mean(axis=(1, 2), keepdims=True), (1, 2, 2, 1)))  # noqa: E731
    noise = lambda images: np.random.default_rng(3).normal(size=(len(images), 4)) / 2  # noqa: E731
    noisy = lambda images: np.concatenate([noise(images), np.zeros((len(images), 8))], axis=1)  # noqa: E731
    accuracy = compare_embeddings({"tint": tint, "noise": noisy}, pairs, 16)
    assert accuracy["tint"].pairs == 8
    assert accuracy["tint"].accuracy == accuracy["noise"].accuracy_of_reference == 1.0
    assert accuracy["noise"].accuracy is not None
    assert accuracy["noise"].accuracy < 1.0


def test_times_and_table(portrait: np.ndarray) -> None:
    faces = person(portrait, 1, 0, 16)[None]
    networks = {"quick": flat, "slow": lambda images: flat(np.tile(images, (300, 1, 1, 1)))[:1]}
    times = cpu_milliseconds(networks, faces, 3)
    assert times.keys() == networks.keys()
    assert 0 <= times["quick"] <= times["slow"]
    lines = loss_table(compare_embeddings(networks, faces, 8), {"quick": 1.5, "slow": 2.25}, times)
    assert lines[0].startswith("| form | MB | smallest cosine")
    assert lines[3].startswith("| slow | 2.25 | 1.00000 | 1.000000 |  | ")
    assert len({line.count("|") for line in lines}) == 1


def test_faces_of_measured_persons_and_of_others(portrait: np.ndarray, tmp_path: Path) -> None:
    write_people(tmp_path, portrait, {"5": 3, "6": 4, "10": 3}, size=32)
    held_out = sample_faces(tmp_path, 32, 100, 5, held_out=True)
    others = sample_faces(tmp_path, 32, 100, 5, held_out=False)
    assert (len(held_out), len(others)) == (6, 4)
    np.testing.assert_array_equal(others[0], np.asarray(Image.open(tmp_path / "6" / "00.png")))
    assert sample_faces(tmp_path, 16, 3, 0, held_out=True).shape == (3, 16, 16, 3)
    with pytest.raises(UserError, match="no person whose number is divisible by 7"):
        sample_faces(tmp_path, 32, 10, 7, held_out=True)


def test_the_first_pairs_of_every_fold(portrait: np.ndarray, tmp_path: Path) -> None:
    write_people(tmp_path / "faces", portrait, {"1": 3, "2": 3}, size=32)
    lines = ["2\t2"]
    for _ in range(2):
        lines += ["1\t00.png\t01.png", "2\t00.png\t01.png", "1\t00.png\t2\t00.png", "1\t01.png\t2\t01.png"]
    (tmp_path / "pairs.txt").write_text("\n".join(lines) + "\n")
    pairs = read_paired_faces(tmp_path / "faces", None, tmp_path / "pairs.txt", 2, side=32)
    assert pairs.same.tolist() == [True, False] * 2
    assert pairs.folds.tolist() == [0, 0, 1, 1]
    assert pairs.faces.shape == (3, 32, 32, 3)
    np.testing.assert_array_equal(
        pairs.faces[pairs.second[1]], np.asarray(Image.open(tmp_path / "faces" / "2" / "00.png"))
    )
    (tmp_path / "pairs.txt").write_text("1\t1\n1\t00.png\t01.png\n1\t00.png\t2\t00.png\n")
    with pytest.raises(UserError, match="has one fold"):
        read_paired_faces(tmp_path / "faces", None, tmp_path / "pairs.txt", 2, side=32)


def test_a_tree_on_another_template_than_the_models_is_refused(portrait: np.ndarray, tmp_path: Path) -> None:
    tree = write_aligned_tree(tmp_path / "tree", portrait, {"1": 2, "2": 2}, template="centred")
    assert len(sample_faces(tree, 32, 10, 0, held_out=True, template="centred")) == 4
    assert len(sample_faces(tree, 32, 10, 0, held_out=True)) == 4  # FaceNet
    with pytest.raises(UserError, match="lie on the template 'centred', and the model takes 'lai'"):
        sample_faces(tree, 32, 10, 0, held_out=True, template="lai")

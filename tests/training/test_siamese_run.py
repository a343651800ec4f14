"""What a Siamese run is made of: who is validated on, and flags that do not fit together."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from lrfr_tf.data.aligned import AlignedFiles
from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json, write_json
from lrfr_tf.training.siamese_run import SiameseRun, SiameseSettings, at_most_of_each, split_off_identities
from lrfr_tf.weights.facenet import load_facenet_128
from tests.aligned_by_code import write_aligned_tree

COUNTS = {"1": 5, "2": 3, "3": 4, "4": 6, "6": 4, "7": 2, "8": 9}


def files() -> AlignedFiles:
    paths = [f"{name}/{photo}" for name, count in COUNTS.items() for photo in range(count)]
    identities = np.repeat(np.arange(len(COUNTS)), list(COUNTS.values()))
    return AlignedFiles(paths, identities, list(COUNTS), trees=np.arange(len(paths)) % 2)


def check_whole(part: AlignedFiles) -> None:
    """Identities are numbered without gaps, and each path belongs to the name of its number."""
    assert set(part.identities) == set(range(len(part.names)))
    assert [part.names[number] for number in part.identities] == [path.split("/")[0] for path in part.paths]
    assert part.trees.tolist() == [files().paths.index(path) % 2 for path in part.paths]


def test_validation_identities_are_not_trained_on() -> None:
    training, validation = split_off_identities(files(), 3)
    check_whole(training)
    check_whole(validation)
    assert validation.names == ["1", "4", "8"]  # the first, the middle and the last of those with four or more
    assert training.names == ["2", "3", "6", "7"]
    assert sorted(training.paths + validation.paths) == sorted(files().paths)
    for count in (6, 7):
        with pytest.raises(UserError, match=rf"5 of 7 identities have four images or more, .* validate on {count}"):
            split_off_identities(files(), count)


def test_no_identity_is_validated_on_with_all_of_its_images() -> None:
    few = at_most_of_each(files(), 4)
    check_whole(few)
    assert np.bincount(few.identities).tolist() == [4, 3, 4, 4, 4, 2, 4]
    assert [path for path in few.paths if path.startswith("8")] == ["8/0", "8/2", "8/5", "8/8"]
    assert at_most_of_each(files(), 9).paths == files().paths


@pytest.fixture(scope="module")
def tree(portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_aligned_tree(tmp_path_factory.mktemp("aligned") / "tree", portrait, COUNTS, left_margin=10)


def job(tree: Path, **changes: Any) -> SiameseRun:
    values: dict[str, Any] = {
        "data": (str(tree),), "output": "/nowhere/run", "backbone": "spherenet4", "batch_size": 3,
        "validation_identities": 2, **changes,
    }  # fmt: skip
    return SiameseRun(SiameseSettings(**values), tf.distribute.get_strategy())


@pytest.mark.parametrize("faces_in", ["memory", "files"])
def test_batches_of_a_run(tree: Path, faces_in: str) -> None:
    batch = next(iter(job(tree, sizes=("128", "8"), faces_in=faces_in).batches(0)))
    assert batch.keys() == {"faces", "labels"}
    assert batch["faces"].shape == (6, 128, 128, 3)
    assert len(set(batch["labels"].numpy())) == 3


def test_batches_for_a_teacher_that_sees_the_views(tree: Path) -> None:
    settings = {"backbone": "facenet", "distillation_weight": 1.0, "teacher_sees": "views", "mixed": 0.5, "varied": 0.5}
    run = job(tree, sizes=("128", "8"), head="none", triplet_weight=0.0, **settings)
    batch = next(iter(run.batches(0)))
    assert batch.keys() == {"faces", "labels", "sharp"}
    assert batch["sharp"].shape == (3, 128, 128, 3)
    np.testing.assert_array_equal(batch["faces"][::2], batch["sharp"])


@pytest.mark.facenet
def test_a_teacher_that_sees_the_views_is_facenet(tree: Path, facenet_weights: Path) -> None:
    settings = {"backbone": "facenet", "facenet_weights": str(facenet_weights), "similarity_weight": 1.0}
    assert job(tree, **settings).build_teacher() is None
    assert job(tree).build_teacher() is None
    teacher = job(tree, teacher_sees="views", **settings).build_teacher()
    assert teacher is not None
    assert teacher.trainable_variables == []
    faces = np.random.default_rng(0).integers(0, 256, (2, 128, 128, 3)).astype(np.float32)
    published = load_facenet_128(facenet_weights)
    enlarged = keras.ops.image.resize(faces, (160, 160), interpolation="bicubic", antialias=True)
    features = np.asarray(teacher(faces, training=False))
    features = features / np.linalg.norm(features, axis=1, keepdims=True)
    np.testing.assert_allclose(features, np.asarray(published(enlarged, training=False)), atol=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"initial_weights": "facenet"}, "--initial_weights=facenet needs --backbone=facenet"),
        ({"initial_weights": "nothing.h5"}, "--initial_weights=nothing.h5 is neither random, facenet, nor a file"),
        ({"distillation_weight": 1.5}, "128 numbers: --distillation_weight=1.5 needs --backbone=facenet"),
        ({"similarity_weight": 0.5}, "128 numbers: --similarity_weight=0.5 needs --backbone=facenet"),
        ({"varied": 1.5}, "--varied=1.5 is out of range; it must be at most 1"),
        ({"mixed": 2.0}, "--mixed=2 is out of range; it must be at most 1"),
        ({"mixed": 0.5}, "--mixed needs --teacher_sees=views, --classification_weight=0, --triplet_weight=0 and"),
        ({"share_of_same": 0.5}, "it needs --similarity_weight"),
        ({"share_of_same": 1.5}, "--share_of_same=1.5 is out of range; it must be at most 1"),
        ({"mixed": 0.5, "teacher_sees": "views", "head": "none"}, "A mixture of two persons has no label"),
        ({"head_start": "teacher"}, "128 numbers: --head_start=teacher needs --backbone=facenet"),
        ({"classification_weight": 0.0, "triplet_weight": 0.0}, "there is nothing to learn"),
        ({"head": "none", "triplet_weight": 0.0}, "--head=none; there is nothing to learn"),
        ({"random_sizes": (8,)}, "--random_sizes takes two numbers"),
        ({"random_sizes": (8, 129)}, "--random_sizes=8,129 is no range within 1 to 128"),
        ({"sizes": ("8", "all")}, "'all' is neither a number of pixels nor 'random'"),
        ({"sizes": ("256",)}, "--sizes=256: each is 1 to 128"),
        ({"validation_identities": 6}, "lower --validation_identities"),
        ({"batch_size": 6}, "A batch takes 6 identities and there are only 5; lower --batch_size"),
        ({"held_out_divisor": 1}, "No face is left"),
        ({"data": ("/nowhere",)}, "/nowhere is not a finished tree of aligned faces"),
        ({"exclude": "/nowhere"}, "/nowhere"),
        ({"repeats": (1, 2)}, "--repeats takes one number of at least 1 for each tree of --data"),
        ({"repeats": (0,)}, "--repeats takes one number of at least 1 for each tree of --data"),
        ({"eval_benchmarks": ("lfw",)}, "--eval_benchmarks and --data_root go together"),
        ({"data_root": "/nowhere"}, "--eval_benchmarks and --data_root go together"),
    ],
)
def test_flags_that_do_not_fit_are_refused(tree: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        job(tree, **change)


def test_names_of_a_list_that_match_nobody_are_refused(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A list saved by Notepad leaves out whom it names, and one that leaves nobody out is never passed over."""
    (tmp_path / "list.txt").write_bytes(b"\xef\xbb\xbf2\r\n003\r\n")
    assert not {"2", "3"} & set(job(tree, exclude=str(tmp_path / "list.txt")).files.names)
    (tmp_path / "list.txt").write_text("2\n90\n")
    with pytest.raises(UserError, match=r"1 of the 2 entries of .*list.txt match nobody \(90\)"):
        job(tree, exclude=str(tmp_path / "list.txt"))
    capsys.readouterr()
    run = job(tree, exclude=str(tmp_path / "list.txt"), allow_unmatched_exclusions=True)
    assert "2" not in run.files.names
    assert capsys.readouterr().err.startswith("note: 1 of the 2 entries of ")
    (tmp_path / "list.txt").write_text("90\n")
    with pytest.raises(UserError, match="list.txt leaves nobody out"):
        job(tree, exclude=str(tmp_path / "list.txt"), allow_unmatched_exclusions=True)


def test_a_list_may_name_those_who_were_left_out_when_the_tree_was_made(portrait: np.ndarray, tmp_path: Path) -> None:
    root = write_aligned_tree(tmp_path / "tree", portrait, COUNTS)
    write_json(root / "manifest.json", {**read_json(root / "manifest.json"), "excluded_identities": ["00090"]})
    (tmp_path / "list.txt").write_text("90\n")
    assert len(job(root, exclude=str(tmp_path / "list.txt")).files.names) == len(COUNTS) - 2


def test_faces_of_another_size_are_refused(portrait: np.ndarray, tmp_path: Path) -> None:
    from PIL import Image

    root = write_aligned_tree(tmp_path / "tree", portrait, COUNTS)
    for path in root.rglob("*.jpg"):
        Image.new("RGB", (64, 64)).save(path)
    with pytest.raises(UserError, match="takes aligned faces of 128 pixels, not 64"):
        job(root)


def test_a_run_knows_the_template_of_its_trees(tree: Path, portrait: np.ndarray, tmp_path: Path) -> None:
    assert job(tree).template == "lai"
    other = write_aligned_tree(tmp_path / "tree", portrait, COUNTS, left_margin=10, template="centred")
    assert job(other).template == "centred"
    with pytest.raises(UserError, match=r"are framed differently \(template, size, .*: \('lai', 128, 10, 0\) and"):
        job(tree, data=(str(tree), str(other)))

"""The split rule, on small lists by hand and on a list with CelebA's own counts."""

from pathlib import Path

import pytest

from lrfr_tf.data.celeba import (
    FULL_CLASSES,
    FULL_IDENTITIES,
    FULL_IMAGES,
    check_full_set,
    match_images,
    read_identities,
)
from lrfr_tf.data.folders import is_held_out
from lrfr_tf.data.splits import Split, split_by_name, split_unnamed, split_with_given_test
from lrfr_tf.errors import UserError
from lrfr_tf.sources.image_source import FolderSource


def of(split: Split, name: str) -> list[str]:
    return [file.source for file in split.files if file.split == name]


def test_first_tests_second_validates_the_rest_train() -> None:
    split = split_by_name({"10": ["d", "b", "a", "c"], "9": ["f", "g", "e"], "7": ["h", "i"]})
    assert split.classes == ["9", "10"]
    assert (of(split, "test"), of(split, "val"), of(split, "train")) == (["e", "a"], ["f", "b"], ["g", "c", "d"])
    assert split.dropped == ["7"]
    assert len(split.files) == 7


def test_dropped_identities_may_be_kept_apart() -> None:
    split = split_by_name({"a": ["1", "2", "3"], "b": ["4"]}, keep_dropped=True)
    assert of(split, "extra") == ["4"]
    assert split.classes == ["a"]


def test_nobody_left_is_an_error() -> None:
    with pytest.raises(UserError, match="No identity has the 3 images"):
        split_by_name({"a": ["1", "2"]})


def test_a_given_test_set_stays_whole() -> None:
    split = split_with_given_test({"a": ["3", "1", "2"], "b": ["4"], "c": ["5", "6"]}, {"a": ["9", "8"], "b": ["7"]})
    assert (of(split, "test"), of(split, "val"), of(split, "train")) == (["8", "9"], ["1"], ["2", "3"])
    assert split.dropped == ["b", "c"]


def full_size_list() -> list[tuple[str, str]]:
    """As many lines and identities as CelebA's list has, 368 of them with one or two images."""
    small = FULL_IDENTITIES - FULL_CLASSES
    counts = [1] * (small // 2) + [2] * (small - small // 2)
    rest = FULL_IMAGES - sum(counts)
    counts += [rest // FULL_CLASSES + (i < rest % FULL_CLASSES) for i in range(FULL_CLASSES)]
    owners = [str(identity + 1) for identity, count in enumerate(counts) for _ in range(count)]
    return [(f"{number + 1:06d}.jpg", owner) for number, owner in enumerate(owners)]


def test_the_full_set_gives_9809_identities(tmp_path: Path) -> None:
    path = tmp_path / "identity_CelebA.txt"
    path.write_text("".join(f"{file} {identity}\n" for file, identity in full_size_list()))
    identities = read_identities(path)
    images: dict[str, list[str]] = {}
    for file, identity in identities.items():
        images.setdefault(identity, []).append(file)
    split = split_by_name(images)
    check_full_set(identities, split)
    assert len(split.classes) == 9_809
    assert len(split.dropped) == 368
    assert (split.count("test"), split.count("val")) == (9_809, 9_809)
    with pytest.raises(UserError, match="it is not CelebA's"):
        check_full_set(identities, Split(split.files, split.classes[1:], split.dropped))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "names no image"),
        ("000001.jpg 12\n000002.jpg\n", "line 2"),
        ("000001.jpg 12\n000001.jpg 13\n", "named twice"),
        ("000001.jpg twelve\n", "line 1"),
        ("<html><body>Quota exceeded</body></html>\n", "line 1"),
    ],
)
def test_wrong_identity_files_are_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "identity_CelebA.txt"
    path.write_text(text)
    with pytest.raises(UserError, match=words):
        read_identities(path)


def test_a_header_line_is_accepted_and_missing_files_are_errors(tmp_path: Path) -> None:
    path = tmp_path / "identity_CelebA.txt"
    path.write_text("img label\n000001.jpg 0012\n")
    assert read_identities(path) == {"000001.jpg": "12"}
    with pytest.raises(UserError, match="none.txt"):
        read_identities(tmp_path / "none.txt")
    path.write_bytes(b"\xff\xd8\xff\xe0 a photo")
    with pytest.raises(UserError, match="no text in UTF-8"):
        read_identities(path)


def test_listed_images_are_joined_with_those_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "img").mkdir()
    for name in ("1.jpg", "2.jpg"):
        (tmp_path / "img" / name).write_bytes(b"x")
    images, missing = match_images(FolderSource(tmp_path), {"1.jpg": "5", "2.jpg": "5", "3.jpg": "6"})
    assert images == {"5": ["img/1.jpg", "img/2.jpg"]}
    assert missing == ["3.jpg"]
    with pytest.raises(UserError, match="Of 1 image of the identity list"):
        match_images(FolderSource(tmp_path), {"9.jpg": "1"})


def test_photos_without_names_are_for_learning_alone() -> None:
    split = split_unnamed(["00005.jpg", "a/10.jpg"])
    assert of(split, "extra") == ["00005.jpg", "a/10.jpg"]
    assert (split.classes, split.dropped) == ([], [])
    # A number of a photo is nobody's number, so no divisor holds it out.
    assert not any(is_held_out(file.identity, 5) for file in split.files)


def test_photos_that_come_later_change_nobodys_place() -> None:
    first = split_by_name({"ann": ["b", "c", "d"]})
    grown = split_by_name({"ann": ["a", "b", "c", "d"], "bob": ["1", "2", "3"]}, earlier=first.files)
    assert {(file.source, file.split) for file in grown.files} == {
        ("b", "test"), ("c", "val"), ("d", "train"), ("a", "train"), ("1", "test"), ("2", "val"), ("3", "train"),
    }  # fmt: skip
    assert split_by_name({"ann": ["a", "b", "c", "d"], "bob": ["1", "2", "3"]}, earlier=grown.files) == grown
    given = split_with_given_test({"ann": ["b", "c"]}, {"ann": ["b"]})
    grown = split_with_given_test({"ann": ["a", "b", "c"]}, {"ann": ["a", "b"]}, given.files)
    assert [(file.source, file.split) for file in grown.files] == [
        ("a", "test"), ("b", "test"), ("b", "val"), ("a", "train"), ("c", "train"),
    ]  # fmt: skip

"""Lists of pairs: what is drawn, counted by hand; LFW's own form; every mistake by its line."""

import itertools
import string
from pathlib import Path

import pytest

from lrfr_tf.data.pairs import (
    Pair,
    find_paired_images,
    image_key,
    make_pairs,
    most_folds_and_pairs,
    read_pairs,
    write_pairs,
)
from lrfr_tf.errors import UserError

PEOPLE = {str(5 * person): [f"{person:03d}{photo:02d}.png" for photo in range(3 + person % 7)] for person in range(40)}

LFW = """2\t2
Abel_Pacheco\t1\t4
Aitor Gonzalez\t2\t10
Abel_Pacheco\t3\tAna_Guevara\t12
Ana_Guevara\t5\tAitor Gonzalez\t1
Zico\t1\t3
Zico\t2\t3
Zico\t1\tZiwang_Xu\t1
Zico\t2\tZiwang_Xu\t1
"""


def test_lfws_own_list_is_read(tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_text(LFW)
    first, second = read_pairs(tmp_path / "pairs.txt")
    assert first == [
        Pair(("Abel_Pacheco", "Abel_Pacheco_0001.jpg"), ("Abel_Pacheco", "Abel_Pacheco_0004.jpg")),
        Pair(("Aitor Gonzalez", "Aitor Gonzalez_0002.jpg"), ("Aitor Gonzalez", "Aitor Gonzalez_0010.jpg")),
        Pair(("Abel_Pacheco", "Abel_Pacheco_0003.jpg"), ("Ana_Guevara", "Ana_Guevara_0012.jpg")),
        Pair(("Ana_Guevara", "Ana_Guevara_0005.jpg"), ("Aitor Gonzalez", "Aitor Gonzalez_0001.jpg")),
    ]
    assert [pair.same for pair in second] == [True, True, False, False]


def test_a_list_is_read_as_it_was_written(tmp_path: Path) -> None:
    folds = make_pairs(PEOPLE, folds=4, pairs=20)
    write_pairs(tmp_path / "pairs.txt", folds)
    assert read_pairs(tmp_path / "pairs.txt") == folds
    lines = (tmp_path / "pairs.txt").read_text().splitlines()
    assert lines[0] == "4\t20"
    assert [len(line.split("\t")) for line in lines[1:]] == ([3] * 20 + [4] * 20) * 4


def test_the_suffix_does_not_tell_images_apart() -> None:
    assert image_key("5", "184494.jpg") == image_key("5", "184494.png") != image_key("10", "184494.png")


def test_what_is_drawn() -> None:
    folds = make_pairs(PEOPLE, folds=5, pairs=30)
    seen: set[frozenset[tuple[str, str]]] = set()
    persons_of_folds = []
    for fold in folds:
        assert [pair.same for pair in fold] == [True] * 30 + [False] * 30
        for pair in fold:
            ends = frozenset([pair.first, pair.second])
            assert len(ends) == 2
            assert ends not in seen
            seen.add(ends)
            assert all(name in PEOPLE[person] for person, name in ends)
        persons_of_folds.append({person for pair in fold for person, _ in (pair.first, pair.second)})
    assert all(not a & b for a, b in itertools.combinations(persons_of_folds, 2))
    assert [len(persons) for persons in persons_of_folds] == [8] * 5


def test_the_seed_and_nothing_else_decides() -> None:
    shuffled = {person: PEOPLE[person][::-1] for person in reversed(PEOPLE)}
    assert make_pairs(PEOPLE, 4, 20, seed=1) == make_pairs(shuffled, 4, 20, seed=1)
    assert make_pairs(PEOPLE, 4, 20, seed=1) != make_pairs(PEOPLE, 4, 20, seed=2)


def test_persons_count_evenly_whatever_their_number_of_images() -> None:
    people = {letter: [f"{photo}a.png" for photo in range(60 if letter == "a" else 20)] for letter in "abcdef"}
    (matched_first, _) = (make_pairs(people, 1, 300)[0][:300], None)
    counts = [sum(pair.first[0] == letter for pair in matched_first) for letter in people]
    # Evenly over all pairs, "a" would have 1,770 of 2,720, so about 195; by person it has about 50.
    assert all(25 <= count <= 80 for count in counts)


def test_all_pairs_that_there_are_can_be_drawn() -> None:
    # Two persons with two images each: 2 matched and 4 mismatched pairs.
    people = {"a": ["1a.png", "2a.png"], "b": ["1b.png", "2b.png"]}
    (fold,) = make_pairs(people, folds=1, pairs=2)
    assert {pair.first[0] for pair in fold[:2]} == {"a", "b"}
    with pytest.raises(UserError, match=r"Fold 1 of 1 has 2 persons with 4 images, enough for 2 of 3 matched pairs"):
        make_pairs(people, folds=1, pairs=3)


def test_as_many_folds_and_pairs_as_there_are_images_for() -> None:
    people = {letter: [f"{photo}{letter}.png" for photo in range(3)] for letter in "abcdef"}
    # 6 persons in 3 folds of two: 2 x 3 matched and 9 mismatched pairs each; one fold has 18 matched pairs as well.
    assert most_folds_and_pairs(people) == (3, 6)
    assert most_folds_and_pairs(people, folds=2) == (2, 9)
    assert most_folds_and_pairs(people, pairs=4) == (3, 4)
    assert len(make_pairs(people, *most_folds_and_pairs(people))) == 3
    many = {str(person): [f"{photo}.png" for photo in range(9)] for person in range(200)}
    assert most_folds_and_pairs(many) == (10, 300)  # LFW's
    # What is asked for stays as it is, so that `make_pairs` says what is wanting.
    assert most_folds_and_pairs(people, 4, 6) == (4, 6)
    assert most_folds_and_pairs(people, pairs=300)[1] == 300
    assert most_folds_and_pairs({}) == (1, 1)


def test_only_images_of_the_list_need_a_name_of_their_own() -> None:
    folds = [[Pair(("a", "1.png"), ("b", "1.png"))]]
    there = [("a", "1.png", 0), ("b", "1.png", 1), ("b", "2.png", 2), ("b", "2.jpg", 3)]
    assert find_paired_images(folds, there, "here").images == [0, 1]
    with pytest.raises(UserError, match="here holds b/1 twice: 1 and 4"):
        find_paired_images(folds, [*there, ("b", "1.jpg", 4)], "here")


def test_too_few_of_anything() -> None:
    with pytest.raises(UserError, match="3 persons are too few for 2 folds"):
        make_pairs({name: ["1a.png", "2a.png"] for name in "abc"}, folds=2, pairs=1)
    singles = {letter: ["only.png"] for letter in string.ascii_lowercase}
    with pytest.raises(UserError, match="enough for 0 of 1 matched pair;"):
        make_pairs(singles, folds=2, pairs=1)
    many_of_one = {"a": [f"{photo}a.png" for photo in range(30)], "b": ["1b.png"]}
    with pytest.raises(UserError, match="enough for 30 of 31 mismatched pairs;"):
        make_pairs(many_of_one, folds=1, pairs=31)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "first line should be the number of folds and of pairs"),
        ("ten\t300\n", "first line should be"),
        ("0\t300\n", "first line should be"),
        (LFW.replace("2\t2\n", "3\t2\n", 1), "announces 3 folds of twice 2 pairs: 12 lines after the first, not 8"),
        (LFW.replace("Zico\t1\t3", "Zico\t1"), "Line 6 of .* a person and two of the images"),
        (LFW.replace("Zico\t1\t3", "Zico\t1\tZiwang_Xu\t1"), "Line 6 of .* a person and two of the images"),
        (LFW.replace("Zico\t1\t3", "Zico\t3\t3"), "Line 6 of .* compares an image with itself"),
        (LFW.replace("Ziwang_Xu\t1", "Zico\t3"), "Line 8 of .* needs two different persons"),
        (LFW.replace("Ziwang_Xu\t1", "\t3"), "Line 8 of .* a person, an image, a person and an image"),
    ],
)
def test_what_is_no_list_is_refused_by_its_line(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_text(text)
    with pytest.raises(UserError, match=message):
        read_pairs(tmp_path / "pairs.txt")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="pairs.txt is missing"):
        read_pairs(tmp_path / "pairs.txt")
    (tmp_path / "pairs.txt").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(UserError, match="cannot be read as a list of pairs"):
        read_pairs(tmp_path / "pairs.txt")


@pytest.mark.parametrize("name", ["a\tb.png", "a\nb.png", "0007"])
def test_names_that_the_form_cannot_hold_are_not_written(name: str, tmp_path: Path) -> None:
    fold = [Pair(("1", name), ("1", "x.png")), Pair(("1", "x.png"), ("2", "y.png"))]
    with pytest.raises(UserError, match="cannot hold the name"):
        write_pairs(tmp_path / "pairs.txt", [fold])
    assert not list(tmp_path.iterdir())

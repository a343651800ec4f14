"""What one person's small references cost."""

import dataclasses

from lrfr_tf.gallery.references import Reference
from lrfr_tf.gallery.small_references import small_references_in_words
from tests.gallery.ready_people import embedding_of, like


def ada(*heights: float) -> list[Reference]:
    return [Reference(like(1, number), height=height, person="Ada") for number, height in enumerate(heights)]


def test_large_ones_cost_nothing() -> None:
    assert small_references_in_words([]) is None
    assert small_references_in_words(ada(32, 80, 0)) is None  # 0: nobody knows the height


def test_small_ones_alone() -> None:
    assert small_references_in_words(ada(12, 31.9)) == (
        "No reference in force is 32 pixels high; a larger face recognizes its person more often."
    )


def test_both() -> None:
    stranger = Reference(embedding_of(78), height=31.0, person="Ada")
    said = small_references_in_words([*ada(80, 80, 80), stranger])
    assert said is not None
    assert said.startswith("1 of 4 references in force is under 32 px: the mean score of 3 larger ones")
    with_them, without = (float(word.strip(".,")) for word in said.split() if word[0] in "0")
    assert with_them < without - 0.02
    assert small_references_in_words([*ada(80), stranger]) == (
        "1 of 2 references in force is under 32 px; what that costs can be told with two larger ones."
    )
    assert small_references_in_words([*ada(80, 80), dataclasses.replace(stranger, in_force=False)]) is None

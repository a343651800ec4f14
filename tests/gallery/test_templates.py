"""A person as one template, and references that are hardly the person."""

import numpy as np

from lrfr_tf.gallery.templates import (
    set_aside_of,
    similarities_to_the_rest,
    template_of,
    templates_of,
    weights_of,
)
from tests.gallery.ready_people import embedding_of, like


def test_of_large_faces_a_template_is_the_mean() -> None:
    photos = np.stack([like(1, number) for number in range(3)])
    mean = photos.mean(axis=0)
    np.testing.assert_allclose(template_of(photos, np.array([70.0, 90.0, 0.0])), mean / np.linalg.norm(mean), atol=1e-6)


def test_small_faces_count_less() -> None:
    np.testing.assert_allclose(weights_of(np.array([8.0, 32.0, 64.0, 200.0, 0.0, -1.0])), [0.125, 0.5, 1, 1, 1, 1])
    photos = np.stack([embedding_of(1), embedding_of(2)])
    template = template_of(photos, np.array([64.0, 8.0]))
    assert template @ photos[0] > 0.95 > template @ photos[1]
    np.testing.assert_allclose(np.linalg.norm(template), 1, atol=1e-6)


def test_many_persons_at_once_are_as_each_alone() -> None:
    photos = np.stack([like(seed, number) for seed in range(4) for number in range(seed + 1)])
    heights = np.linspace(5, 80, len(photos))
    starts = np.array([0, 1, 3, 6])
    together = templates_of(photos, heights, starts)
    for person, (start, end) in enumerate(zip(starts, [*starts[1:], len(photos)], strict=True)):
        np.testing.assert_array_equal(together[person], template_of(photos[start:end], heights[start:end]))


def test_references_that_cancel_out_are_no_template() -> None:
    one = embedding_of(1)
    assert not template_of(np.stack([one, -one]), np.array([50.0, 50.0])).any()


def test_the_odd_one_out() -> None:
    photos = np.stack([*(like(1, number) for number in range(4)), embedding_of(78)])
    own = similarities_to_the_rest(photos)
    assert own[4] < 0.25 * np.median(own)
    ((row, reason),) = set_aside_of(photos)
    assert row == 4
    assert f"{own[4]:.2f}" in reason
    assert f"{np.median(own):.2f}" in reason
    assert set_aside_of(photos[1:]) == []  # of four nobody can tell
    assert set_aside_of(np.stack([like(1, number) for number in range(9)])) == []


def test_a_similarity_of_hardly_anything_has_no_sign() -> None:
    rest = np.zeros((5, 8), np.float32)
    rest[:4, 0] = 1.0
    rest[4, :2] = (-1e-3, 1.0)
    ((row, reason),) = set_aside_of(rest)
    assert row == 4
    assert "is 0.00, where 0.75 is usual" in reason

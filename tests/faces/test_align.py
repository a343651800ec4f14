"""Similarity alignment against scikit-image, and dots that must come to lie on the template."""

import numpy as np
import pytest
from skimage.transform import SimilarityTransform

from lrfr_tf.faces.align import TEMPLATES, align_face, similarity_transform, template_points
from tests.faces_of_dots import SHAPE, face_of_dots, landmarks_at, positions_of_dots


def fitted_to(target: np.ndarray, scale: float, degrees: float, center: tuple[float, float]) -> np.ndarray:
    """Landmarks that have the template's own shape, so that each of them can lie on its point."""
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    return (target - target.mean(axis=0)) @ np.array([[cosine, sine], [-sine, cosine]]) * scale + center


def test_the_templates_are_the_published_ones() -> None:
    lai = [(34.6224, 59.0815), (74.8935, 58.8587), (54.8859, 81.9847), (38.3421, 105.5606), (71.6913, 105.3761)]
    np.testing.assert_allclose(template_points("lai"), lai, atol=1e-4)
    np.testing.assert_allclose(
        template_points("centred")[:, 0], [43.7653, 84.0363, 64.0288, 47.4849, 80.8342], atol=1e-4
    )
    np.testing.assert_allclose(template_points("centred")[:, 1], np.array(lai)[:, 1], atol=1e-4)
    np.testing.assert_allclose(template_points("lai", 64), np.array(lai) / 2, atol=1e-4)


def test_the_transform_is_the_one_of_scikit_image() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        source = landmarks_at(tuple(random.uniform(0, 500, 2)), random.uniform(0.2, 5), random.uniform(-180, 180))
        source += random.normal(0, 2, (5, 2))
        target = template_points(random.choice(TEMPLATES))
        expected = SimilarityTransform.from_estimate(source, target).params[:2]
        np.testing.assert_allclose(similarity_transform(source, target), expected, rtol=1e-6, atol=1e-6)


def test_a_mirrored_face_is_never_mirrored_back() -> None:
    target = template_points()
    for degrees in (0, 90, 180):
        source = landmarks_at((50, 60), degrees=degrees)
        mirrored = source * (-1, 1) + (200, 0)
        transform = similarity_transform(mirrored, target)
        assert np.linalg.det(transform[:, :2]) > 0
        # A rotation with a scale: the columns are equally long and at right angles.
        np.testing.assert_allclose(transform[0, 0], transform[1, 1])
        np.testing.assert_allclose(transform[0, 1], -transform[1, 0])
        assert np.abs(mirrored @ transform[:, :2].T + transform[:, 2] - target).max() > 5


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize(
    ("scale", "degrees"), [(0.5, 0.0), (1.0, 35.0), (1.9, -20.0), (2.1, 15.0), (3.7, -50.0), (8.3, 10.0)]
)
def test_dots_on_the_landmarks_come_to_lie_on_the_template(template: str, scale: float, degrees: float) -> None:
    """Scales above 2 take the way over a photo that is first shrunk with antialiasing."""
    target = template_points(template)
    landmarks = fitted_to(target, scale, degrees, (80.3 * scale, 77.6 * scale))
    photo = face_of_dots(landmarks, int(150 * scale), int(160 * scale) + 1, radius=2.5 * scale)
    face = align_face(photo, landmarks, template=template)
    assert face.shape == (128, 128, 3)
    assert face.dtype == np.uint8
    assert np.abs(positions_of_dots(face, target) - target).max() < 0.5 * (1 if scale > 2 else 0.5)


def test_shrinking_first_neither_shifts_nor_aliases() -> None:
    """Stripes of one pixel average to grey; a warp alone would pick some of them."""
    photo = np.zeros((900, 900, 3), np.uint8)
    photo[:, ::2] = 200
    face = align_face(photo, fitted_to(template_points(), 5.0, 0.0, (450, 450)))
    assert np.abs(face.astype(int) - 100).max() < 8


def test_a_margin_adds_columns_and_moves_nothing_else() -> None:
    landmarks = landmarks_at((70.4, 80.2), 1.1, 12)
    photo = np.random.default_rng(0).integers(0, 256, (150, 140, 3), dtype=np.uint8)
    plain, wide = align_face(photo, landmarks), align_face(photo, landmarks, left_margin=10)
    assert wide.shape == (128, 138, 3)
    difference = np.abs(wide[:, 10:].astype(int) - plain)
    assert difference.mean() < 0.5  # the warp rounds source positions to 1/32 pixel
    assert align_face(photo, landmarks, size=64, left_margin=3).shape == (64, 67, 3)
    around = align_face(photo, landmarks, margin=9)
    assert around.shape == (146, 146, 3)
    assert np.abs(around[9:-9, 9:-9].astype(int) - plain).mean() < 0.5
    assert align_face(photo, landmarks, size=64, left_margin=3, margin=2).shape == (68, 71, 3)


def test_a_smaller_size_is_the_same_frame() -> None:
    landmarks = fitted_to(template_points(), 1.0, 20.0, (75, 75))
    face = align_face(face_of_dots(landmarks, 150, 150, radius=3), landmarks, size=64)
    target = template_points(size=64)
    assert np.abs(positions_of_dots(face, target, window=5) - target).max() < 0.75


def test_what_lies_outside_of_the_photo_is_black() -> None:
    photo = np.full((60, 60, 3), 255, np.uint8)
    face = align_face(photo, fitted_to(template_points(), 1.0, 0.0, (10, 30)))
    assert (face[:, 0] == 0).all()
    assert (face[60:70, 60:70] == 255).all()


def test_colors_and_sides_stay() -> None:
    photo = np.zeros((150, 150, 3), np.uint8)
    photo[..., 0], photo[:, 75:, 2] = 40, 200  # blue on the right
    face = align_face(photo, fitted_to(template_points("centred"), 1.0, 0.0, (75, 75)), template="centred")
    assert (face[64, 30] == (40, 0, 0)).all()
    assert (face[64, 100] == (40, 0, 200)).all()


def test_wrong_landmarks_are_errors() -> None:
    photo = np.zeros((50, 50, 3), np.uint8)
    with pytest.raises(ValueError, match="five landmarks"):
        align_face(photo, SHAPE[:4])
    with pytest.raises(ValueError, match="two different points"):
        align_face(photo, np.full((5, 2), 7.0))
    with pytest.raises(ValueError, match="finite"):
        align_face(photo, np.full((5, 2), np.nan))
    with pytest.raises(ValueError, match="'arcface' is not known; there are lai, centred"):
        align_face(photo, SHAPE, template="arcface")

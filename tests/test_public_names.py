"""What `import lrfr_tf` gives, and what it leaves alone."""

import doctest
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lrfr_tf
from lrfr_tf.errors import UserError
from lrfr_tf.images.decode import write_png
from lrfr_tf.images.resize import resize
from lrfr_tf.networks import super_resolver
from lrfr_tf.recognition import recognizer
from tests.faces_by_code import person, write_people

DOCUMENTED = Path(__file__).parent.parent / "docs" / "api.md"
ASK = """
import json, os, sys
before = dict(os.environ), list(sys.meta_path), list(sys.argv), os.fstat(2)
import lrfr_tf
after = dict(os.environ), list(sys.meta_path), list(sys.argv), os.fstat(2)
import logging
heavy = [name for name in ("numpy", "PIL", "keras", "tensorflow", "absl") if name in sys.modules]
print(json.dumps({"heavy": heavy, "same": before == after, "level": logging.getLogger().level, "dir": dir(lrfr_tf)}))
"""


def test_importing_the_package_loads_nothing_and_changes_nothing() -> None:
    answer = json.loads(subprocess.run([sys.executable, "-c", ASK], capture_output=True, check=True, text=True).stdout)
    assert answer["heavy"] == []
    assert answer["same"]
    assert answer["level"] == 30  # Python's own
    assert set(lrfr_tf.__all__) <= set(answer["dir"])


def test_every_public_name_is_there_and_documented() -> None:
    words = DOCUMENTED.read_text(encoding="utf-8")
    for name in lrfr_tf.__all__:
        assert getattr(lrfr_tf, name).__doc__
        assert f"`{name}" in words, name
    with pytest.raises(AttributeError, match="no attribute 'Recogniser'"):
        lrfr_tf.Recogniser  # noqa: B018


@pytest.mark.parametrize("module", [recognizer, super_resolver])
def test_examples_of_docstrings(module: object, portrait: np.ndarray) -> None:
    names = {"portrait": portrait, "tiny": resize(portrait[40:170, 160:290], 16, 16)}
    result = doctest.testmod(module, extraglobs=names)  # type: ignore[arg-type]
    assert result.attempted
    assert not result.failed


def test_the_ten_lines(portrait: np.ndarray, tmp_path: Path) -> None:
    """A gallery of made-up persons, a photo as a path, a PIL image and an array, and faces that are compared."""
    write_people(tmp_path / "people", portrait, {"Ada": 2, "Grace": 2})
    street = np.concatenate([person(portrait, 1, 50), person(portrait, 0, 51)], axis=1)
    write_png(tmp_path / "street.png", street)
    recognizer = lrfr_tf.Recognizer("siamese")
    gallery = lrfr_tf.Gallery.from_folder(tmp_path / "people", recognizer)
    answers = []
    for photo in (tmp_path / "street.png", str(tmp_path / "street.png"), Image.fromarray(street), street):
        faces = recognizer.analyze(photo)
        assert all(face.embedding.dtype == np.float32 and face.embedding.ndim == 1 for face in faces)
        matches = [gallery.identify(face) for face in faces]
        assert all(match.threshold == gallery.threshold.score for match in matches)
        answers.append(
            sorted((face.box[0], match.candidates[0].name) for face, match in zip(faces, matches, strict=True))
        )
    assert [name for _, name in answers[0]] == ["Grace", "Ada"]
    assert all(answer == answers[0] for answer in answers)
    same = recognizer.compare(tmp_path / "people" / "Ada" / "00.png", person(portrait, 0, 50))
    other = recognizer.compare(person(portrait, 0, 50), person(portrait, 1, 50))
    assert other < same <= 1
    with pytest.raises(UserError, match="The second photo shows no face"):
        recognizer.compare(street, np.zeros((60, 60, 3), np.uint8))
    with pytest.raises(UserError, match="embedded by another, a face by siamese"):
        lrfr_tf.Gallery(["Ada"], gallery.embeddings[:1], gallery.threshold, "another").identify(faces[0])


def test_super_resolving_one_and_many(portrait: np.ndarray, tmp_path: Path) -> None:
    face = portrait[40:170, 160:290]
    write_png(tmp_path / "tiny.png", resize(face, 16, 16))
    super_resolve = lrfr_tf.SuperResolver("srgan_camera")
    sharp = super_resolve(lrfr_tf.read_image(tmp_path / "tiny.png"))
    assert (sharp.shape, sharp.dtype) == ((64, 64, 3), np.uint8)
    np.testing.assert_array_equal(super_resolve(tmp_path / "tiny.png"), sharp)
    np.testing.assert_array_equal(super_resolve(face), sharp)  # resized first
    np.testing.assert_array_equal(super_resolve(np.stack([face, face]))[1], sharp)
    assert super_resolve(np.zeros((0, 16, 16, 3), np.uint8)).shape == (0, 64, 64, 3)
    enlarged = resize(resize(face, 16, 16), 64, 64)
    error, bicubic = (np.abs(image.astype(int) - resize(face, 64, 64)).mean() for image in (sharp, enlarged))
    assert error < bicubic

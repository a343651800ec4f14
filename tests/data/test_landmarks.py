"""Landmark tables: what is written is read back; other people's forms; one sentence for every mistake."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.data.detect_landmarks import detect_landmarks
from lrfr_tf.data.landmarks import by_image, read_landmarks, read_vggface2_landmarks, write_landmarks
from lrfr_tf.errors import UserError
from lrfr_tf.faces.detect import Detection, FaceDetector
from lrfr_tf.sources.image_source import open_source

POINTS = np.array([[10.5, 20.25], [30.0, 20.0], [20.0, 30.0], [12.0, 40.0], [28.0, -1.5]])


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    rows = {"Ann_B/Ann_B_0001.jpg": POINTS, 'odd, "name".JPG': POINTS + 100}
    write_landmarks(tmp_path / "table.csv", rows)
    found = read_landmarks(tmp_path / "table.csv")
    assert list(found) == list(rows)
    for name, points in rows.items():
        assert found[name].shape == (5, 2)
        np.testing.assert_allclose(found[name], points, atol=0.005)
    first = (tmp_path / "table.csv").read_text().splitlines()[0]
    assert first == "Ann_B/Ann_B_0001.jpg,10.50,20.25,30.00,20.00,20.00,30.00,12.00,40.00,28.00,-1.50"


def test_other_peoples_tables(tmp_path: Path) -> None:
    # A byte-order mark, Windows' line ends and slashes, integers, spaces, an empty line, no end of the last line.
    text = "\ufeffa\\b.jpg,1,2,3,4,5,6,7,8,9,10\r\n\r\nc/d.JPG, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10.5"
    (tmp_path / "table.csv").write_bytes(text.encode())
    found = read_landmarks(tmp_path / "table.csv")
    assert list(found) == ["a/b.jpg", "c/d.JPG"]
    np.testing.assert_array_equal(found["a/b.jpg"], [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]])
    assert found["c/d.JPG"][4, 1] == 10.5
    assert set(by_image(found)) == {("a", "b"), ("c", "d")}


def test_vggface2(tmp_path: Path) -> None:
    header = "NAME_ID,P1X,P1Y,P2X,P2Y,P3X,P3Y,P4X,P4Y,P5X,P5Y"
    (tmp_path / "loose.csv").write_text(f'{header}\n"n000002/0001_01",1,2,3,4,5,6,7,8,9,10\n')
    found = read_vggface2_landmarks(tmp_path / "loose.csv")
    np.testing.assert_array_equal(found["n000002/0001_01"][2], [5, 6])
    np.testing.assert_array_equal(read_landmarks(tmp_path / "loose.csv")["n000002/0001_01"][2], [5, 6])
    (tmp_path / "none.csv").write_text("a,1,2,3,4,5,6,7,8,9,10\n")
    with pytest.raises(UserError, match=r"none\.csv is no landmark table of VGGFace2"):
        read_vggface2_landmarks(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,1,2,3,4,5,6,7,8,9,10\nb,1,2,3\n", r"Line 2 of .*table\.csv has 4 columns; it should have 11"),
        ("a,1,2,3,4,5,6,7,8,9,10\na,1,2,3,4,5,6,7,8,9,10\n", r"Line 2 of .*table\.csv names a again"),
        ("a,1,2,3,4,5,6,7,8,9,x\n", "Line 1 of .* holds something that is no number"),
        ("a,1,2,3,4,5,6,7,8,9,nan\n", "Line 1 of .* holds a coordinate that is not finite"),
        ("\n", r"table\.csv holds no landmarks"),
        ("a,\xff", r"table\.csv cannot be read as a table of landmarks"),
    ],
)
def test_wrong_tables_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "table.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match=message):
        read_landmarks(tmp_path / "table.csv")


def test_missing_tables_and_rows_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.csv is missing; lrfr detect"):
        read_landmarks(tmp_path / "none.csv")
    for points in (POINTS[:4], POINTS * np.nan):
        with pytest.raises(ValueError, match="five landmarks"):
            write_landmarks(tmp_path / "out.csv", {"a": points})
    assert not list(tmp_path.iterdir())
    with pytest.raises(UserError, match="holds ann/a twice"):
        by_image({"x/ann/a.jpg": POINTS, "y/ann/a.png": POINTS})


class TwoFaces:
    """In the place of the detector: the surer face lies in the corner, a larger one in the middle; none in dark images.

    In images of level 100 the one in the corner is nearly as large.
    """

    def detect(self, images: list[np.ndarray]) -> list[Detection]:
        landmarks = np.stack([POINTS, POINTS + 50]).astype(np.float32)
        none = Detection(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32))
        found = []
        for image in images:
            boxes = np.array([[0, 0, 20, 28 if image.mean() == 100 else 20], [35, 35, 65, 65]], np.float32)
            some = Detection(boxes, np.array([0.99, 0.9], np.float32), landmarks)
            found.append(some if image.mean() > 50 else none)
        return found


def test_one_face_a_photo(tmp_path: Path) -> None:
    for name, level in (("a.png", 200), ("b.png", 0), ("c.png", 100)):
        Image.fromarray(np.full((100, 100, 3), level, np.uint8)).save(tmp_path / name)
    source = open_source(tmp_path)
    landmarks, with_rival = detect_landmarks(source, source.names(), TwoFaces())  # type: ignore[arg-type]
    assert list(landmarks) == ["a.png", "c.png"]
    np.testing.assert_array_equal(landmarks["a.png"], POINTS.astype(np.float32) + 50)
    assert with_rival == ["c.png"]


def test_landmarks_of_enlarged_photos_are_those_of_the_photos(tmp_path: Path, portrait: np.ndarray) -> None:
    small = Image.fromarray(portrait).crop((150, 20, 310, 220)).resize((64, 80), Image.Resampling.BICUBIC)
    small.save(tmp_path / "a.png")
    detector = FaceDetector((0.6, 0.7, 0.8))
    found = detect_landmarks(open_source(tmp_path), ["a.png"], detector, enlargement=2).landmarks["a.png"]
    (large,) = detector.detect([np.asarray(small.resize((128, 160), Image.Resampling.BICUBIC))])
    np.testing.assert_allclose(found, large.landmarks[0] / 2, atol=0.01)
    # The eyes, nose and mouth of the face, where they are without it.
    (as_it_is,) = detector.detect([np.asarray(small)])
    np.testing.assert_allclose(found, as_it_is.landmarks[0], atol=3)


def test_large_photos_come_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        Image.fromarray(np.full((100, 100, 3), 200, np.uint8)).save(tmp_path / f"{number}.png")

    class Counting(TwoFaces):
        counts: tuple[int, ...] = ()

        def detect(self, images: list[np.ndarray]) -> list[Detection]:
            self.counts += (len(images),)
            return super().detect(images)

    source = open_source(tmp_path)
    for bytes_at_once, images_at_once, expected in ((50_000, 64, (2, 2, 1)), (10**9, 3, (3, 2)), (1, 64, (1,) * 5)):
        monkeypatch.setattr("lrfr_tf.data.detect_landmarks.BYTES_AT_ONCE", bytes_at_once)
        monkeypatch.setattr("lrfr_tf.data.detect_landmarks.DETECT_AT_ONCE", images_at_once)
        detector = Counting()
        assert len(detect_landmarks(source, source.names(), detector).landmarks) == 5  # type: ignore[arg-type]
        assert detector.counts == expected


def test_a_header_and_its_further_columns_are_passed_over(tmp_path: Path) -> None:
    names = ",".join(["file", *"abcdefghij", "native_face_height"])
    points = ",".join(map(str, range(10)))
    table = tmp_path / "points.csv"
    table.write_text(f"{names}\na/1.jpg,{points},250.3\n")
    np.testing.assert_array_equal(read_landmarks(table)["a/1.jpg"], np.arange(10).reshape(5, 2))
    table.write_text(f"{names}\na/1.jpg,{points}\n")
    with pytest.raises(UserError, match="has 11 columns; it should have 12"):
        read_landmarks(table)
    table.write_text(f"a/1.jpg,{points}\n{names}\n")
    with pytest.raises(UserError, match="Line 2 of .* has 12 columns; it should have 11"):
        read_landmarks(table)

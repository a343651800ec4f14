"""Videos as cameras, phones and editors make them: read and written with their times and their sound."""

import os
import resource
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.sources.video import VideoReader, VideoWriter, comment_of

WIDTH, HEIGHT = 160, 120
TIMES = (0.0, 0.1, 0.15, 0.5, 0.9, 1.0, 1.07)  # of a camera that takes fewer frames in the dark
RATE = 44_100


def picture(number: int) -> np.ndarray:
    """Grey, with a red corner at the upper left and a green square that walks."""
    image = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    image[:20, :40] = (250, 0, 0)
    image[60:80, 5 * number : 5 * number + 20] = (0, 250, 0)
    return image


def write_film(
    path: Path, codec: str = "libx264", sound: str | None = None, start: float = 0.0, turned: int = 0, **more: Any
) -> Path:
    """A film of `TIMES`; its sound is a tone that begins after 0.5 seconds."""
    with av.open(str(path), "w", **more) as film:
        stream = film.add_stream(codec, 10)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        if turned:
            if not hasattr(stream, "set_display_rotation"):
                pytest.skip("this PyAV reads rotations, and writes none")
            stream.set_display_rotation(turned)
        track = film.add_stream(sound, rate=RATE) if sound else None
        for number, seconds in enumerate(TIMES):
            frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24")
            frame.pts, frame.time_base = round((start + seconds) * 1000), Fraction(1, 1000)
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
        if track is not None:
            for first in range(0, RATE, 1024):
                places = np.arange(first, first + 1024)
                samples = np.where(places > RATE // 2, 9_000 * np.sin(places / 16), 0).astype(np.int16)
                piece = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
                piece.sample_rate = RATE
                piece.pts, piece.time_base = first + round(start * RATE), Fraction(1, RATE)
                film.mux(track.encode(piece))
            film.mux(track.encode(None))
    return path


def seconds_of(path: Path) -> list[float]:
    return [float(frame.seconds or 0) for frame in VideoReader(path).frames()]


def begin_of_sound(path: Path) -> tuple[str, float]:
    """The codec of the sound, and when the tone begins."""
    with av.open(str(path)) as film:
        (track,) = film.streams.audio
        for frame in film.decode(track):
            loud = np.abs(frame.to_ndarray().astype(np.float64)).max()
            if loud > (0.1 if "flt" in frame.format.name else 3_000):
                return track.codec_context.name, float(frame.time)
    raise AssertionError("the tone is lost")


def copy(film: Path, path: Path) -> None:
    reader = VideoReader(film)
    with VideoWriter(path, reader.rate, sound_of=film) as writer:
        for frame in reader.frames():
            assert frame.pixels is not None
            writer.write(frame.pixels, frame.seconds)


def test_frames_keep_their_times_and_colors(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mkv")
    copy(film, tmp_path / "copy.mp4")
    for path in (film, tmp_path / "copy.mp4"):
        np.testing.assert_allclose(seconds_of(path), TIMES, atol=0.001)
        for number, frame in enumerate(VideoReader(path).frames()):
            assert frame.pixels is not None
            assert np.abs(frame.pixels.astype(float) - picture(number)).mean() < 6
    assert [frame.frame for frame in VideoReader(film).frames(3)] == [0, 3, 6]


@pytest.mark.parametrize(
    ("ending", "sound", "kept"), [("mp4", "aac", "aac"), ("mkv", "flac", "flac"), ("mkv", "pcm_s16le", "aac")]
)
def test_sound_is_kept_in_its_place(ending: str, sound: str, kept: str, tmp_path: Path) -> None:
    film = write_film(tmp_path / f"film.{ending}", sound=sound)
    copy(film, tmp_path / "copy.mp4")
    codec, begin = begin_of_sound(tmp_path / "copy.mp4")
    assert codec == kept
    assert begin == pytest.approx(begin_of_sound(film)[1], abs=0.06)  # a packet of AAC is 0.023 seconds


def test_a_file_that_begins_late_is_counted_from_its_beginning(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.ts", sound="aac", start=7.0, format="mpegts")
    copy(film, tmp_path / "copy.mp4")
    np.testing.assert_allclose(seconds_of(tmp_path / "copy.mp4"), TIMES, atol=0.05)
    assert begin_of_sound(tmp_path / "copy.mp4")[1] == pytest.approx(0.5, abs=0.08)


def test_av1_is_read(tmp_path: Path) -> None:
    if "libsvtav1" not in av.codecs_available:
        pytest.skip("this FFmpeg writes no AV1")
    film = write_film(tmp_path / "film.mp4", "libsvtav1")
    np.testing.assert_allclose(seconds_of(film), TIMES, atol=0.001)


@pytest.mark.parametrize("turned", [0, 90, 180, -90])
def test_frames_are_upright_as_opencv_reads_them_in_the_same_process(turned: int, tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", turned=turned)
    other = cv2.VideoCapture(str(film), cv2.CAP_FFMPEG)
    into = cv2.VideoWriter(str(tmp_path / "cv.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (WIDTH, HEIGHT))
    with VideoWriter(tmp_path / "copy.mp4", 10) as writer:
        for number, frame in enumerate(VideoReader(film).frames()):
            good, expected = other.read()
            assert good
            assert frame.pixels is not None
            assert np.abs(frame.pixels.astype(float) - expected[..., ::-1]).mean() < 6
            writer.write(frame.pixels)
            into.write(cv2.cvtColor(picture(number), cv2.COLOR_RGB2BGR))
    other.release()
    into.release()
    assert len(seconds_of(tmp_path / "copy.mp4")) == len(seconds_of(tmp_path / "cv.avi")) == len(TIMES)


def test_a_codec_that_is_not_known_is_named(tmp_path: Path) -> None:
    path = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (WIDTH, HEIGHT))
    writer.write(picture(0))
    writer.release()
    path.write_bytes(path.read_bytes().replace(b"MJPG", b"ZZZZ"))
    with pytest.raises(UserError, match=r"film.avi is coded as ZZZZ / 0x5A5A5A5A, which this FFmpeg cannot read\."):
        VideoReader(path)


def test_what_is_no_video_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "sound.m4a").write_bytes(b"")
    with av.open(str(tmp_path / "sound.mp4"), "w") as film:
        track = film.add_stream("aac", rate=RATE)
        piece = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.int16), format="s16", layout="mono")
        piece.sample_rate = RATE
        film.mux(track.encode(piece))
        film.mux(track.encode(None))
    with pytest.raises(UserError, match=r"sound.mp4 holds no video\."):
        VideoReader(tmp_path / "sound.mp4")
    playlist = tmp_path / "list.m3u8"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{write_film(tmp_path / 'film.ts')}\n")
    for path in (playlist, tmp_path / "sound.m4a"):
        with pytest.raises(UserError, match=r"cannot be read as a video\."):
            VideoReader(path)
    for name in ("text.jpg", "text.png"):  # FFmpeg takes them for a picture by their names
        (tmp_path / name).write_text("this is text")
        with pytest.raises(UserError, match=rf"{name} (holds no frame that can be read|cannot be read as a video)\."):
            VideoReader(tmp_path / name)


def test_any_file_name_is_read_and_written(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4")
    for name in (b"caf\xe9.mp4", b"concat:a|b.mp4", b"http:film.mp4"):
        path = tmp_path / os.fsdecode(name)
        copy(film, path)
        assert len(seconds_of(path)) == len(TIMES)


def test_frames_of_odd_and_of_changing_size(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "odd.mp4", 10) as writer:
        writer.write(np.full((81, 61, 3), 200, np.uint8))
        writer.write(np.full((40, 30, 3), 200, np.uint8))
    first, second = (frame.pixels for frame in VideoReader(tmp_path / "odd.mp4").frames())
    assert first is not None
    assert second is not None
    assert first.shape == second.shape == (82, 62, 3)
    assert first.min() > 190
    assert second.min() > 190


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", sound="aac")
    noise = np.random.default_rng(0)

    def draw(frames: int) -> None:
        with VideoWriter(tmp_path / "drawn.mp4", 10, sound_of=film) as writer:
            for _ in range(frames):
                writer.write(noise.integers(0, 256, (240, 320, 3), np.uint8))

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for frames in (100, 3):  # it is full while frames are written, or when the file is closed
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
        try:
            with pytest.raises(UserError, match=r"drawn.mp4 cannot be written: File too large\."):
                draw(frames)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


def test_a_comment_is_read_again(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "film.mp4", 10, comment="of a test") as writer:
        writer.write(picture(0))
    assert comment_of(tmp_path / "film.mp4") == "of a test"
    (tmp_path / "text.mp4").write_text("this is text")
    assert comment_of(tmp_path / "text.mp4") is None

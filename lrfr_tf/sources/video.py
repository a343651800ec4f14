"""Videos, frame by frame, read and written by PyAV (FFmpeg): of any length, a few frames are in memory."""

import contextlib
import itertools
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import av.logging
import cv2
import numpy as np

from lrfr_tf.errors import UserError
from lrfr_tf.files import atomic_file
from lrfr_tf.images.decode import PIXEL_BUDGET
from lrfr_tf.plural import counted
from lrfr_tf.sources.pictures import Picture
from lrfr_tf.sources.sound import SoundCopier

av.logging.set_level(av.logging.PANIC)  # otherwise FFmpeg says on stderr what we say in one sentence

DEFAULT_RATE = 25.0  # frames a second, where a file does not tell
# A header's number of frames is often an estimate; fewer missing frames than these are not worth a word.
FRAMES_NOT_MISSED, SHARE_NOT_MISSED = 2, 0.02
# A file is read by itself: a playlist opens no other file and no address.
ONLY_THE_FILE = {"protocol_whitelist": "none"}
TICKS = 90_000  # a second, as in MPEG: times of any frame rate are told to 11 microseconds
ENCODER, ENCODER_OPTIONS = "libx264", {"preset": "veryfast", "crf": "20"}
PLAIN_ENCODER = "mpeg4"  # part of every FFmpeg, those without x264 too


class VideoReader:
    """Reads the first video stream of a file, upright as the file says.

    Attributes:
        rate: frames a second, the mean where they differ.
        promised: how many frames the header tells, 0 if it does not.
        frames_read: how many there were so far, those that were passed over too.

    Raises:
        UserError: the file is missing, is not a video, is of a codec that this FFmpeg does not have, has no frame that
            can be read, or its frames have too many pixels.
    """

    def __init__(self, path: str | Path) -> None:
        if not Path(path).is_file():
            raise UserError(f"{path} is missing or is not a file; it should be a video file.")
        self.path = path
        self.frames_read = 0
        self._open_files = contextlib.ExitStack()
        try:
            self._container = open_container(path, self._open_files)
            if not self._container.streams.video:
                raise UserError(f"{path} holds no video.")
            self._stream: Any = self._container.streams.video[0]
            if self._stream.codec_context is None:
                raise UserError(f"{path} is coded as {_codec_name(self._container)}, which this FFmpeg cannot read.")
            self._check_size(self._stream.width, self._stream.height)
        except BaseException:
            self._open_files.close()
            raise
        self._stream.thread_type = "AUTO"
        rate = float(self._stream.average_rate or self._stream.guessed_rate or 0)
        self.rate = rate if 0 < rate < 1000 else DEFAULT_RATE
        self.promised = self._promised_frames()
        self._rest = self._decoded()
        self._first = next(self._rest, None)  # a text that is called .jpg opens, but shows nothing
        if self._first is None:
            self._open_files.close()
            raise UserError(f"{path} holds no frame that can be read.")

    def frames(self, every: int = 1) -> Iterator[Picture]:
        """Yields the frames number 0, `every`, 2 `every`, ...; what cannot be decoded is passed over.

        Raises:
            UserError: a frame has too many pixels.
        """
        with self._open_files:
            for frame in itertools.chain([self._first], self._rest):
                self._first = None
                number, self.frames_read = self.frames_read, self.frames_read + 1
                if number % every > 0:
                    continue
                self._check_size(frame.width, frame.height)
                seconds = number / self.rate if frame.time is None else max(0.0, frame.time - start_of(self._container))
                pixels = np.rot90(frame.to_ndarray(format="rgb24"), frame.rotation // 90)
                name = f"{self.path}, frame {number}"
                yield Picture(name, np.ascontiguousarray(pixels), frame=number, seconds=seconds)

    def _decoded(self) -> Iterator[Any]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                yield from packet.decode()
            except av.error.InvalidDataError:
                continue  # the next packet may be whole
            except (av.error.FFmpegError, OSError):
                return

    @property
    def error_at_end(self) -> str | None:
        """What is wrong with a video that was read to its end, one sentence; None if nothing is."""
        missing = self.promised - self.frames_read
        if missing > max(FRAMES_NOT_MISSED, SHARE_NOT_MISSED * self.promised):
            return (
                f"{self.path} breaks off: {self.frames_read} of {counted(self.promised, 'frame')} that its header "
                "tells could "
                "be read."
            )
        return None

    def _promised_frames(self) -> int:
        promised = self._stream.frames
        return promised if 0 < promised < 2**31 else 0

    def _check_size(self, width: int, height: int) -> None:
        if width * height > PIXEL_BUDGET:
            raise UserError(
                f"{self.path} has frames of {width} x {height} pixels, more than the {PIXEL_BUDGET:,} allowed."
            )


class VideoWriter:
    """Writes frames of one size as an MP4 file, inside `with`; the file is whole or, without frames, not there.

    Args:
        path: the file.
        rate: frames a second, for frames whose time is not told.
        sound_of: a video whose sound is taken over.
        comment: a text that the file carries (see `comment_of`).

    Raises:
        UserError: the file cannot be written, for example because the disk is full.
    """

    def __init__(self, path: Path, rate: float, sound_of: str | Path | None = None, comment: str = "") -> None:
        self.path = path
        self.rate = rate
        self._sound_of = sound_of
        self._comment = comment
        self._container: Any = None
        self._stream: Any = None
        self._sound: SoundCopier | None = None
        self._size = (0, 0)
        self._ticks = -1
        self._frames = 0
        self._open_files = contextlib.ExitStack()

    def __enter__(self) -> "VideoWriter":
        return self

    def write(self, frame: np.ndarray, seconds: float | None = None) -> None:
        """Appends a frame, uint8 RGB [H, W, 3]; the first one tells the size of all.

        Args:
            seconds: when it is shown; None: one `rate`-th of a second after the frame before.
        """
        if self._container is None:
            self._begin(frame)
        if (frame.shape[1], frame.shape[0]) != self._size:
            frame = cv2.resize(frame, self._size)
        picture = av.VideoFrame.from_ndarray(_even(frame), format="rgb24")
        at = self._frames / self.rate if seconds is None else seconds
        self._ticks = max(self._ticks + 1, round(at * TICKS))  # times only go forward
        picture.pts, picture.time_base = self._ticks, Fraction(1, TICKS)
        if self._sound is not None:
            self._sound.copy_until(at)
        self._container.mux(self._stream.encode(picture))
        self._frames += 1

    def _begin(self, frame: np.ndarray) -> None:
        temporary = self._open_files.enter_context(atomic_file(self.path))
        # A file of Python's, as its errors are those of the system: a full disk is told as such.
        file = self._open_files.enter_context(temporary.open("wb"))
        self._size = (frame.shape[1], frame.shape[0])
        self._container = av.open(file, "w", format="mp4")
        self._container.metadata["comment"] = self._comment
        height, width = _even(frame).shape[:2]
        rate = Fraction(self.rate).limit_denominator(1001)
        known = ENCODER in av.codecs_available
        self._stream = self._container.add_stream(ENCODER if known else PLAIN_ENCODER, rate)
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, TICKS if known else 1000)
        if known:
            self._stream.options = ENCODER_OPTIONS
        if self._sound_of is not None:
            self._sound = SoundCopier.of(open_container(self._sound_of, self._open_files), self._container)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._container is not None and kind is None:
                self._container.mux(self._stream.encode(None))
                if self._sound is not None:
                    self._sound.copy_until(None)
                self._container.close()
        except BaseException as own:
            self._close(type(own), own, own.__traceback__)
            raise
        else:
            self._close(kind, error, trace)

    def _close(self, *error: Any) -> None:
        if error[0] is not None and self._container is not None:
            with contextlib.suppress(Exception):  # it would write the end of a file that is thrown away
                self._container.close()
        self._open_files.__exit__(*error)


def open_container(path: str | Path, open_files: contextlib.ExitStack) -> Any:
    """Opens a video file for reading; it is closed with `open_files`.

    Raises:
        UserError: it cannot be read, or is not a video.
    """
    try:
        file = Path(path).open("rb")  # noqa: SIM115  # by its name FFmpeg would take "a:b.mp4" for an address
        open_files.callback(file.close)
        return open_files.enter_context(av.open(file, options=ONLY_THE_FILE))
    except OSError as error:  # FFmpeg's own errors are OSErrors or ValueErrors
        reason = f": {error.strerror}" if error.filename == str(path) else ""
        raise UserError(f"{path} cannot be read as a video{reason}.") from None
    except (av.error.FFmpegError, ValueError):
        raise UserError(f"{path} cannot be read as a video.") from None


def comment_of(path: str | Path) -> str | None:
    """The comment that a video carries; None if it has none, or cannot be read."""
    with contextlib.ExitStack() as open_files:
        try:
            return open_container(path, open_files).metadata.get("comment")
        except UserError:
            return None


def start_of(container: Any) -> float:
    """The time in seconds at which a file begins; what is in it is counted from there."""
    return 0.0 if container.start_time is None else container.start_time / av.time_base


def _codec_name(container: Any) -> str:
    """What FFmpeg's description of the file calls it, such as "ZZZZ / 0x5A5A5A5A"."""
    before = av.logging.get_level()
    av.logging.set_level(av.logging.INFO)
    try:
        found = re.search(r"Video: (?:none \()?([^,)\n]+)", container.dumps_format())
    finally:
        av.logging.set_level(before)
    return found[1].strip() if found else "something"


def _even(frame: np.ndarray) -> np.ndarray:
    """The frame with an even number of rows and columns, as the encoder wants them: the last ones twice."""
    height, width = frame.shape[:2]
    return np.ascontiguousarray(np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge"))

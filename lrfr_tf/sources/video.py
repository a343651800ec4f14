"""Videos, frame by frame: of any length, one frame is in memory."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from lrfr_tf.errors import UserError
from lrfr_tf.files import atomic_file
from lrfr_tf.images.decode import PIXEL_BUDGET
from lrfr_tf.sources.pictures import Picture

# Otherwise FFmpeg and OpenCV say on stderr what we say in one sentence; FFmpeg looks only when it is first used.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

DEFAULT_RATE = 25.0  # frames a second, where a file does not tell
# A header's number of frames is often an estimate; fewer missing frames than these are not worth a word.
FRAMES_NOT_MISSED, SHARE_NOT_MISSED = 2, 0.02


class VideoReader:
    """Reads a video with OpenCV (FFmpeg), upright as its file says.

    Attributes:
        rate: frames a second.
        promised: how many frames the header tells, 0 if it does not.
        frames_read: how many there were so far, those that were passed over too.

    Raises:
        UserError: the file is missing, is not a video, or its frames have too many pixels.
    """

    def __init__(self, path: str | Path) -> None:
        if not Path(path).is_file():
            raise UserError(f"{path} is missing or is not a file; --video takes a video file.")
        self.path = path
        self.frames_read = 0
        self._capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        if not self._capture.isOpened():
            raise UserError(f"{path} cannot be read as a video.")
        width, height, rate, promised = (
            self._capture.get(key)
            for key in (
                cv2.CAP_PROP_FRAME_WIDTH,
                cv2.CAP_PROP_FRAME_HEIGHT,
                cv2.CAP_PROP_FPS,
                cv2.CAP_PROP_FRAME_COUNT,
            )
        )
        if width * height > PIXEL_BUDGET:
            raise UserError(
                f"{path} has frames of {width:.0f} x {height:.0f} pixels, more than the {PIXEL_BUDGET:,} allowed."
            )
        self.rate = rate if 0 < rate < 1000 else DEFAULT_RATE
        self.promised = int(promised) if 0 < promised < 2**31 else 0

    def frames(self, every: int = 1) -> Iterator[Picture]:
        """Yields the frames number 0, `every`, 2 `every`, ...; a frame that cannot be read is the end."""
        try:
            while self._capture.grab():
                number, self.frames_read = self.frames_read, self.frames_read + 1
                if number % every > 0:
                    continue
                good, frame = self._capture.retrieve()
                if not good:
                    return
                time = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
                seconds = time if time > 0 else number / self.rate
                pixels = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)  # OpenCV's order stays in this file
                yield Picture(f"{self.path}, frame {number}", pixels, frame=number, seconds=seconds)
        finally:
            self._capture.release()

    @property
    def complaint(self) -> str | None:
        """What is wrong with a video that was read to its end, one sentence; None if nothing is."""
        if self.frames_read == 0:
            return f"{self.path} holds no frame that can be read."
        missing = self.promised - self.frames_read
        if missing > max(FRAMES_NOT_MISSED, SHARE_NOT_MISSED * self.promised):
            return (
                f"{self.path} breaks off: {self.frames_read} of the {self.promised} frames that its header tells could "
                "be read."
            )
        return None


class VideoWriter:
    """Writes frames of one size as an MPEG-4 video, inside `with`; the file is whole or, without frames, not there.

    Raises:
        UserError: the file cannot be written.
    """

    def __init__(self, path: Path, rate: float) -> None:
        self.path = path
        self.rate = rate
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._whole = contextlib.ExitStack()

    def __enter__(self) -> "VideoWriter":
        return self

    def write(self, frame: np.ndarray) -> None:
        """Appends a frame, uint8 RGB [H, W, 3]; the first one tells the size of all."""
        if self._writer is None:
            self._size = (frame.shape[1], frame.shape[0])
            temporary = self._whole.enter_context(atomic_file(self.path))
            codec = cv2.VideoWriter.fourcc(*"mp4v")
            self._writer = cv2.VideoWriter(str(temporary), cv2.CAP_FFMPEG, codec, self.rate, self._size)
            if not self._writer.isOpened():
                raise UserError(f"{self.path} cannot be written as a video of {self._size[0]} x {self._size[1]}.")
        if (frame.shape[1], frame.shape[0]) != self._size:
            frame = cv2.resize(frame, self._size)
        self._writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.release()
        self._whole.__exit__(kind, error, trace)

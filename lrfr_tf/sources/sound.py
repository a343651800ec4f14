"""The sound of one video taken over into another."""

from collections.abc import Iterator
from typing import Any

import av

FALLBACK = "aac"  # what sound becomes that an MP4 file cannot hold
FALLBACK_RATES = (8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)  # samples a second; else the last


class SoundCopier:
    """Takes over the first sound stream as it is, or encodes it anew where the new file cannot hold it.

    Sound and picture keep their places: both are counted from the beginning of the file.

    Args:
        source: a container that is open for reading, and for nothing else.
        stream: its sound stream.
        target: the container to write to, before anything was written.
    """

    def __init__(self, source: Any, stream: Any, target: Any) -> None:
        self._source, self._stream, self._target = source, stream, target
        self._copied = stream.codec_context.name in target.supported_codecs and not _is_raw(stream)
        if self._copied:
            self._new = target.add_stream_from_template(stream)
        else:
            rate, channels = stream.codec_context.sample_rate, stream.codec_context.channels
            rate = rate if rate in FALLBACK_RATES else FALLBACK_RATES[-1]
            layout = "mono" if channels == 1 else "stereo"
            self._new = target.add_stream(FALLBACK, rate=rate, layout=layout)
            self._resampler = av.AudioResampler(format=self._new.format, layout=layout, rate=rate)
        self._start = 0 if source.start_time is None else source.start_time / av.time_base
        self._waiting: list[Any] = []
        self._packets = self._read()

    @classmethod
    def of(cls, source: Any, target: Any) -> "SoundCopier | None":
        """Takes over the sound of `source`, if it has any that can be read."""
        streams = [stream for stream in source.streams.audio if stream.codec_context is not None]
        return cls(source, streams[0], target) if streams else None

    def copy_until(self, seconds: float | None) -> None:
        """Writes the sound up to that time, so that it lies beside its pictures; None: all that is left."""
        while True:
            if not self._waiting:
                packet = next(self._packets, None)
                if packet is None:
                    return
                self._waiting.append(packet)
            packet = self._waiting[0]
            if seconds is not None and float(packet.dts * packet.time_base) > seconds:
                return
            self._target.mux(self._waiting.pop())

    def _read(self) -> Iterator[Any]:
        """Packets of the new stream; what cannot be decoded is passed over."""
        for packet in self._source.demux(self._stream):
            if self._copied:
                if packet.dts is not None:
                    shift = round(self._start / packet.time_base)
                    packet.pts, packet.dts = (packet.pts or packet.dts) - shift, packet.dts - shift
                    packet.stream = self._new
                    yield packet
                continue
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:
                continue
            for frame in frames:
                if frame.pts is not None:
                    frame.pts -= round(self._start / frame.time_base)
                for resampled in self._resampler.resample(frame):
                    yield from self._new.encode(resampled)
        if not self._copied:
            for resampled in self._resampler.resample(None):
                yield from self._new.encode(resampled)
            yield from self._new.encode(None)


def _is_raw(stream: Any) -> bool:
    """PCM may lie in an MP4 file, but few players know it there."""
    return stream.codec_context.name.startswith("pcm")

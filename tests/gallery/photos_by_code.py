"""Photos with one fault each, out of the public-domain portrait: for what is asked of photos at enrolling."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

HEAD = (100, 0, 360, 260)  # of the portrait: the face is about 110 pixels high in it


def head(portrait: np.ndarray, height: float) -> Image.Image:
    """The head, with a face of about so many pixels from top to bottom."""
    whole = Image.fromarray(portrait).crop(HEAD)
    side = round(whole.width * height / 110)
    return whole.resize((side, side), Image.Resampling.BICUBIC)


def blurred(portrait: np.ndarray, height: float, deviation: float) -> Image.Image:
    """The same out of focus, by a Gaussian of so many pixels."""
    return head(portrait, height).filter(ImageFilter.GaussianBlur(deviation))


def beside(portrait: np.ndarray, height: float, share: float) -> Image.Image:
    """Two faces in one photo, the other one as high as a share of the first."""
    first, second = head(portrait, height), head(portrait, height * share)
    both = Image.new("RGB", (first.width + second.width, first.height), (90, 90, 90))
    both.paste(first, (0, 0))
    both.paste(second, (first.width, first.height - second.height))
    return both


def wall() -> Image.Image:
    """A picture without a face."""
    noise = np.random.default_rng(0).normal(128, 12, (120, 120, 3))
    return Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8))


def as_bytes(picture: Image.Image, format: str = "PNG", **options: int) -> bytes:
    """The file of a picture."""
    buffer = io.BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def write(path: Path, content: bytes) -> Path:
    """Writes a file, and gives its path."""
    path.write_bytes(content)
    return path

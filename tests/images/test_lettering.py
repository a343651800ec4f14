"""Names in any script are drawn: by a font that has their letters, or else as escapes."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lrfr_tf.images import lettering
from lrfr_tf.images.annotate import draw_caption, draw_faces
from lrfr_tf.images.lettering import Line, fitting_line


def pixels(text: str, letters: int = 20) -> np.ndarray:
    """The ink of a line, bool [H, W]."""
    line = Line(text, letters)
    canvas = Image.new("RGB", (line.width + 8, line.height), "black")
    line.draw(ImageDraw.Draw(canvas), 4, 0, "white")
    return np.asarray(canvas)[..., 0] > 100


@pytest.fixture
def without_noto(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fonts of the system are not looked at, so that every machine draws the same."""
    lettering._font_of.cache_clear()
    monkeypatch.setattr(lettering, "_system_fonts", lambda: ())


@pytest.mark.usefixtures("without_noto")
@pytest.mark.parametrize(
    ("name", "drawn_as"),
    [
        ("林", "\\u6797"),
        ("Zoë 林", "Zoë \\u6797"),
        ("a\nb\udce9", "a\\x0ab\\xe9"),
        ("🦊", "\\U0001f98a"),
        ("Zoe\u0308", "Zoë"),
    ],
)
def test_letters_that_no_font_has_are_escapes(name: str, drawn_as: str) -> None:
    np.testing.assert_array_equal(pixels(name), pixels(drawn_as))


@pytest.mark.parametrize("name", ["Zoë", "Ωμέγα", "Жанна", "محمد", "שרה", "მარიამ", "Արամ", "Thị"])
def test_the_font_that_comes_with_matplotlib_has_many_scripts(name: str) -> None:
    drawn = pixels(name)
    assert drawn.any()
    letters = {Line(letter, 20).width for letter in name}
    assert len(letters) > 1  # and no box for each of them


def test_a_font_of_the_system_is_used_for_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    own = lettering._standard_font()
    monkeypatch.setattr(lettering, "_letters_of", lambda path: {ord("a"), ord("b")} if path == own else {ord("c")})
    monkeypatch.setattr(lettering, "_system_fonts", lambda: ("noto.ttc",))
    lettering._font_of.cache_clear()
    try:
        assert lettering._runs("abca") == [("ab", own), ("c", "noto.ttc"), ("a", own)]
    finally:
        lettering._font_of.cache_clear()


@pytest.mark.parametrize("name", ["NotoSansCJK-Regular.ttc", "NotoSansThai-Regular.ttf"])
def test_noto_fonts_are_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [f"/fonts/{file}" for file in ("NotoSansCJK-Bold.ttc", "Other.ttf", "NotoSerifCJK-Regular.ttc", name)]
    monkeypatch.setattr(lettering, "findSystemFonts", lambda: found)
    lettering._system_fonts.cache_clear()
    try:
        assert lettering._system_fonts() == (f"/fonts/{name}",)
    finally:
        lettering._system_fonts.cache_clear()


def test_plots_have_the_standard_font_alone() -> None:
    assert lettering.in_standard_font("Zoë 林 \udce9") == "Zoë \\u6797 \\xe9"


def test_a_line_that_is_too_wide_is_cut() -> None:
    line = fitting_line("somebody with a long name", 12, 80)
    assert 40 < line.width <= 80
    assert fitting_line("short", 12, 80).width == Line("short", 12).width


def test_empty_and_unprintable_names_are_drawn() -> None:
    image = np.full((60, 80, 3), 200, np.uint8)
    for name in ("", " ", "\x00", "\u202e"):
        assert draw_faces(image, [(10.0, 30.0, 40.0, 55.0)], [name], [True]).shape == image.shape
        assert draw_caption(image, name, True).shape[0] > 180

"""The report as files: whole, self-contained, and safe against hostile names."""

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.study.report.examples import Example, face_png
from lrfr_tf.study.report.plots import boxes_plot, cmc_plot, colors, top_1_plot
from lrfr_tf.study.report.tables import levels_table
from lrfr_tf.study.report.text import table_markdown, table_text
from lrfr_tf.study.report.write import write_report
from tests.result_by_hand import block, make_levels_result, make_pixels, make_result, make_siamese_result

HOSTILE = '<script>alert("x")</script>|`*'


def make_example(group: str = "grid", **more: Any) -> Example:
    random = np.random.default_rng(0)
    faces = {
        method: random.integers(0, 256, (16 if method == "lr" else 64,) * 2 + (3,), dtype=np.uint8)
        for method in ("lr", "bicubic", "srcnn", "srgan", "hr")
    }
    box = np.array([10.0, 8.0, 50.0, 60.0])
    values: dict[str, Any] = {
        "path": "7/000001.png",
        "identity": "7",
        "faces": faces,
        "boxes": {"bicubic": None, "srcnn": box, "srgan": box, "hr": box},
        "answers": {"bicubic": None, "srcnn": "12", "srgan": "7", "hr": "7"},
        "group": group,
    }
    return Example(**{**values, **more})


class _Page(HTMLParser):
    """The tags of a page with their attributes, and its text without tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    write_report(
        tmp_path / "report", make_result(), [make_example("grid"), make_example("right"), make_example("wrong")]
    )
    return tmp_path / "report"


def test_html_has_the_figures_and_loads_nothing(written: Path) -> None:
    text = (written / "report.html").read_text(encoding="utf-8")
    page = _Page(text)
    sources = [value for _, attributes in page.tags for key, value in attributes.items() if key in ("src", "href")]
    assert len(sources) == 3 * 5 + 3 * 2
    for source in sources:
        assert source is not None
        assert source.startswith("data:image/png;base64,")
        assert Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))).format == "PNG"
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    assert not re.search(r"url\(|@import|(src|href)\s*=\s*[\"']?https?:", text)
    shown = " ".join(" ".join(page.texts).split())
    for expected in (
        "The title",
        "The note.",
        "40.0 % [35.0, 45.0]",
        "6 test images of 6 identities",
        "an image in which the detector finds no face counts as wrong",
        "Faces of 16 x 16 pixels",
        "SRCNN is below bicubic: top-1 with the logistic head fitted on HR 25.0",
        "keras 3.15.1",
        "f" * 64,
    ):
        assert expected in shown
    assert "SRGAN is below" not in shown


def test_answers_are_marked_by_text_and_color(written: Path) -> None:
    text = (written / "report.html").read_text(encoding="utf-8")
    assert text.count('<td class="wrong">✗ no face</td><td class="wrong">✗ 12</td><td class="right">✓ 7</td>') == 2
    assert text.count(">Identity 7</td>") == 3
    assert text.index("SRGAN right, bicubic wrong") < text.index("SRGAN wrong")


def test_markdown_and_its_pictures(written: Path) -> None:
    text = (written / "report.md").read_text(encoding="utf-8")
    names = re.findall(r"!\[[^\]]*\]\(([^)]*)\)", text)
    assert len(names) == 3 * 5 + 3 * 2
    assert {written / name for name in names} == set((written / "report_files").iterdir())
    for name in names:
        assert Image.open(io.BytesIO((written / name).read_bytes())).size[0] >= 128
    assert "| SRGAN | logistic | HR | **40.0** [35.0, 45.0] |" in text
    assert "✗ no face" in text
    assert sorted(path.name for path in written.iterdir()) == ["report.html", "report.md", "report_files"]


def test_the_siamese_network_and_the_curve_against_pixels_are_shown(tmp_path: Path) -> None:
    aligned = np.random.default_rng(1).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    example = make_example("right")
    faces = {**example.faces, "siamese": aligned}
    faces["hr"] = faces.pop("hr")
    example = make_example("right", faces=faces, answers={**example.answers, "siamese": "7"})
    result = make_siamese_result(pixels=make_pixels())
    curves = {"held_out": face_png(aligned, None), "all": face_png(aligned[::-1], None)}
    write_report(tmp_path, result, [example], curves)
    page = _Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    shown = " ".join(" ".join(page.texts).split())
    for expected in (
        "SRGAN right, bicubic wrong",
        "Siamese, no super-resolution: siamese-1-abc embeds the face of the bicubic image, aligned to 128 x 128 pixels",
        "Siamese is below bicubic: top-1 with the logistic head fitted on HR 20.0",
        "Accuracy against pixels Held-out identities: 6 test images of 6 identities",
        "Siamese, no super-resolution 30.0 [25.0, 35.0] 60.0 [55.0, 65.0]",
        "The protocol of pixels. Gallery: 60 images of 30 identities (2 more without a face found in HR).",
    ):
        assert expected in shown
    assert "Siamese on HR is below" not in shown
    sources = [attributes["src"] for tag, attributes in page.tags if tag == "img"]
    for png in curves.values():
        assert "data:image/png;base64," + base64.b64encode(png).decode() in sources
    markdown = (tmp_path / "report.md").read_text(encoding="utf-8")
    for block_name, png in curves.items():
        assert f"](report_files/pixels-{block_name}.png)" in markdown
        assert (tmp_path / "report_files" / f"pixels-{block_name}.png").read_bytes() == png
    assert "| Siamese, no super-resolution | **30.0** [25.0, 35.0] | **60.0** [55.0, 65.0] |" in markdown
    # HR itself takes no part in who is best, neither for FaceNet nor for the Siamese network.
    assert "| Siamese on HR | logistic | HR | 95.0 [90.0, 100.0] |" in markdown
    assert "| SRGAN | logistic | HR | **40.0** [35.0, 45.0] |" in markdown


def test_hostile_names_are_escaped(tmp_path: Path) -> None:
    result = make_result(title=HOSTILE, note=HOSTILE, embedder=HOSTILE, config={HOSTILE: HOSTILE})
    result["blocks"]["all"]["recognition"][0]["head"] = HOSTILE
    examples = [make_example(group, identity=HOSTILE, path=HOSTILE + '" onerror="x') for group in ("grid", "wrong")]
    examples.append(make_example("wrong", answers={"srgan": HOSTILE, "hr": "a\nb\u202ec"}))
    write_report(tmp_path, result, examples)
    page = _Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert not any(tag == "script" or "onerror" in attributes for tag, attributes in page.tags)
    assert page.texts.count("Identity " + HOSTILE) == 2
    assert "✗ a b c" in page.texts
    markdown = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "<script" not in markdown
    for table in markdown.split("\n\n"):
        if table.startswith("|"):
            assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.strip().splitlines()}) == 1


def test_one_block_empty_subsets_and_no_examples(tmp_path: Path) -> None:
    nothing: dict[str, float | None] = {"hr": None, "bicubic": None, "srgan": None}
    result = make_result(note="", blocks={"all": block(1, nothing)}, held_out_divisor=0)
    result["blocks"]["all"]["recognition"][1]["cmc"] = []
    write_report(tmp_path, result, [])
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "1 test image of 1 identity" in text
    assert "held out" not in text
    assert "below bicubic" not in text
    assert len(list((tmp_path / "report_files").iterdir())) == 3


def test_no_recognition_at_all(tmp_path: Path) -> None:
    result = make_result(blocks={"all": {**block(2, {"hr": 0.5}), "recognition": [], "boxes": {}}})
    write_report(tmp_path, result, [])
    assert "](report_files" not in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_a_second_report_replaces_the_first(written: Path) -> None:
    write_report(written, make_result(title="Another"), [])
    text = (written / "report.html").read_text(encoding="utf-8")
    assert "Another" in text
    assert "The title" not in text


def test_faces_are_enlarged_by_whole_pixels_and_boxes_drawn_in_place() -> None:
    face = np.random.default_rng(0).integers(0, 100, (16, 16, 3), dtype=np.uint8)
    plain = np.asarray(Image.open(io.BytesIO(face_png(face, None))))
    assert np.array_equal(plain, np.kron(face, np.ones((8, 8, 1), np.uint8)))
    boxed = np.asarray(Image.open(io.BytesIO(face_png(face, np.array([2.0, 3.0, 12.0, 14.0])))))
    rows, columns = np.nonzero((boxed != plain).any(axis=2))
    assert (columns.min(), rows.min(), columns.max(), rows.max()) == (16, 24, 95, 111)
    assert np.array_equal(boxed[40:90, 30:80], plain[40:90, 30:80])
    # A box that leaves the image is drawn along its edge; one without area is not drawn.
    wide = np.asarray(Image.open(io.BytesIO(face_png(face, np.array([-3.0, -3.0, 20.0, 20.0])))))
    assert (wide[1, 1:-1] == wide[1, 1]).all()
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(face_png(face, np.full(4, 5.0))))), plain)


def test_plots_draw_each_method_in_its_color() -> None:
    made = make_result()["blocks"]["all"]
    palette = colors(made["quality"])
    assert len(set(palette.values())) == 4
    assert len(set(colors(["hr", "bicubic", "other", "srgan", "more"]).values())) == 5
    for draw in (cmc_plot, boxes_plot, top_1_plot):
        png = draw("A $title", made)
        assert png is not None
        pixels = set(map(tuple, np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).reshape(-1, 3)))
        for color in palette.values():
            assert tuple(int(color[i : i + 2], 16) for i in (1, 3, 5)) in pixels
    assert cmc_plot("title", {**made, "recognition": []}) is None
    assert top_1_plot("title", {**made, "recognition": []}) is None
    assert boxes_plot("title", {**made, "boxes": {}}) is None


def test_a_second_report_leaves_no_picture_of_the_first(tmp_path: Path) -> None:
    write_report(tmp_path, make_result(), [make_example(), make_example()])
    first = {path.name for path in (tmp_path / "report_files").iterdir()}
    write_report(tmp_path, make_result(), [make_example()])
    second = {path.name for path in (tmp_path / "report_files").iterdir()}
    assert second < first


def test_camera_levels_have_a_section_in_every_form(tmp_path: Path) -> None:
    result = make_levels_result()
    table = levels_table(result, "all")
    assert table.titles == ["Shrunk cleanly", "Camera: harsh"]
    clean, harsh = ([[cell.text for cell in row] for row in group] for group in table.groups)
    assert [row[:2] for row in clean] == [["HR", "clean"], ["Bicubic", "clean"], ["SRCNN", "clean"], ["SRGAN", "clean"]]
    # HR itself sees no camera, and stands once.
    assert [row[:2] for row in harsh] == [["Bicubic", "harsh"], ["SRCNN", "harsh"], ["SRGAN", "harsh"]]
    on_hr = table.headings.index("on HR")
    assert [row[on_hr] for row in harsh] == ["10.0", "20.0", "15.0"]
    assert [row[on_hr].best for row in table.groups[1]] == [False, True, False]
    write_report(tmp_path, result, [])
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "<h2>By camera</h2>" in page
    assert "## By camera" in text
    for form in (text, table_markdown(result)):
        assert "| SRCNN | harsh | **20.0** [15.0, 25.0] | **20.00** [19.95, 20.05] |" in form
    assert "By camera" not in table_markdown(make_result())
    siamese = make_siamese_result(levels={"harsh": {"blocks": make_siamese_result()["blocks"]}})
    printed = table_text(siamese)
    assert "All identities, by camera" in printed
    lines = [line.split() for line in printed.splitlines()]
    assert sum(line[:4] == ["Siamese", "on", "HR", "clean"] for line in lines) == 2  # one a block
    assert not any(line[:4] == ["Siamese", "on", "HR", "harsh"] for line in lines)
    assert "docs/camera.md" in printed
    assert max(map(len, printed.splitlines())) <= 120

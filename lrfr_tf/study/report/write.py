"""The report of the first system: report.html (one file, opens offline) and report.md with its pictures beside it.

The pages themselves are in templates/; whatever they show is escaped on its way in.
"""

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from lrfr_tf.files import atomic_file, atomic_folder
from lrfr_tf.printable import ESCAPED
from lrfr_tf.study.report import formatting, html, plots, sentences, tables, text
from lrfr_tf.study.report.examples import Example, face_png
from lrfr_tf.study.report.pixels import pixels_sentence, pixels_table

PICTURE_FOLDER = "report_files"
PLOTS = {"cmc": plots.cmc_plot, "boxes": plots.boxes_plot, "top-1": plots.top_1_plot}
GROUPS = ("grid", "right", "wrong")


def write_report(
    folder: Path, result: dict[str, Any], examples: list[Example], curves: Mapping[str, bytes] | None = None
) -> None:
    """Writes `report.html`, `report.md` and `report_files/*.png` into a folder, each whole or not at all.

    Args:
        result: what `result.json` holds (see `lrfr_tf.study.evaluate`).
        examples: test images to show, in the order in which each group shows them; may be empty.
        curves: block -> PNG of accuracy against pixels, where `result` holds "pixels".
    """
    drawn = _pictures(result, examples, curves or {})
    shown: dict[str, Any] = {
        "result": result,
        "blocks": tables.blocks_of(result),
        "summary": sentences.summary(result, *_sides(examples)),
        "groups": list(_groups(result, examples)),
        "pictures": drawn,
        "curve_pictures": {block: f"{PICTURE_FOLDER}/{_plot_name('pixels', block)}" for block in curves or {}},
    }
    inside = {name: "data:image/png;base64," + base64.b64encode(png).decode("ascii") for name, png in drawn.items()}
    beside = {name: f"{PICTURE_FOLDER}/{name}" for name in drawn}
    pages = {
        "report.md": _rendered("report.md.jinja", lambda value: Markup(text.markdown(value)), beside, shown),
        "report.html": _rendered("report.html.jinja", sentences.one_line, inside, shown),
    }
    with atomic_folder(folder / PICTURE_FOLDER) as temporary:  # faces of an older report do not stay behind
        for name, png in drawn.items():
            (temporary / name).write_bytes(png)
    for name, page in pages.items():
        with atomic_file(folder / name) as temporary:
            temporary.write_text(page, encoding="utf-8", errors=ESCAPED)


def _rendered(template: str, plain: Callable[[Any], str], sources: dict[str, str], shown: dict[str, Any]) -> str:
    """A page. `plain` turns each value into text for it, and unless that is markup it is escaped for HTML then."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("lrfr_tf.study.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: value if isinstance(value, Markup) else plain(value),
    )
    for module in (formatting, html, plots, sentences, tables, text):
        environment.globals.update({name: value for name, value in vars(module).items() if callable(value)})
    environment.globals.update(
        pixels_table=pixels_table,
        pixels_sentence=pixels_sentence,
        plot_name=_plot_name,
        face_name=_face_name,
        picture=lambda name: Markup(sources[name]),
        table=lambda table: Markup(text.markdown_table(table)),
        paragraphs=lambda parts: Markup("\n\n".join(parts)),
    )
    return environment.get_template(template).render(shown)


def _pictures(result: dict[str, Any], examples: Sequence[Example], curves: Mapping[str, bytes]) -> dict[str, bytes]:
    """Every picture of the report: file name -> PNG; `curves` are those of accuracy against pixels, by block."""
    drawn = {_plot_name("pixels", block): png for block, png in curves.items()}
    for name, title, block in tables.blocks_of(result):
        for kind, draw in PLOTS.items():
            png = draw(title, block)
            if png is not None:
                drawn[_plot_name(kind, name)] = png
    for index, example in enumerate(examples):
        for column, (method, face) in enumerate(example.faces.items()):
            drawn[_face_name(index, column)] = face_png(face, example.boxes.get(method))
    return drawn


def _groups(
    result: dict[str, Any], examples: Sequence[Example]
) -> Iterator[tuple[str, str, str, list[tuple[int, Example]]]]:
    """(name, heading, text, numbered examples) of each group that has some."""
    for group in GROUPS:
        chosen = [(index, example) for index, example in enumerate(examples) if example.group == group]
        if chosen:
            methods = list(chosen[0][1].faces)
            yield group, sentences.group_title(group, methods), sentences.group_text(group, methods, result), chosen


def _plot_name(kind: str, block: str) -> str:
    return f"{kind}-{block}.png"


def _face_name(example: int, column: int) -> str:
    return f"face-{example:03d}-{column}.png"


def _sides(examples: Sequence[Example]) -> tuple[int | None, int | None]:
    """The sides of the LR and of the HR images, None where no example shows one."""
    faces = examples[0].faces if examples else {}
    low, high = faces.get("lr"), faces.get("hr")
    return None if low is None else low.shape[0], None if high is None else high.shape[0]

"""The check of a gallery as one HTML page that holds everything, faces included; it loads nothing from anywhere."""

import base64
import io
from collections.abc import Callable, Iterable
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

from lrfr_tf.files import atomic_file
from lrfr_tf.gallery.check_figures import HeightBand, Pair, PersonFigures
from lrfr_tf.gallery.check_report import Report
from lrfr_tf.gallery.check_style import STYLE
from lrfr_tf.gallery.output import check_output
from lrfr_tf.plural import counted

Pictures = Callable[[str], np.ndarray | None]

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"  # whatever a name holds, nothing runs
SIDE = 96  # faces are shrunk to fit into it, and never enlarged
PERSONS = 200  # on the page, those who are recognized worst first; JSON has all
LISTED = 200  # references set aside and single persons


def write_page(report: Report, pictures: Pictures, path: Path, *, overwrite: bool = False) -> None:
    """Writes `page`, whole or not at all; only its owner may read it.

    Raises:
        UserError: there is such a file and `overwrite` is not set, or it cannot be written.
    """
    check_output(path, overwrite)
    text = page(report, pictures)
    with atomic_file(path, private=True, replaces=overwrite) as temporary:
        Path(temporary).write_text(text, encoding="utf-8")


def page(report: Report, pictures: Pictures) -> str:
    """The page as a text.

    Args:
        pictures: gives the face of a reference by its id, uint8 [H, W, 3]; None where there is none.
    """
    threshold = report.threshold["in_words"] if report.threshold else "No threshold is known, so nobody is named."
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="robots" content="noindex">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        f"<title>Check of a gallery</title><style>{STYLE}</style></head><body>",
        "<h1>Does this gallery work?</h1>",
        f"<p>{escape(threshold)}</p>",
        '<p class="note">This page shows faces and names: keep it as the gallery itself is kept.</p>',
        _figures(report),
        "<h2>Recognition</h2>",
        f"<p>{escape(report.recognition_in_words())}</p>",
        _persons(report, pictures),
        "<h2>The most alike persons</h2>",
        f"<p>The score is that of the nearest reference with the other person. {_threshold_score(report)}</p>",
        "".join(_pair(pair, pictures) for pair in report.pairs) or "<p>There are no two persons to compare.</p>",
        "<h2>Alike by origin, age or family?</h2>",
        _strangers(report),
        "<h2>Face heights</h2>",
        _bands(report.bands),
        f"<p>{escape(report.small_cost_in_words())}</p>",
        _names("Persons with one reference", "They cannot be tested; a second photo helps.", report.single),
        _names("Persons without a reference in force", "They are never named.", report.without),
        _set_aside(report, pictures),
        "</body></html>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _figures(report: Report) -> str:
    share = f"{report.recognized / report.tested:.1%}" if report.tested else "unknown"
    figures = {
        "persons": f"{report.persons:,}",
        "references": f"{report.references:,}",
        "set aside": f"{report.references - report.active:,}",
        "recognized": share,
        "wrong names": f"{report.wrong:,}",
    }
    return '<dl class="key">' + "".join(f"<div><dt>{a}</dt><dd>{b}</dd></div>" for a, b in figures.items()) + "</dl>"


def _threshold_score(report: Report) -> str:
    score = report.threshold.get("score") if report.threshold else None
    return f"The threshold in force is {score:.3f}." if score is not None else "There is no threshold."


def _persons(report: Report, pictures: Pictures) -> str:
    shown = report.people[:PERSONS]
    more = len(report.people) - len(shown)
    number = counted(more, "more person is", "more persons are")
    note = f'<p class="small">{number} not shown; the JSON of the check has all.</p>' if more else ""
    return '<div class="people">' + "".join(_person(person, pictures) for person in shown) + f"</div>{note}"


def _person(person: PersonFigures, pictures: Pictures) -> str:
    if not person.tested:
        verdict, kind = "one reference, cannot be tested" if person.active else "no reference in force", "unknown"
    else:
        verdict = f"{person.recognized} of {person.tested} recognized"
        kind = "right" if person.recognized == person.tested else "wrong" if person.wrong else "unknown"
    lines = [f'<p class="{kind}">{verdict}</p>']
    if person.taken_for is not None:
        lines.append(f'<p class="wrong">{person.wrong} taken for {escape(person.taken_for)}</p>')
    if person.similarity is not None:
        lines.append(f'<p class="small">median score {person.similarity:.3f}</p>')
    faces = "".join(_face(id_, person.name, pictures) for id_ in person.ids)
    return f'<section><h3>{escape(person.name)}</h3><div class="faces">{faces}</div>{"".join(lines)}</section>'


def _pair(pair: Pair, pictures: Pictures) -> str:
    kind, words = ("wrong", "reaches the threshold") if pair.reaches else ("", "below the threshold")
    faces = _face(pair.id, pair.first, pictures) + _face(pair.second_id, pair.second, pictures)
    return (
        f'<div class="pair"><div class="faces">{faces}</div><p>{escape(pair.first)} and {escape(pair.second)}<br>'
        f'<span class="{kind}">{pair.score:.3f}, {words}</span></p></div>'
    )


def _strangers(report: Report) -> str:
    warns = report.strangers is not None and report.strangers.warns
    return f'<p class="{"warning" if warns else ""}">{escape(report.strangers_in_words())}</p>'


def _bands(bands: Iterable[HeightBand]) -> str:
    rows = []
    for band in bands:
        name = f"{band.least:.0f} px and more" if band.most is None else f"{band.least:.0f} to {band.most:.0f} px"
        share = f"{band.recognized / band.tested:.1%}" if band.tested else "-"
        score = f"{band.similarity:.3f}" if band.similarity is not None else "-"
        cells = (name, f"{band.references:,}", f"{band.tested:,}", share, score)
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    heads = "".join(
        f"<th>{head}</th>" for head in ("face height", "references", "tested", "recognized", "median score")
    )
    return f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _names(title: str, meaning: str, names: tuple[str, ...]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
    return f"<h2>{title}</h2><p>{meaning}</p><p>{escape(', '.join(names[:LISTED]))}{more}</p>"


def _set_aside(report: Report, pictures: Pictures) -> str:
    if not report.set_aside:
        return ""
    rows = "".join(
        f'<div class="pair"><div class="faces">{_face(id_, name, pictures)}</div><p>{escape(name)}<br>'
        f'<span class="small">{escape(id_)}: {escape(reason)}</span></p></div>'
        for id_, name, reason in report.set_aside[:LISTED]
    )
    more = len(report.set_aside) - LISTED
    return f"<h2>References set aside</h2>{rows}" + (f"<p>and {more:,} more</p>" if more > 0 else "")


def _face(id_: str, name: str, pictures: Pictures) -> str:
    face = pictures(id_)
    if face is None:
        return '<span class="none">no picture</span>'
    height, width = face.shape[:2]
    image = Image.fromarray(face)
    image.thumbnail((SIDE, SIDE), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    source = base64.b64encode(buffer.getvalue()).decode()
    title = f"{escape(name)}, {escape(id_)}, {width} x {height} pixels"
    return f'<img src="data:image/png;base64,{source}" alt="{escape(name)}" title="{title}">'

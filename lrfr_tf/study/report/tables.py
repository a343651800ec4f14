"""The tables of the report as plain cells, which text, Markdown and HTML then draw each in their way."""

import dataclasses
from collections.abc import Callable
from typing import Any

from lrfr_tf.images.camera import CLEAN_LEVEL
from lrfr_tf.study.report.formatting import ABSENT, count, interval, number, p_value, percent
from lrfr_tf.study.report.sentences import (
    ON_HR,
    block_title,
    camera_title,
    fitted_head,
    fitted_on_hr,
    head_name,
    main_head,
    method_name,
    methods_of,
    one_line,
    short_name,
)


@dataclasses.dataclass(frozen=True)
class Cell:
    """One figure: its text, its 95 % interval ("" where there is none), and whether it is the best of its group."""

    text: str
    interval: str = ""
    best: bool = False


@dataclasses.dataclass(frozen=True)
class Table:
    """Groups of rows under one heading.

    Attributes:
        headings: one for each column.
        over: the heading above a run of columns, "" for none; one for each column.
        words: how many of the first columns hold words (left-aligned); figures follow.
        groups: rows that are compared with one another.
        titles: what the rows of each group share, in words; empty where there is one group.
    """

    headings: list[str]
    over: list[str]
    words: int
    groups: list[list[list[Cell]]]
    titles: list[str] = dataclasses.field(default_factory=list)

    @property
    def rows(self) -> list[list[Cell]]:
        return [row for group in self.groups for row in group]


@dataclasses.dataclass(frozen=True)
class Column:
    """One column of figures: what it reads of a row, how it shows it, and which of a group is the best.

    `read` gives {"mean", "interval_95"}, or None where a row has no such figure.
    """

    heading: str
    read: Callable[[dict[str, Any]], dict[str, Any] | None]
    show: Callable[[float | None], str]
    best: Callable[..., float] | None = max
    over: str = ""


def quality_table(block: dict[str, Any]) -> Table:
    """Detection rate, PSNR and SSIM of each method of a block."""
    columns = [
        Column("Detected (%)", lambda row: row["detected"], percent),
        Column("PSNR (dB)", lambda row: row.get("psnr_rgb"), _decimals(2), over="RGB"),
        Column("SSIM", lambda row: row.get("ssim_rgb"), _decimals(3), over="RGB"),
        Column("PSNR (dB)", lambda row: row.get("psnr_luma"), _decimals(2), over="luma"),
        Column("SSIM", lambda row: row.get("ssim_luma"), _decimals(3), over="luma"),
        _counted("n", lambda row: count(row["images"])),
    ]
    rows = [{"method": method, **row} for method, row in block["quality"].items()]
    return make_table(["Method"], lambda row: [method_name(row["method"])], columns, [rows])


def recognition_table(block: dict[str, Any]) -> Table:
    """Top-1 and top-5 of every method and head of a block, over all images, detected ones and the intersection."""
    rows = block["recognition"]
    ranks = [("top_1", "Top-1 (%)"), ("top_5", "Top-5 (%)")]
    if not any("top_5" in row["all"] for row in rows):
        ranks.pop()
    columns = []
    for subset, over in (("all", "all images"), ("detected", "detected"), ("intersection", "intersection")):
        columns += [Column(heading, _reader(subset, rank), percent, over=over) for rank, heading in ranks]
        if subset == "all":
            columns.append(_counted("p", lambda row: p_value(row.get("p_against_bicubic")), over))
        columns.append(_counted("n", _counter(subset), over))
    groups = recognition_groups(rows)
    table = make_table(
        ["Method", "Head", "Fitted on"],
        lambda row: [method_name(row["method"]), head_name(row["head"]), short_name(row["trained_on"])],
        columns,
        groups,
    )
    return dataclasses.replace(table, titles=[one_line(fitted_head(group[0])) for group in groups])


def boxes_table(block: dict[str, Any]) -> Table:
    """How far each method's boxes and landmarks are from those of HR."""
    columns = [
        Column("IoU", lambda row: row["iou"], _decimals(3)),
        Column("Landmark error", lambda row: row["landmark_error"], _decimals(3), min),
        Column("Center error", lambda row: row["centre_error"], _decimals(3), min),
        Column("Size error", lambda row: row["size_error"], _decimals(3), min),
        Column("MSE (px²)", lambda row: row["coordinate_mse"], _decimals(1), min),
        _counted("Both found", lambda row: count(row["found"]["both"])),
        _counted("HR only", lambda row: count(row["found"]["hr_only"])),
        _counted("Method only", lambda row: count(row["found"]["method_only"])),
        _counted("Neither", lambda row: count(row["found"]["neither"])),
    ]
    rows = [{"method": method, **row} for method, row in block["boxes"].items()]
    return make_table(["Method"], lambda row: [method_name(row["method"])], columns, [rows])


def headline_rows(block: dict[str, Any], head: str | None) -> list[dict[str, Any]]:
    """What each method of a block comes to: detected, PSNR, SSIM, and top-1 over all images by one head.

    Returns:
        Rows of "method" and figures or None: "detected", "psnr_rgb", "ssim_rgb", and top-1 with the head fitted on HR
        ("on_hr") and on the method's own images ("on_own").
    """
    rows = block["recognition"]
    top_1 = {(row["method"], row["trained_on"]): row["all"]["top_1"] for row in rows if row["head"] == head}
    found = {row["method"]: row["detected"]["images"] for row in rows}
    headlines = []
    for method in methods_of(block):
        # A method that makes no images has no row of theirs.
        quality = block["quality"].get(method, {"detected": {"mean": found.get(method, 0) / block["images"]}})
        headlines.append(
            {
                "method": method,
                "detected": quality["detected"],
                "psnr_rgb": quality.get("psnr_rgb"),
                "ssim_rgb": quality.get("ssim_rgb"),
                "on_hr": top_1.get((method, "hr")),
                "on_own": top_1.get((method, method)) if method != "hr" else None,
            }
        )
    return headlines


def blocks_by_camera(result: dict[str, Any], name: str) -> dict[str, dict[str, Any]]:
    """Camera level -> the block of that name, "clean" first."""
    levels = {camera: level["blocks"][name] for camera, level in result.get("levels", {}).items()}
    return {CLEAN_LEVEL: result["blocks"][name], **levels}


def levels_table(result: dict[str, Any], name: str) -> Table:
    """The headline of each camera level in a block; the rows on HR stand once, as no camera is between."""
    by_camera = blocks_by_camera(result, name)
    head = main_head(by_camera[CLEAN_LEVEL]["recognition"])
    columns = [
        Column("Detected (%)", lambda row: row["detected"], percent),
        Column("PSNR (dB)", lambda row: row["psnr_rgb"], _decimals(2), over="RGB"),
        Column("SSIM", lambda row: row["ssim_rgb"], _decimals(3), over="RGB"),
        Column("on HR", lambda row: row["on_hr"], percent, over="Top-1 (%)"),
        Column("on own", lambda row: row["on_own"], percent, over="Top-1 (%)"),
    ]
    groups = [
        [
            {**row, "camera": camera}
            for row in headline_rows(block, head)
            if camera == CLEAN_LEVEL or row["method"] not in ON_HR
        ]
        for camera, block in by_camera.items()
    ]
    table = make_table(["Method", "Camera"], lambda row: [method_name(row["method"]), row["camera"]], columns, groups)
    return dataclasses.replace(table, titles=[camera_title(camera) for camera in by_camera])


def recognition_groups(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Recognition rows that are compared with one another: one head, fitted on HR, or on each method's own images."""
    groups: dict[tuple[bool, str], list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: not fitted_on_hr(row)):
        groups.setdefault((fitted_on_hr(row), row["head"]), []).append(row)
    return list(groups.values())


def blocks_of(result: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """(name, heading, block) of each block, the headline first."""
    return [(name, block_title(name), block) for name, block in result["blocks"].items()]


def make_table(
    word_headings: list[str],
    read_words: Callable[[dict[str, Any]], list[str]],
    columns: list[Column],
    groups: list[list[dict[str, Any]]],
) -> Table:
    """A table with words first, figures after them; each row of `groups` names its "method"."""
    return Table(
        headings=[*word_headings, *(column.heading for column in columns)],
        over=[*("" for _ in word_headings), *(column.over for column in columns)],
        words=len(word_headings),
        groups=[
            [
                [
                    *(Cell(one_line(word)) for word in read_words(row)),
                    *(_cell(column, row, group) for column in columns),
                ]
                for row in group
            ]
            for group in groups
        ],
    )


def _cell(column: Column, row: dict[str, Any], group: list[dict[str, Any]]) -> Cell:
    figure = column.read(row)
    if figure is None:
        return Cell(ABSENT)
    if "text" in figure:
        return Cell(figure["text"])
    text = column.show(figure["mean"])
    return Cell(text, interval(figure.get("interval_95"), column.show), text == _best(column, group, row["method"]))


def _best(column: Column, group: list[dict[str, Any]], method: str) -> str | None:
    """The best figure of a group as it is shown. HR is what the methods try to reach, so it takes no part."""
    if column.best is None or method in ON_HR:
        return None
    figures = [column.read(row) for row in group if row["method"] not in ON_HR]
    means = [figure["mean"] for figure in figures if figure is not None and figure["mean"] is not None]
    return column.show(column.best(means)) if len(means) > 1 else None


def _counted(heading: str, read: Callable[[dict[str, Any]], str], over: str = "") -> Column:
    return Column(heading, lambda row: {"text": read(row)}, percent, None, over)


def _reader(subset: str, rank: str) -> Callable[[dict[str, Any]], dict[str, Any] | None]:
    return lambda row: row[subset].get(rank)


def _counter(subset: str) -> Callable[[dict[str, Any]], str]:
    return lambda row: f"{count(row[subset]['images'])} / {count(row[subset]['identities'])}"


def _decimals(decimals: int) -> Callable[[float | None], str]:
    return lambda value: number(value, decimals)

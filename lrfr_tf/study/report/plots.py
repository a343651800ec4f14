"""The pictures of the report as PNG bytes: CMC curves, box accuracy, top-1 bars. One color a method in all of them."""

import io
from collections.abc import Iterable
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lrfr_tf.images.lettering import in_standard_font
from lrfr_tf.study.report.formatting import count, number, percent
from lrfr_tf.study.report.sentences import (
    block_counts,
    fitted_on_hr,
    head_name,
    main_head,
    mean_of,
    method_name,
    methods_of,
    one_line,
    short_name,
)
from lrfr_tf.study.report.tables import recognition_groups

# Told apart by most color-blind readers too (after Okabe and Ito), and in grey by their markers.
COLORS = {
    "hr": "#6b7280",
    "bicubic": "#e69f00",
    "srcnn": "#56b4e9",
    "srresnet": "#0072b2",
    "srgan": "#00856a",
    "siamese": "#c2185b",
    "siamese_hr": "#2b2f36",
}
OTHER_COLORS = ("#cc79a7", "#d55e00", "#7a4fb5", "#8a8f98")
MARKERS = ("s", "^", "D", "o", "v", "P", "X", "*")
WIDTH, DOTS_PER_INCH = 5.4, 180
FONT_SIZE, GRID, INK = 9.0, "#e4e6ea", "#22262e"


def colors(methods: Iterable[str]) -> dict[str, str]:
    """One color for each method."""
    others = iter(OTHER_COLORS * 4)
    return {method: COLORS.get(method) or next(others, "#8a8f98") for method in methods}


def cmc_plot(title: str, block: dict[str, Any]) -> bytes | None:
    """CMC curves of every method with the main head fitted on HR, as a PNG; None where no head was fitted on HR."""
    head = main_head(block["recognition"])
    rows = [row for row in block["recognition"] if fitted_on_hr(row) and row["head"] == head and row["cmc"]]
    if head is None or not rows:
        return None
    figure, axes = _figure(3.7)
    palette = colors(methods_of(block))
    for index, row in enumerate(rows):
        ranks = range(1, len(row["cmc"]) + 1)
        shares = [100 * share for share in row["cmc"]]
        name, color = short_name(row["method"]), palette.get(row["method"], OTHER_COLORS[-1])
        marker = MARKERS[index % len(MARKERS)]
        axes.plot(ranks, shares, color=color, marker=marker, markersize=4, linewidth=1.6, label=_escape_math(name))
    longest = max(len(row["cmc"]) for row in rows)
    axes.set_xlim(0.5, longest + 0.5)
    axes.set_xticks([rank for rank in range(1, longest + 1) if longest <= 10 or rank == 1 or rank % 5 == 0])
    axes.set_ylim(0, 100)
    axes.set_xlabel("Rank")
    axes.set_ylabel("True identity within rank (%)")
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    _legend(figure, len(rows))
    return _png(
        figure, f"{_escape_math(title)}: CMC, {_escape_math(head_name(head))} head fitted on HR\n{block_counts(block)}"
    )


def boxes_plot(title: str, block: dict[str, Any]) -> bytes | None:
    """Detection rate, mean IoU with the HR box and landmark error, with intervals, as a PNG; None without methods."""
    quality, boxes = block["quality"], block["boxes"]
    if not boxes:
        return None
    palette = colors(methods_of(block))
    figure, panels = _panels(1.0 + 0.26 * (len(quality) + 2 * len(boxes)) + 1.2, [len(quality), len(boxes), len(boxes)])
    rates = [(method, method_name(method), row["detected"]) for method, row in quality.items()]
    _horizontal_bars(panels[0], rates, palette, percent, full=100.0)
    panels[0].set_xlabel(f"Face detected (% of n = {count(block['images'])} images)")
    for panel, measure, label in (
        (panels[1], "iou", "Mean IoU with the HR box (more is better)"),
        (panels[2], "landmark_error", "Mean landmark error / eye distance (less is better)"),
    ):
        bars = [
            (method, f"{method_name(method)} (n = {count(row[measure]['n'])})", row[measure])
            for method, row in boxes.items()
        ]
        _horizontal_bars(panel, bars, palette, lambda value: number(value, 3), full=1.0 if measure == "iou" else None)
        panel.set_xlabel(label)
    return _png(figure, f"{_escape_math(title)}: faces found\n{block_counts(block)}")


def top_1_plot(title: str, block: dict[str, Any]) -> bytes | None:
    """Top-1 over all images by head and method, with 95 % whiskers, as a PNG; None where nothing was recognized."""
    groups = recognition_groups(block["recognition"])
    if not groups:
        return None
    figure, axes = _figure(3.7)
    palette = colors(methods_of(block))
    shown: set[str] = set()
    for place, group in enumerate(groups):
        width = 0.84 / max(len(rows) for rows in groups)
        for index, row in enumerate(group):
            figures, method = row["all"]["top_1"], row["method"]
            if figures["mean"] is None:
                continue
            left = place + (index - (len(group) - 1) / 2) * width
            color = palette.get(method, OTHER_COLORS[-1])
            label = None if method in shown else _escape_math(short_name(method))
            shown.add(method)
            axes.bar(left, 100 * figures["mean"], width * 0.92, color=color, label=label)
            axes.errorbar(left, 100 * figures["mean"], _whisker(figures, 100), color=INK, linewidth=1, capsize=2)
    axes.set_xticks(
        range(len(groups)),
        [
            f"{_escape_math(head_name(group[0]['head']))}\non {'HR' if fitted_on_hr(group[0]) else 'own'}"
            for group in groups
        ],
    )
    axes.set_xlim(-0.6, len(groups) - 0.4)
    axes.set_ylim(0, 100)
    axes.set_xlabel("Head, and the images it was fitted on (HR, or the method's own)")
    axes.set_ylabel("Top-1 over all images (%)")
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    _legend(figure, len(shown))
    return _png(figure, f"{_escape_math(title)}: top-1 with 95 % intervals\n{block_counts(block)}")


def _horizontal_bars(
    axes: Axes, bars: list[tuple[str, str, dict[str, Any]]], palette: dict[str, str], show: Any, *, full: float | None
) -> None:
    """Bars of (method, label, figure) from top to bottom; `full` is the end of the axis where the measure has one."""
    scale = 100.0 if full == 100.0 else 1.0
    ends = [0.0]
    for place, (method, _, figure) in enumerate(bars):
        mean = mean_of(figure)
        if mean is None:
            axes.text(0, place, " no face found", va="center", color=INK, fontsize=FONT_SIZE)
            continue
        whisker = _whisker(figure, scale)
        axes.barh(place, scale * mean, 0.7, color=palette.get(method, OTHER_COLORS[-1]))
        axes.errorbar(scale * mean, place, xerr=whisker, color=INK, linewidth=1, capsize=2)
        end = scale * mean + (whisker[1][0] if whisker else 0.0)
        ends.append(end)
        axes.annotate(
            show(mean), (end, place), xytext=(5, 0), textcoords="offset points", va="center", fontsize=FONT_SIZE
        )
    # Room for the figures at the end of the bars.
    axes.set_xlim(0, 1.14 * (full or max(ends) or 1.0))
    if full:
        axes.set_xticks([full * step / 4 for step in range(5)])
    axes.set_yticks(range(len(bars)), [_escape_math(label) for _, label, _ in bars])
    axes.set_ylim(len(bars) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=GRID, linewidth=0.8)


def _whisker(figure: dict[str, Any], scale: float) -> list[list[float]] | None:
    """The interval as matplotlib wants it: distances below and above the mean."""
    if figure.get("interval_95") is None:
        return None
    low, high = figure["interval_95"]
    return [[scale * max(figure["mean"] - low, 0.0)], [scale * max(high - figure["mean"], 0.0)]]


def _figure(height: float) -> tuple[Figure, Axes]:
    figure, panels = _panels(height, [1])
    return figure, panels[0]


def _panels(height: float, shares: list[int]) -> tuple[Figure, list[Axes]]:
    # A Figure of its own, without pyplot: no global state, no display needed.
    figure = Figure(figsize=(WIDTH, height), dpi=DOTS_PER_INCH, layout="constrained", facecolor="white")
    panels = figure.subplots(len(shares), 1, squeeze=False, height_ratios=[max(share, 1) for share in shares])[:, 0]
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color("#9aa0aa")
        axes.set_axisbelow(True)
        axes.tick_params(colors=INK, labelsize=FONT_SIZE)
        axes.xaxis.label.set_fontsize(FONT_SIZE)
        axes.yaxis.label.set_fontsize(FONT_SIZE)
    return figure, list(panels)


def _legend(figure: Figure, columns: int) -> None:
    if columns:
        figure.legend(loc="outside lower center", ncols=min(columns, 4), frameon=False, fontsize=FONT_SIZE)


def _escape_math(text: str) -> str:
    """A name as matplotlib should print it: a dollar sign would start a formula, and a letter may be in no font."""
    return in_standard_font(one_line(text)).replace("$", r"\$")


def _png(figure: Figure, title: str) -> bytes:
    figure.suptitle(title, fontsize=FONT_SIZE + 1, x=0.02, ha="left")
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()

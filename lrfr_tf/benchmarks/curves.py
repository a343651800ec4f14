"""A picture of curves: ROC, CMC, or accuracy against pixels."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lrfr_tf.files import atomic_file
from lrfr_tf.images.lettering import in_standard_font

MARKED = 20  # up to so many points are marked with dots

Curves = Mapping[str, tuple[np.ndarray, np.ndarray]]


def draw_curves(
    path: Path,
    title: str,
    x_label: str,
    y_label: str,
    *,
    curves: Curves,
    log_x: bool = False,
) -> None:
    """Draws named curves into a PNG file, written whole or not at all.

    Args:
        curves: name -> (x [n], y [n]); up to `MARKED` points are marked with dots.
        log_x: a logarithmic x axis, on which points at x <= 0 are left out.

    Raises:
        ValueError: there is no curve, or x and y of one differ in length.
    """
    draw_panels(path, title, x_label, y_label, panels={"": curves}, log_x=log_x)


def draw_panels(
    path: Path, title: str, x_label: str, y_label: str, *, panels: Mapping[str, Curves], log_x: bool = False
) -> None:
    """`draw_curves` with several panels side by side, all of one height: heading -> curves of one panel.

    A name has one color in all panels, if its curve is at the same place in each; the first panel has the legend.
    """
    if not panels or not all(panels.values()):
        raise ValueError("A picture of curves needs a curve.")
    width = 8 if len(panels) == 1 else 4.8 * len(panels)
    figure = Figure(figsize=(width, 5.5), layout="constrained")
    every_axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for place, (heading, curves, axes) in enumerate(zip(panels, panels.values(), every_axes, strict=True)):
        _draw(axes, curves, log_x)
        if len(panels) == 1:
            axes.set_title(_escape_math(title))
        else:
            axes.set_title(_escape_math(heading), fontsize="medium")
        axes.set_xlabel(x_label)
        axes.grid(alpha=0.3)
        if place == 0:
            axes.set_ylabel(y_label)
            axes.legend(loc="best", fontsize="small")
    if len(panels) > 1:
        figure.suptitle(_escape_math(title))
    FigureCanvasAgg(figure)
    with atomic_file(path) as temporary:
        figure.savefig(temporary, dpi=100, format="png", metadata={"Software": None})


def _draw(axes: Axes, curves: Curves, log_x: bool) -> None:
    for name, (x, y) in curves.items():
        x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
        if x.shape != y.shape or x.ndim != 1:
            raise ValueError(f"The curve {name} has {x.shape} places and {y.shape} values.")
        shown = x > 0 if log_x else np.ones(len(x), bool)
        axes.plot(x[shown], y[shown], marker="o" if shown.sum() <= MARKED else None, label=_escape_math(name))
    if log_x:
        axes.set_xscale("log")
        places = np.unique(np.concatenate([np.asarray(x, np.float64) for x, _ in curves.values()]))
        if len(places) <= MARKED:  # such as a few sizes in pixels: named as they are, not as powers of ten
            axes.set_xticks(places[places > 0], [f"{place:g}" for place in places[places > 0]])
            axes.minorticks_off()


def _escape_math(text: str) -> str:
    """A text as matplotlib should print it: a dollar sign would start a formula, and a letter may be in no font."""
    return in_standard_font(text).replace("$", r"\$")

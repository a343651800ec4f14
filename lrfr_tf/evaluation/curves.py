"""A picture of curves: ROC, CMC, or accuracy against pixels."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from lrfr_tf.files import written_whole

MARKED = 20  # up to so many points are marked with dots


def draw_curves(
    path: Path,
    title: str,
    x_label: str,
    y_label: str,
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]],
    log_x: bool = False,
) -> None:
    """Draws named curves into a PNG file, written whole or not at all.

    Args:
        curves: name -> (x [n], y [n]); up to `MARKED` points are marked with dots.
        log_x: a logarithmic x axis, on which points at x <= 0 are left out.

    Raises:
        ValueError: there is no curve, or x and y of one differ in length.
    """
    if not curves:
        raise ValueError("A picture of curves needs a curve.")
    figure = Figure(figsize=(8, 5.5), layout="constrained")
    axes = figure.add_subplot()
    for name, (x, y) in curves.items():
        x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
        if x.shape != y.shape or x.ndim != 1:
            raise ValueError(f"The curve {name} has {x.shape} places and {y.shape} values.")
        shown = x > 0 if log_x else np.ones(len(x), bool)
        # A dollar sign would start a formula.
        axes.plot(x[shown], y[shown], marker="o" if shown.sum() <= MARKED else None, label=name.replace("$", r"\$"))
    if log_x:
        axes.set_xscale("log")
        places = np.unique(np.concatenate([np.asarray(x, np.float64) for x, _ in curves.values()]))
        if len(places) <= MARKED:  # such as a few sizes in pixels: named as they are, not as powers of ten
            axes.set_xticks(places[places > 0], [f"{place:g}" for place in places[places > 0]])
            axes.minorticks_off()
    axes.set_title(title.replace("$", r"\$"))
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.grid(alpha=0.3)
    axes.legend(loc="best", fontsize="small")
    FigureCanvasAgg(figure)
    with written_whole(path) as temporary:
        figure.savefig(temporary, dpi=100, format="png", metadata={"Software": None})

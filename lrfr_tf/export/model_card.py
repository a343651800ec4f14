"""What all model cards share: templates, wrapped paragraphs, and the picture of a training."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from matplotlib.figure import Figure

from lrfr_tf.files import atomic_file, read_json
from lrfr_tf.images.camera import CLEAN_LEVEL

NO_PARAGRAPH = ("#", "|", "- ", "![", "```")  # how the other blocks of a card begin


def fill_template(template: Path, **values: Any) -> str:
    """A text out of a jinja2 template; in it `number|spec(",")` formats a number as `format(number, ",")` does, and
    `share|percent(".1f")` a share in per cent.

    Raises:
        jinja2.UndefinedError: the template names what is not among the values.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template.parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"spec": format, "percent": lambda share, form: format(100 * share, form)}
    return environment.get_template(template.name).render(values)


def wrap_paragraphs(text: str) -> str:
    """Breaks the lines of paragraphs anew; headings, tables, lists, pictures and code stay as they are."""
    wrapper = textwrap.TextWrapper(120, break_long_words=False, break_on_hyphens=False)
    blocks = text.split("\n\n")
    return "\n\n".join(block if block.startswith(NO_PARAGRAPH) else wrapper.fill(block) for block in blocks)


def tree_and_camera(scored: str, found: Mapping[str, Any]) -> tuple[str, str]:
    """The tree of a result of tools/evaluate_super_resolution.py, and the camera level at which it was scored.

    Args:
        scored: what the result calls it: the tree's path, and behind a comma the level unless it is clean.
        found: what the result holds of it.
    """
    camera = found.get("camera", CLEAN_LEVEL)  # older results know the clean one only
    return (scored if camera == CLEAN_LEVEL else scored.removesuffix(f", {camera}")), camera


def joined_history(runs: Sequence[Path]) -> list[dict[str, Any]]:
    """The validation figures of runs that went on one from another, their steps counted through."""
    history: list[dict[str, Any]] = []
    for run_folder in runs:
        before = history[-1]["step"] if history else 0
        history += [{**entry, "step": entry["step"] + before} for entry in read_json(run_folder / "validation.json")]
    return history


def draw_training(path: Path, history: Sequence[Mapping[str, Any]], panels: Mapping[str, Mapping[str, str]]) -> None:
    """Draws validation figures against the step, one panel beside the other, into a PNG file.

    Args:
        history: entries with "step" and the figures.
        panels: label of the vertical axis -> {key of a figure: name of its line}; one line alone gets no legend.
    """
    figure = Figure(figsize=(2.7 * len(panels), 2.4), layout="constrained")
    steps = [entry["step"] for entry in history]
    for place, (label, lines) in enumerate(panels.items(), start=1):
        axes = figure.add_subplot(1, len(panels), place)
        for key, name in lines.items():
            color = "#00856a" if len(lines) == 1 else None
            axes.plot(steps, [entry[key] for entry in history], marker=".", color=color, label=name)
        axes.set_xlabel("step", fontsize=9)
        axes.set_ylabel(label, fontsize=9)
        axes.tick_params(labelsize=8)
        axes.grid(color="#e4e6ea")
        if len(lines) > 1:
            axes.legend(fontsize=8)
    with atomic_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110, metadata={"Software": None})

"""What the HTML and the Markdown report share: their pictures and the words around them."""

from collections.abc import Mapping, Sequence
from typing import Any

from lrfr_tf.study.report.faces import Example, face_png
from lrfr_tf.study.report.plots import boxes_plot, cmc_plot, top_1_plot
from lrfr_tf.study.report.tables import blocks_of
from lrfr_tf.study.report.words import head_name, listed, main_head, method_name, short_name

INTERVALS = "Figures in brackets are 95 % intervals. Bold: the best of its group, HR aside."
RECOGNITION_TEXT = (
    f"{INTERVALS} n: images / identities. p: McNemar's test against bicubic with the same head, over all images."
)
QUALITY_TEXT = f"{INTERVALS} PSNR and SSIM are against HR."
BOXES_TEXT = (
    f"{INTERVALS} IoU and errors compare a method's box and landmarks with those found in HR, over the images in which "
    "both were found (n: both found)."
)
# Kind, heading, the function that draws it.
PLOTS = (
    ("cmc", "Cumulative match", cmc_plot),
    ("boxes", "Faces found, and where", boxes_plot),
    ("top-1", "Top-1 by head", top_1_plot),
)
GROUPS = ("grid", "right", "wrong")


PIXELS_HEADING = "Accuracy against pixels"
LEVELS_HEADING = "By camera"


def pictures(
    result: dict[str, Any], examples: Sequence[Example], curves: Mapping[str, bytes] | None = None
) -> dict[str, bytes]:
    """Every picture of the report: file name -> PNG; `curves` are those of accuracy against pixels, by block."""
    drawn = {plot_name("pixels", block): png for block, png in (curves or {}).items()}
    for name, title, block in blocks_of(result):
        for kind, _, draw in PLOTS:
            png = draw(title, block)
            if png is not None:
                drawn[plot_name(kind, name)] = png
    for index, example in enumerate(examples):
        for column, (method, face) in enumerate(example.faces.items()):
            drawn[face_name(index, column)] = face_png(face, example.boxes.get(method))
    return drawn


def plot_name(kind: str, block: str) -> str:
    """The file name of a plot of a block."""
    return f"{kind}-{block}.png"


def face_name(example: int, column: int) -> str:
    """The file name of a face: the number of the example and of its column."""
    return f"face-{example:03d}-{column}.png"


def sides(examples: Sequence[Example]) -> tuple[int | None, int | None]:
    """The sides of the LR and of the HR images, None where no example shows one."""
    faces = examples[0].faces if examples else {}
    low, high = faces.get("lr"), faces.get("hr")
    return None if low is None else low.shape[0], None if high is None else high.shape[0]


def group_title(group: str, examples: Sequence[Example]) -> str:
    """The heading of a group of examples."""
    if group == "grid":
        return "The same faces, method by method"
    name = method_name(_shown_method(examples))
    return f"{name} right, bicubic wrong" if group == "right" else f"{name} wrong"


def group_text(group: str, examples: Sequence[Example], result: dict[str, Any]) -> str:
    """What the pictures of a group show."""
    faces = examples[0].faces
    enlarged = "Pixels are enlarged as they are. The box is the largest, most central face that the detector found."
    if group == "grid":
        names = listed([short_name(method) for method in faces])
        aligned = " The Siamese network is shown the bicubic face aligned." if "siamese" in faces else ""
        return f"From left to right: {names}. {enlarged}{aligned}"
    head = main_head(next(iter(result["blocks"].values()))["recognition"])
    by = f"by the {head_name(head)} head fitted on HR" if head else "by the head"
    return f"Under each face, the identity named {by}: ✓ right, ✗ wrong."


def _shown_method(examples: Sequence[Example]) -> str:
    """The method that the examples were chosen for: the last reconstruction, as a rule SRGAN."""
    methods = [method for method in examples[0].faces if method not in ("lr", "hr", "siamese")]
    return methods[-1] if methods else "hr"

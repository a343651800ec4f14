"""The names in the report, and the sentences that are computed from a result."""

from typing import Any

from lrfr_tf.images.camera import CLEAN_LEVEL
from lrfr_tf.study.report.formatting import count, number, p_text, percent

METHOD_NAMES = {
    "lr": "LR",
    "hr": "HR",
    "bicubic": "Bicubic",
    "srcnn": "SRCNN",
    "srgan": "SRGAN",
    "srresnet": "SRResNet",
    "siamese": "Siamese, no super-resolution",
    "siamese_hr": "Siamese on HR",
}
# What the methods try to reach: they see HR itself.
ON_HR = ("hr", "siamese_hr")
HEAD_NAMES = {"mlp": "MLP"}
BLOCK_TITLES = {"held_out": "Held-out identities", "all": "All identities"}
BASELINE = "bicubic"
SECOND_CHOICE = {
    "miss": "an image in which the detector finds no face counts as wrong",
    "whole": "where the detector finds no face, the whole image is embedded",
    "hr_box": "where the detector finds no face, the crop is cut at the box found in the HR image, and if there is "
    "none either, the image counts as wrong",
}


def method_name(method: str) -> str:
    """The name of a method as tables show it."""
    return METHOD_NAMES.get(method, method)


def short_name(method: str) -> str:
    """The same where there is little room."""
    return "Siamese" if method == "siamese" else method_name(method)


def camera_title(camera: str) -> str:
    """The heading of what was measured at a camera level."""
    return "Shrunk cleanly" if camera == CLEAN_LEVEL else f"Camera: {camera}"


def head_name(head: str) -> str:
    """The name of a head as tables show it."""
    return HEAD_NAMES.get(head, head)


def fitted_head(row: dict[str, Any]) -> str:
    """The head of a recognition row and what it was fitted on, as sentences name them."""
    return f"{head_name(row['head'])} head fitted on {'HR' if fitted_on_hr(row) else 'each method’s own images'}"


def block_title(name: str) -> str:
    """The heading of a block."""
    return BLOCK_TITLES.get(name, name)


def block_counts(block: dict[str, Any]) -> str:
    """How many images and identities a block holds."""
    images, identities = block["images"], block["identities"]
    return (
        f"{count(images)} test image{'' if images == 1 else 's'} of "
        f"{count(identities)} {'identity' if identities == 1 else 'identities'}"
    )


def block_sentence(name: str, result: dict[str, Any]) -> str:
    """Who is in a block."""
    counts = block_counts(result["blocks"][name])
    if name == "held_out":
        return (
            f"{counts}: those whose number is divisible by {result['held_out_divisor']}, held out of the training of "
            "the super-resolution networks. This is the headline."
        )
    if "held_out" in result["blocks"]:
        return f"{counts}: the held-out ones and those that the super-resolution networks may have been trained on."
    return f"{counts}."


def summary(result: dict[str, Any], low_size: int | None, high_size: int | None) -> str:
    """What was measured, in two sentences; the sides of the LR and HR images, in pixels, where they are known."""
    block = last_block(result)
    methods = [
        "bicubic interpolation" if method == BASELINE else method_name(method)
        for method in block["quality"]
        if method != "hr"
    ]
    sizes = f" of {low_size} x {low_size} pixels" if low_size else ""
    enlarged = f" to {high_size} x {high_size}" if high_size else ""
    data = result["data"]
    return (
        f"Faces{sizes} ({data['data_set']}; framing: {data['framing']}) were enlarged{enlarged} by "
        f"{join_with_and(methods)}, looked for by {str(result['detector']['name']).upper()}, embedded by "
        f"{result['embedder']} and named by a classifier head that chooses from {count(result['classes'])} identities; "
        f"HR is the original face. {siamese_sentence(result, ' ')}There are {block_counts(block)}; "
        f"{SECOND_CHOICE.get(result['policy'], 'policy for misses: ' + str(result['policy']))}."
    )


def siamese_sentence(result: dict[str, Any], after: str = "") -> str:
    """What the rows of the Siamese network are, and `after` it; nothing where there are none."""
    if "siamese" not in result:
        return ""
    siamese = result["siamese"]
    return (
        f"{method_name('siamese')}: {siamese['embedder']} embeds the face of the bicubic image, aligned to "
        f"{siamese['size']} x {siamese['size']} pixels by the landmarks that the detector found in that image "
        f"(template {siamese['template']}), and its heads are fitted on its own embeddings; {method_name('siamese_hr')}"
        f": the same of the original face.{after}"
    )


def levels_sentence(result: dict[str, Any]) -> str:
    """What the table by camera level is."""
    head = main_head(next(iter(result["blocks"].values()))["recognition"])
    return (
        "The same faces, made small cleanly and by the camera model of docs/camera.md; everything was done anew for "
        "each level, heads fitted on a method's own images included. Top-1 is over all images, with the "
        f"{head_name(head or 'first')} head fitted on HR, or on the method's own images. PSNR and SSIM of a "
        "camera level are against HR in the colors of the photo."
    )


def group_title(group: str, methods: list[str]) -> str:
    """The heading of a group of examples, whose faces are those of the methods, "lr" and "hr"."""
    if group == "grid":
        return "The same faces, method by method"
    # They were chosen for the last reconstruction, as a rule SRGAN.
    made = [method for method in methods if method not in ("lr", "hr", "siamese")]
    name = method_name(made[-1] if made else "hr")
    return f"{name} right, bicubic wrong" if group == "right" else f"{name} wrong"


def group_text(group: str, methods: list[str], result: dict[str, Any]) -> str:
    """What the pictures of a group show."""
    if group == "grid":
        names = join_with_and([short_name(method) for method in methods])
        aligned = " The Siamese network is shown the bicubic face aligned." if "siamese" in methods else ""
        return (
            f"From left to right: {names}. Pixels are enlarged as they are. The box is the largest, most central face "
            f"that the detector found.{aligned}"
        )
    head = main_head(next(iter(result["blocks"].values()))["recognition"])
    by = f"by the {head_name(head)} head fitted on HR" if head else "by the head"
    return f"Under each face, the identity named {by}: ✓ right, ✗ wrong."


def methods_of(block: dict[str, Any]) -> list[str]:
    """Every method of a block: those that make images, then those that only recognize."""
    return list(dict.fromkeys([*block["quality"], *(row["method"] for row in block["recognition"])]))


def below_bicubic(block: dict[str, Any]) -> list[str]:
    """One sentence for each method whose PSNR, or top-1 over all images, is below that of bicubic."""
    sentences = []
    for method in methods_of(block):
        if method in (*ON_HR, BASELINE):
            continue
        findings = _psnr_below(block["quality"], method) + _top_1_below(block["recognition"], method)
        if findings:
            sentences.append(f"{short_name(method)} is below bicubic: {'; '.join(findings)}.")
    return sentences


def _psnr_below(quality: dict[str, Any], method: str) -> list[str]:
    findings = []
    for key, name in (("psnr_rgb", "PSNR (RGB)"), ("psnr_luma", "PSNR (luma)")):
        value, baseline = mean_of(quality.get(method, {}).get(key)), mean_of(quality.get(BASELINE, {}).get(key))
        if value is not None and baseline is not None and value < baseline:
            findings.append(f"{name} {number(value, 2)} dB against {number(baseline, 2)} dB")
    return findings


def _top_1_below(rows: list[dict[str, Any]], method: str) -> list[str]:
    baselines = {
        (row["head"], fitted_on_hr(row)): mean_of(row["all"]["top_1"]) for row in rows if row["method"] == BASELINE
    }
    findings = []
    for row in rows:
        if row["method"] != method:
            continue
        value, baseline = mean_of(row["all"]["top_1"]), baselines.get((row["head"], fitted_on_hr(row)))
        if value is not None and baseline is not None and value < baseline:
            p = row.get("p_against_bicubic")
            findings.append(
                f"top-1 with the {fitted_head(row)} {percent(value)} % against {percent(baseline)} %"
                + (f" (p {p_text(p)})" if p is not None else "")
            )
    return findings


def mean_of(figure: dict[str, Any] | None) -> float | None:
    """The mean of a figure that may be absent."""
    return None if figure is None else figure["mean"]


def fitted_on_hr(row: dict[str, Any]) -> bool:
    """Whether the head of a recognition row was fitted on HR images."""
    return row["trained_on"] == "hr"


def main_head(rows: list[dict[str, Any]]) -> str | None:
    """The head that pictures show: logistic where it was fitted on HR, else the first that was."""
    heads = [row["head"] for row in rows if fitted_on_hr(row)]
    return "logistic" if "logistic" in heads else next(iter(heads), None)


def last_block(result: dict[str, Any]) -> dict[str, Any]:
    """The block of all identities; the headline, if there is another, comes before it."""
    return list(result["blocks"].values())[-1]


def join_with_and(words: list[str]) -> str:
    """Words as a list in a sentence: "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def one_line(text: Any) -> str:
    """A text without line breaks, control characters and direction marks, which a name from a file may hold."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in str(text)).split())


def settings(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Configuration and versions, as rows of a name and a value."""
    data, detector = result["data"], result["detector"]
    rows = [
        ("Data set", data["data_set"]),
        ("Framing", data["framing"]),
        ("Resize kernel", data["resize_kernel"]),
        ("Identities", count(data["identities"])),
        ("Images", ", ".join(f"{split} {count(images)}" for split, images in data["images"].items())),
        ("Identities dropped (fewer than 3 images)", count(data["dropped_identities"])),
    ]
    if "images_without_face" in data:
        rows.append(("Photos without a face, left out", count(data["images_without_face"])))
    rows += [
        ("Detector", ", ".join(f"{key} {_value(value)}" for key, value in detector.items())),
        ("Embedder", result["embedder"]),
        *([("Siamese embedder", result["siamese"]["embedder"])] if "siamese" in result else []),
        ("Where no face is found", result["policy"]),
        *((f"SHA-256 of {method_name(name)}", checksum) for name, checksum in result["models"].items() if checksum),
        *((f"--{name}", _value(value)) for name, value in result["config"].items() if value not in ("", None)),
        ("Versions", ", ".join(f"{name} {version}" for name, version in result["versions"].items())),
        ("Seconds", number(result["seconds"], 1)),
    ]
    return [(one_line(name), one_line(value)) for name, value in rows]


def _value(value: Any) -> str:
    return ", ".join(str(item) for item in value) if isinstance(value, list | tuple) else str(value)

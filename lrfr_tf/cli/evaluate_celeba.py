"""Makes the table: HR, bicubic, SRCNN, SRGAN and the Siamese network side by side, with every head, and the report.

    lrfr evaluate celeba --data=datasets/celeba_face --embeddings=runs/celeba_face/embeddings \\
        --heads=runs/celeba_face/heads --held_out_divisor=5 --output=runs/celeba_face/report
"""

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lrfr_tf.config import option, required
from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json, sha256, write_json
from lrfr_tf.study.evaluate import Evaluation
from lrfr_tf.study.report.pixels import read_pixels
from lrfr_tf.study.report.text import table_text
from lrfr_tf.study.report.write import write_report


@dataclasses.dataclass(frozen=True)
class Config:
    data: str = required("the prepared tree, with the folders of the methods in it")
    embeddings: str = required("folder written by lrfr embed")
    heads: str = required("folder written by train_classifier")
    output: str = required("folder for result.json, report.html and report.md")
    methods: tuple[str, ...] = option(("hr", "bicubic", "srcnn", "srgan"), "methods to compare")
    held_out_divisor: int = option(
        0,
        "identities whose number is divisible by this were held out of every network's training; 0: nobody was",
        at_least=0,
    )
    siamese_embeddings: str | None = option(
        None,
        "embeddings of hr and bicubic by the Siamese network (--crop=aligned); without them the table leaves it out",
    )
    siamese_heads: str | None = option(None, "folder written by train_classifier on --siamese_embeddings")
    pixels: str | None = option(None, "a result of lrfr evaluate pixels for the report to show")
    levels: tuple[str, ...] = option(
        (),
        "for the report: results of this command for the same faces through cameras (python -m "
        "lrfr_tf.cli.photograph_tree)",
    )
    title: str = option("Low-resolution face recognition", "title of the report")
    note: str = option("", "a sentence for the top of the report, such as how far its figures reach")


def check_flags(config: Config) -> None:
    """Refuses settings that do not go together."""
    if (config.siamese_embeddings is None) != (config.siamese_heads is None):
        raise UserError("--siamese_embeddings and --siamese_heads belong together: give both, or neither.")


def main(config: Config) -> None:
    check_flags(config)
    started = time.monotonic()
    data = Path(config.data)
    siamese = None
    if config.siamese_embeddings is not None and config.siamese_heads is not None:
        siamese = (Path(config.siamese_embeddings), Path(config.siamese_heads))
    evaluation = Evaluation(
        data,
        Path(config.embeddings),
        Path(config.heads),
        config.methods,
        held_out_divisor=config.held_out_divisor,
        siamese=siamese,
    )
    pixels, curves = read_pixels(Path(config.pixels), data) if config.pixels is not None else (None, {})
    levels = read_levels(config.levels, data, config.methods, config.held_out_divisor)
    result = {
        "title": config.title,
        "note": config.note,
        **evaluation.result(),
        **({"pixels": pixels} if pixels is not None else {}),
        **({"levels": levels} if levels else {}),
        "config": dataclasses.asdict(config),
        "seconds": round(time.monotonic() - started, 1),
    }
    output = Path(config.output)
    write_json(output / "result.json", result)
    write_report(output, result, evaluation.examples(), curves)
    print(table_text(result))
    print(f"report: {(output / 'report.html').resolve()}")


def read_levels(paths: Sequence[str], data: Path, methods: Sequence[str], held_out_divisor: int) -> dict[str, Any]:
    """What the results of camera levels hold: level -> its blocks.

    Raises:
        UserError: one is no such result, or about other faces, other methods or another held-out block.
    """
    levels = {}
    for path in paths:
        result = read_json(Path(path))
        about = result.get("data") if isinstance(result, dict) else None
        if not isinstance(about, dict) or "camera" not in about:
            raise UserError(f"--levels={path} is no result of lrfr evaluate celeba of faces through a camera.")
        if about["data_sha256"] != sha256(data / "manifest.json"):
            raise UserError(f"--levels={path} is about other faces than those in {data}.")
        blocks = result["blocks"]
        if any(list(block["quality"]) != list(methods) for block in blocks.values()):
            raise UserError(f"--levels={path} compares other methods than --methods={','.join(methods)}.")
        if result["held_out_divisor"] != held_out_divisor:
            raise UserError(f"--levels={path} has another --held_out_divisor, {result['held_out_divisor']}.")
        levels[about["camera"]] = {"blocks": blocks}
    return levels

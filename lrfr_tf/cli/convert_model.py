"""Converts a super-resolution network or an embedder to ONNX or TFLite, and prints what that costs on real faces.

    python -m lrfr_tf.cli.convert_model --model=saved_models/srgan --to=onnx,tflite_float16,tflite_int8 \\
        --output=runs/srgan --faces=datasets/celeba_face/hr --calibration_faces=datasets/celeba_face/hr

Written are <output>.onnx, <output>.float16.tflite, <output>.int8.tflite and <output>.json, the record with the losses.
Faces of an embedder are aligned crops, or photos with --landmarks and --pairs. See docs/converting.md.
"""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from lrfr_tf.config import option, required, versions
from lrfr_tf.errors import UserError
from lrfr_tf.export import to_onnx, to_tflite
from lrfr_tf.export.compare import compare_embeddings, compare_images, cpu_milliseconds, loss_table
from lrfr_tf.export.convertible import SUPER_RESOLUTION, Convertible, load_convertible
from lrfr_tf.export.faces import PairedFaces, read_paired_faces, sample_faces
from lrfr_tf.files import atomic_file, replace_between_markers, sha256, write_json
from lrfr_tf.images.contact_sheet import contact_sheet
from lrfr_tf.images.decode import write_png
from lrfr_tf.images.degrade import degrade
from lrfr_tf.images.probes import shrink_to_probe
from lrfr_tf.main import start
from lrfr_tf.networks.synthetic_faces import synthetic_faces

ENDINGS = {"onnx": ".onnx", "tflite_float16": ".float16.tflite", "tflite_int8": ".int8.tflite"}
REFERENCE = "as it was"
SYNTHETIC_FACES = 16
SHOWN = 40


@dataclasses.dataclass(frozen=True)
class Config:
    model: str = required("an export, such as saved_models/srgan, or the model folder of a run")
    to: tuple[str, ...] = required("what to make of it", tuple(ENDINGS))
    output: str = required("path of the files to write, without their endings")
    faces: str | None = option(None, "folder or zip of <person>/<photo> to measure the loss on; else made-up faces")
    landmarks: str | None = option(None, "table of landmarks (CSV) by which the photos of --pairs are aligned")
    pairs: str | None = option(None, "list of pairs among --faces: an embedder's accuracy is measured, too")
    pairs_per_fold: int = option(60, "how many pairs of each fold", at_least=2)
    probe_size: int = option(16, "size of image 2 of a pair in pixels; an embedder sees it enlarged again", at_least=1)
    calibration_faces: str | None = option(None, "folder or zip of <person>/<photo> of other persons, for tflite_int8")
    held_out_divisor: int = option(
        5, "persons to measure on are divisible by it, to calibrate on not; 0: all", at_least=0
    )
    faces_count: int = option(300, "how many faces to measure on, evenly spread", at_least=1)
    calibration_count: int = option(200, "how many faces to calibrate on, evenly spread", at_least=1)
    rounds: int = option(20, "turns in which the time of one face is taken", at_least=1)
    contact_sheet: str | None = option(None, "a picture of faces super-resolved by each form (PNG)")
    document: str | None = option(None, "a document whose part between the marks 'forms of <name>' gets the table")


def main(config: Config) -> None:
    check_flags(config)
    check_packages(config)
    model = load_convertible(Path(config.model))
    measured = faces_to_measure_on(config, model)
    calibration = faces_to_calibrate_on(config, model) if "tflite_int8" in config.to else None
    contents = {form: converted(model, form, calibration) for form in config.to}
    networks = {REFERENCE: model.reference}
    for form, content in contents.items():
        networks[form] = (to_onnx.open_onnx if form == "onnx" else to_tflite.open_tflite)(content)
    losses: Any
    if model.kind == SUPER_RESOLUTION:
        low = degrade(measured, model.size)
        face, losses = low[:1], compare_images(networks, low, measured)
        if config.contact_sheet is not None:
            columns = {name: network(low[:SHOWN]) for name, network in networks.items()}
            shown = {"lr": low[:SHOWN], **columns, "hr": measured[:SHOWN]}
            write_png(config.contact_sheet, contact_sheet(shown))
    else:
        face = (measured.faces if isinstance(measured, PairedFaces) else measured)[:1]
        losses = compare_embeddings(networks, measured, config.probe_size)
    milliseconds = cpu_milliseconds(networks, face, config.rounds)
    record: dict[str, Any] = {
        "schema": 1, "model": {"name": model.name, "sha256": model.checksum}, "input": [model.input_name, model.size],
        "forms": {}, "config": dataclasses.asdict(config), "versions": versions(),
    }  # fmt: skip
    for form, content in contents.items():
        record["forms"][form] = {
            "files": [write_file(config, form, content)],
            **dataclasses.asdict(losses[form]),
            "cpu_milliseconds": milliseconds[form],
        }
    write_json(config.output + ".json", record)
    megabytes = {REFERENCE: model.bytes / 1e6}
    megabytes |= {form: len(content) / 1e6 for form, content in contents.items()}
    table = "\n".join(loss_table(losses, megabytes, milliseconds))
    print(table)
    if config.document is not None:
        replace_between_markers(config.document, table, f"forms of {model.name}")


def converted(model: Convertible, form: str, calibration: np.ndarray | None) -> bytes:
    """The network in a form; int8 is calibrated on faces."""
    if form == "onnx":
        return to_onnx.as_onnx(model)
    return to_tflite.as_tflite(model, form.removeprefix("tflite_"), calibration)


def write_file(config: Config, form: str, content: bytes) -> dict[str, Any]:
    """Writes one form; what the record says of it."""
    file = Path(config.output + ENDINGS[form])
    with atomic_file(file) as temporary:
        temporary.write_bytes(content)
    facts: dict[str, Any] = {"file": file.name, "sha256": sha256(file), "bytes": len(content)}
    if form == "tflite_int8":
        in_float = facts["in_float"] = to_tflite.float_operations(content)
        print(f"in float32 in {file}: {', '.join(f'{count} {name}' for name, count in in_float.items())}")
    return facts


def check_flags(config: Config) -> None:
    """Refuses flags that cannot work, before anything takes time."""
    if "tflite_int8" in config.to and config.calibration_faces is None:
        raise UserError("--to=tflite_int8 needs --calibration_faces: the ranges of 8 bits come from real faces.")
    if config.pairs is not None and config.faces is None:
        raise UserError("--pairs needs --faces, the photos that the list names.")
    if config.landmarks is not None and config.pairs is None:
        raise UserError("--landmarks aligns the photos of --pairs, which is missing.")
    if config.document is not None and not Path(config.document).is_file():
        raise UserError(f"--document={config.document} is missing.")


def check_packages(config: Config) -> None:
    """Refuses forms whose packages are not installed."""
    if "onnx" in config.to:
        to_onnx.load_packages()
    if any(form.startswith("tflite") for form in config.to):
        to_tflite.load_interpreter()


def faces_to_measure_on(config: Config, model: Convertible) -> Any:
    """Faces, uint8 [N, S, S, 3], as large as the network's images, or pairs of them."""
    if config.faces is None:
        print(
            f"note: without --faces, {SYNTHETIC_FACES} synthetic faces show that the conversion works; how accurate it"
        )
        print("      is on people takes real faces.")
        return synthetic_faces(SYNTHETIC_FACES, model.high_size or model.size)
    faces = Path(config.faces)
    if config.pairs is None:
        side = model.high_size or model.size
        return sample_faces(
            faces, side, config.faces_count, config.held_out_divisor, held_out=True, template=model.template
        )
    if model.kind == SUPER_RESOLUTION:
        raise UserError(f"--pairs is for embedders; {config.model} is a super-resolution network.")
    landmarks = None if config.landmarks is None else Path(config.landmarks)
    return read_paired_faces(
        faces, landmarks, Path(config.pairs), config.pairs_per_fold, side=model.size, template=model.template
    )


def faces_to_calibrate_on(config: Config, model: Convertible) -> np.ndarray:
    """The faces that the ranges of int8 are taken from: of persons who are not measured on."""
    side = model.high_size or model.size
    folder = Path(str(config.calibration_faces))
    faces = sample_faces(
        folder, side, config.calibration_count, config.held_out_divisor, held_out=False, template=model.template
    )
    if model.kind == SUPER_RESOLUTION:
        return degrade(faces, model.size)
    # Every second one is shrunk and enlarged, as small probes are.
    faces[1::2] = shrink_to_probe(faces[1::2], config.probe_size)
    return faces


if __name__ == "__main__":
    start("lrfr_tf.cli.convert_model")

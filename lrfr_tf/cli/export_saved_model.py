"""Exports a trained network or classifier as a SavedModel for TF-Serving, and tries the export in a new process.

    lrfr export --model=runs/srgan/model --name=srgan --version=1 --output=saved_models
    lrfr export --model=facenet --name=facenet
    lrfr export --model=runs/people/heads/srgan/logistic --name=classifier \
        --embedder=facenet --super_resolver=saved_models/srgan

A classifier head is exported together with the embedder it was fitted on, and with a super-resolution network before
it if one is named. The signatures take uint8 RGB pixels, or whole image files (`<verb>_bytes`); resizing and scaling
are inside.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

from lrfr_tf.config import option, required
from lrfr_tf.errors import UserError
from lrfr_tf.export.classifier import servable_classifier
from lrfr_tf.export.embedder import servable_embedder, servable_exported_embedder, servable_facenet
from lrfr_tf.export.servable import Servable, export_saved_model, new_version
from lrfr_tf.export.super_resolution import servable_super_resolver
from lrfr_tf.files import read_json
from lrfr_tf.networks.constant_network import COMPUTE_TYPES
from lrfr_tf.networks.embedding import EMBEDDERS, load_embedder
from lrfr_tf.networks.saved_model import find_version
from lrfr_tf.networks.stored_network import PRECISIONS
from lrfr_tf.networks.super_resolution import load_super_resolver
from lrfr_tf.plural import counted
from lrfr_tf.recognition.calibration import carry_calibration


@dataclasses.dataclass(frozen=True)
class Config:
    model: str = required(
        "the model folder that a train script of networks wrote, facenet, the folder of a head that "
        "train_classifier wrote, or an exported embedder, to be stored or computed in another way"
    )
    name: str = required("what the model is called, such as srgan; tables and TF-Serving use it")
    version: int = option(1, "its version; TF-Serving takes the highest", at_least=1)
    output: str = option("saved_models", "the export is written to <output>/<name>/<version>")
    precision: str = option(
        "float32", "what the weights are stored in: float16 is half as large, int8 a quarter; the cost is printed",
        PRECISIONS,
    )  # fmt: skip
    compute: str = option(
        "float32", "what an embedder computes in: bfloat16 is faster on a CPU with AMX, elsewhere slower; the cost "
        "is printed, and the weights are stored so, too, as constants", COMPUTE_TYPES,
    )  # fmt: skip
    embedder: str | None = option(None, "what a head was fitted on: facenet, or the folder of an exported embedder")
    super_resolver: str | None = option(None, "what comes before it: an exported super-resolution network, or a run's")
    facenet_weights: str | None = option(None, "FaceNet's weight file; without it, the cache or a download")
    closed_set: bool = option(
        False, "of a head that gives probabilities: it will never be shown a stranger, so it may name every face; "
        "without this the export answers unknown"
    )  # fmt: skip


def main(config: Config) -> None:
    folder = new_version(Path(config.output), config.name, config.version)  # refused before anything takes time
    record = export_saved_model(prepare(config), Path(config.output), config.name, config.version)
    report(folder, record)
    source = calibrated(config)
    carried = carry_calibration(source, folder.parent, record) if source else None
    if carried:
        print(f"  {carried}: the calibration of {source}, whose cosines these are")
    if record["kind"] == "classifier" and record["parts"]["head"] != "cosine" and not record["closed_set"]:
        print(
            "  it cannot recognize strangers as such, so lrfr identify answers unknown; --closed_set is for those "
            "who meet none"
        )


def calibrated(config: Config) -> Path | None:
    """The export whose cosines the new one gives: what it is made of, or the embedder of a head that gives cosines."""
    if find_version(Path(config.model)) is not None:
        return find_version(Path(config.model))
    head = Path(config.model) / "head.json"
    if config.embedder and not config.super_resolver and head.is_file() and read_json(head)["kind"] == "cosine":
        return find_version(Path(config.embedder))
    return None


def prepare(config: Config) -> Servable:
    """Finds out by its files what --model is."""
    model = Path(config.model)
    weights = Path(config.facenet_weights) if config.facenet_weights else None
    if (model / "head.json").is_file():
        return prepare_classifier(config, model, weights)
    if config.embedder or config.super_resolver or config.closed_set:
        raise UserError(
            f"--embedder, --super_resolver and --closed_set go with a classifier head, and {model} is none."
        )
    version = find_version(model)
    if version is not None:
        return servable_exported_embedder(version, config.precision, config.compute)
    if config.model in ("facenet", *EMBEDDERS):
        return servable_facenet(config.model, weights, config.precision, config.compute)
    if (model / "super_resolver.json").is_file():
        if config.compute != "float32":
            raise UserError(f"--compute={config.compute} goes with an embedder, and {model} is none.")
        return servable_super_resolver(model, config.precision)
    if any(model.glob("*.weights.h5")):
        return servable_embedder(model, config.precision, config.compute)
    raise UserError(
        f"--model={model} holds no super_resolver.json, no <backbone>.weights.h5 and no head.json, and is not facenet."
    )


def prepare_classifier(config: Config, head: Path, weights: Path | None) -> Servable:
    """A head with the networks before it."""
    if not config.embedder:
        raise UserError(f"{head} is a classifier head; say with --embedder what it was fitted on.")
    if config.precision != "float32" or config.compute != "float32":
        raise UserError("--precision and --compute are for networks; a classifier takes its embedder as it is.")
    super_resolver = load_super_resolver(Path(config.super_resolver)) if config.super_resolver else None
    return servable_classifier(head, load_embedder(config.embedder, weights), super_resolver, config.closed_set)


def report(folder: Path, record: dict[str, Any]) -> None:
    """Prints what was exported, how large it is and how far it is from the live model."""
    print(f"{folder}: {record['bytes'] / 1e6:.2f} MB, {record['parameters']:,} parameters as {record['stored_as']}")
    for name, signature in record["signatures"].items():
        print(f"  {name}: {json.dumps(signature['inputs'])} -> {json.dumps(signature['outputs'])}")
    for key, what in (
        ("cost_of_folding", "batch norm folded"),
        ("cost_of_precision", f"stored as {record['stored_as']}"),
        ("cost_of_compute", f"computing in {record.get('computes_in')}"),
    ):
        if key in record:
            print(f"  {what}, against the same without it: {describe_cost(record[key])}")
    check = record["check"]
    print(
        f"  checked in a new process: {counted(check['requests'], 'request')}; {check['differing']} of "
        f"{check['places']} values "
        f"differ from the live model's, by up to {check['largest_difference']:g}"
    )


def describe_cost(cost: dict[str, float]) -> str:
    """What a smaller or faster form of a network costs."""
    if "smallest_cosine" in cost:
        return f"cosine of the embeddings at least {cost['smallest_cosine']:.6f}, on average {cost['mean_cosine']:.6f}"
    return (
        f"{cost['share_of_values_that_differ']:.2%} of the values differ, by up to {cost['largest_levels']} levels and "
        f"{cost['mean_levels']:.4f} on average"
    )

"""Exports a trained network as a SavedModel for TF-Serving, and tries the export in a new process.

    python tools/export_saved_model.py --model=runs/srgan/model --name=srgan --version=1 --output=saved_models

The signatures take uint8 RGB pixels, or whole image files (`<verb>_bytes`); resizing and scaling are inside.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

from lrfr_tf.config import option, required
from lrfr_tf.main import run
from lrfr_tf.recognition.export import export_saved_model, new_version
from lrfr_tf.recognition.export_embedder import servable_embedder
from lrfr_tf.recognition.export_super_resolution import servable_super_resolver


@dataclasses.dataclass(frozen=True)
class Config:
    model: str = required("the model folder that train_srcnn, train_srgan or train_siamese wrote")
    name: str = required("what the model is called, such as srgan; tables and TF-Serving use it")
    version: int = option(1, "its version; TF-Serving takes the highest", at_least=1)
    output: str = option("saved_models", "the export is written to <output>/<name>/<version>")
    half_precision: bool = option(False, "store the weights as float16: half the size, and what it costs is printed")


def main(config: Config) -> None:
    folder = new_version(Path(config.output), config.name, config.version)  # refused before anything takes time
    model = Path(config.model)
    # train_siamese writes weights by the name of their backbone, the others a whole network.
    prepare = servable_embedder if any(model.glob("*.weights.h5")) else servable_super_resolver
    servable = prepare(model, config.half_precision)
    record = export_saved_model(servable, Path(config.output), config.name, config.version)
    report(folder, record)


def report(folder: Path, record: dict[str, Any]) -> None:
    """Prints what was exported, how large it is and how far it is from the live model."""
    print(f"{folder}: {record['bytes'] / 1e6:.2f} MB, {record['parameters']:,} parameters as {record['stored_as']}")
    for name, signature in record["signatures"].items():
        print(f"  {name}: {json.dumps(signature['inputs'])} -> {json.dumps(signature['outputs'])}")
    for key, what in (("cost_of_folding", "batch norm folded"), ("cost_of_half_precision", "half precision")):
        if key in record:
            print(f"  {what}, against the float32 network as it was trained: {cost_in_words(record[key])}")
    check = record["check"]
    print(
        f"  checked in a new process: {check['requests']} requests; {check['differing']} of {check['places']} values "
        f"differ from the live model's, by up to {check['largest_difference']:g}"
    )


def cost_in_words(cost: dict[str, float]) -> str:
    """What a smaller or faster form of a network costs."""
    if "smallest_cosine" in cost:
        return f"cosine of the embeddings at least {cost['smallest_cosine']:.6f}, on average {cost['mean_cosine']:.6f}"
    return (
        f"{cost['share_of_values_that_differ']:.2%} of the values differ, by up to {cost['largest_levels']} levels and "
        f"{cost['mean_levels']:.4f} on average"
    )


if __name__ == "__main__":
    run(main, Config)

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
from lrfr_tf.recognition.export_super_resolution import servable_super_resolver


@dataclasses.dataclass(frozen=True)
class Config:
    model: str = required("the model folder that train_srcnn or train_srgan wrote")
    name: str = required("what the model is called, such as srgan; tables and TF-Serving use it")
    version: int = option(1, "its version; TF-Serving takes the highest", at_least=1)
    output: str = option("saved_models", "the export is written to <output>/<name>/<version>")
    half_precision: bool = option(False, "store the weights as float16: half the size, and what it costs is printed")


def main(config: Config) -> None:
    folder = new_version(Path(config.output), config.name, config.version)  # refused before anything takes time
    servable = servable_super_resolver(Path(config.model), config.half_precision)
    record = export_saved_model(servable, Path(config.output), config.name, config.version)
    report(folder, record)


def report(folder: Path, record: dict[str, Any]) -> None:
    """Prints what was exported, how large it is and how far it is from the live model."""
    print(f"{folder}: {record['bytes'] / 1e6:.2f} MB, {record['parameters']:,} parameters as {record['stored_as']}")
    for name, signature in record["signatures"].items():
        print(f"  {name}: {json.dumps(signature['inputs'])} -> {json.dumps(signature['outputs'])}")
    if "cost_of_half_precision" in record:
        cost = record["cost_of_half_precision"]
        print(
            f"  half precision against float32: {cost['share_of_values_that_differ']:.2%} of the values differ, by up "
            f"to {cost['largest_levels']} levels and {cost['mean_levels']:.4f} on average"
        )
    check = record["check"]
    print(
        f"  checked in a new process: {check['requests']} requests; {check['differing']} of {check['places']} pixels "
        f"differ from the live model's, by up to {check['largest_difference']:g}"
    )


if __name__ == "__main__":
    run(main, Config)

"""Mixes the weights of a fine-tuned network with those it began with: share x fine-tuned + (1 - share) x begun.

    python tools/mix_weights.py --model=runs/ship_siamese/model --share=0.8 --output=runs/ship_siamese/mixed

It began with FaceNet, or with the network of another run (--other_model).

A network between the two keeps more of what it knew, here of sharp faces, than what it gives up of what it learned
(Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022). The output is a model folder like the first.
"""

import dataclasses
from pathlib import Path

import numpy as np

from lrfr_tf.config import option, required
from lrfr_tf.errors import UserError
from lrfr_tf.files import folder_written_whole, write_json
from lrfr_tf.main import run
from lrfr_tf.models.backbone import folded_trunk
from lrfr_tf.models.facenet import TRUNK
from lrfr_tf.recognition.export_embedder import load_backbone
from lrfr_tf.weights.backbone import MIX_RECORD, save_weights, template_of_weights, write_embedder_record
from lrfr_tf.weights.facenet import load_facenet_128
from lrfr_tf.weights.sample_package import fetch_facenet_weights


@dataclasses.dataclass(frozen=True)
class Config:
    model: str = required("the model folder that train_siamese wrote, of the backbone facenet")
    output: str = required("the model folder to write")
    share: float = option(0.8, "share of the fine-tuned weights, 0 to 1", at_least=0)
    other_model: str | None = option(None, "the model folder of the run that it began with; default: FaceNet 128-D")
    facenet_weights: str | None = option(None, "a file with FaceNet's 128-D weights; default: the cache")


def main(config: Config) -> None:
    if config.share > 1:
        raise UserError(f"--share={config.share} is out of range; it must be at most 1.")
    network, file = load_backbone(Path(config.model))
    if not file.name.startswith("facenet."):
        raise UserError(f"{file} is not of the backbone facenet, which alone begins with published weights.")
    trunk = network.get_layer(TRUNK)
    trunk.set_weights(mixed(trunk.get_weights(), begun(config, file.name), config.share))
    record = {"model": config.model, "share": config.share}
    if config.other_model:
        record["other_model"] = config.other_model
    with folder_written_whole(Path(config.output)) as temporary:
        save_weights(network, temporary / file.name)
        write_json(temporary / MIX_RECORD, record)
        write_embedder_record(temporary, template_of_weights(file.parent), int(network.input_shape[1]))
    print(
        f"{config.output}: {config.share:g} of {file}, {1 - config.share:g} of {config.other_model or 'FaceNet 128-D'}"
    )


def begun(config: Config, file: str) -> list[np.ndarray]:
    """The weights of the trunk that the network began with."""
    if config.other_model:
        network, other_file = load_backbone(Path(config.other_model))
        if other_file.name != file:
            raise UserError(f"{other_file} is of another backbone than {config.model}.")
        if template_of_weights(other_file.parent) != template_of_weights(Path(config.model)):
            raise UserError(f"{other_file} was trained on another template than {config.model}.")
        return network.get_layer(TRUNK).get_weights()
    published = load_facenet_128(Path(config.facenet_weights) if config.facenet_weights else fetch_facenet_weights())
    return folded_trunk(published).get_weights()


def mixed(first: list[np.ndarray], second: list[np.ndarray], share: float) -> list[np.ndarray]:
    """share * first + (1 - share) * second, array by array."""
    return [share * a + (1 - share) * b for a, b in zip(first, second, strict=True)]


if __name__ == "__main__":
    run(main, Config)

"""Mixing the weights of two runs: the shares, the record, refusals."""

from pathlib import Path

import keras
import numpy as np

from lrfr_tf.files import read_json
from lrfr_tf.main import run
from lrfr_tf.models.backbone import backbone
from lrfr_tf.weights.backbone import write_embedder_record
from tests.small_convertible import write_small_backbone
from tests.tools.conftest import Refused, Tool


def write_facenet(folder: Path, value: float) -> Path:
    """A network all of whose weights are one number."""
    network = backbone("facenet")
    network.set_weights([np.full_like(weight, value) for weight in network.get_weights()])
    folder.mkdir(parents=True)
    network.save_weights(folder / "facenet.weights.h5")
    keras.utils.clear_session()
    return folder


def test_the_share_is_that_of_the_model(tool: Tool, refused: Refused, tmp_path: Path) -> None:
    model, other = write_facenet(tmp_path / "new" / "model", 2.0), write_facenet(tmp_path / "old" / "model", 4.0)
    mix = tool("mix_weights")
    flags = [f"--model={model}", f"--other_model={other}", f"--output={tmp_path}/mixed"]
    assert "--share=1.5 is out of range" in refused(mix, *flags, "--share=1.5")
    run(mix.main, mix.Config, ["script", *flags, "--share=0.75"])
    network = backbone("facenet")
    network.load_weights(tmp_path / "mixed" / "facenet.weights.h5")
    assert all((weight == 2.5).all() for weight in network.get_weights())
    record = read_json(tmp_path / "mixed" / "mix.json")
    assert record == {"model": str(model), "other_model": str(other), "share": 0.75}
    assert read_json(tmp_path / "mixed" / "embedder.json")["template"] == "lai"
    write_embedder_record(other, "centred", 128)
    assert "facenet.weights.h5 was trained on another template than" in refused(mix, *flags)
    small = write_small_backbone(tmp_path / "small" / "model")
    assert "is of another backbone than" in refused(mix, *flags, f"--other_model={small}")
    message = refused(mix, f"--model={small}", f"--output={tmp_path}/none")
    assert "is not of the backbone facenet" in message
    assert not (tmp_path / "none").exists()

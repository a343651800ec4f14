"""Warm-up files: what TF-Serving reads of them, replayed against the signatures; and saved_model_cli on the exports."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from lrfr_tf.export.servable import export_saved_model
from lrfr_tf.export.warm_up import WARM_UP_FILE, read_warm_up
from lrfr_tf.files import read_json
from lrfr_tf.networks.synthetic_faces import synthetic_files
from tests.tf_serving.conftest import SAVED_MODELS
from tests.tf_serving.small_models import servable_classifier

VERSIONS = sorted(path.parent for path in SAVED_MODELS.glob("*/*/saved_model.pb"))
MOST_RECORDS = 1000


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of a few lines, through the export that the others went through."""
    output = tmp_path_factory.mktemp("export")
    export_saved_model(servable_classifier(), output, "classifier", 1)
    return output / "classifier" / "1"


def replay(version: Path, all_of_them: bool = False) -> None:
    """Reads the file as the server does, and calls every signature with its requests, or with the smallest of them."""
    file = version / WARM_UP_FILE
    logs = [PredictionLog.FromString(record.numpy()) for record in tf.data.TFRecordDataset(str(file))]
    assert 0 < len(logs) <= MOST_RECORDS
    loaded = tf.saved_model.load(str(version))
    assert {log.WhichOneof("log_type") for log in logs} == {"predict_log"}
    specifications = [log.predict_log.request.model_spec for log in logs]
    assert {specification.name for specification in specifications} == {version.parent.name}
    assert {specification.signature_name for specification in specifications} == set(loaded.signatures)
    requests = list(read_warm_up(version))
    if not all_of_them:
        by_size = sorted(requests, key=lambda request: sum(array.nbytes for array in request.inputs.values()))
        requests = list({request.signature: request for request in reversed(by_size)}.values())
    for request in requests:
        signature = loaded.signatures[request.signature]
        forms = signature.structured_input_signature[1]
        inputs = {name: tf.constant(array, forms[name].dtype) for name, array in request.inputs.items()}
        outputs = signature(**inputs)
        count = len(next(iter(request.inputs.values())))
        assert all(len(output) == count for output in outputs.values())


def test_there_are_exports() -> None:
    assert {path.parent.name for path in VERSIONS} >= {"siamese", "srcnn", "srgan", "srresnet"}


@pytest.mark.parametrize("version", VERSIONS, ids=lambda path: path.parent.name)
def test_the_warm_up_requests_are_answered(version: Path) -> None:
    replay(version)


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS, ids=lambda path: path.parent.name)
def test_all_warm_up_requests_are_answered(version: Path) -> None:
    replay(version, all_of_them=True)


def test_the_export_writes_such_requests(exported: Path) -> None:
    replay(exported, all_of_them=True)


def saved_model_cli(*words: str) -> str:
    script = "from tensorflow.python.tools.saved_model_cli import main; main()"
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS, ids=lambda path: path.parent.name)
def test_saved_model_cli_shows_every_signature_and_runs_one_of_each_kind(version: Path, tmp_path: Path) -> None:
    words = ["--dir", str(version), "--tag_set", "serve"]
    shown = saved_model_cli("show", "--dir", str(version), "--all")
    smallest = {request.signature: request for request in reversed(list(read_warm_up(version)))}
    signatures = read_json(version / "model.json")["signatures"]
    assert all(f"signature_def['{name}']" in shown for name in signatures)
    # Each run is a process that loads the network. `test_all_warm_up_requests_are_answered` asks the other signatures.
    of_kinds = {next(iter(signature["inputs"].values()))[0]: name for name, signature in signatures.items()}
    assert of_kinds.keys() == {"uint8", "string"}
    for name in of_kinds.values():
        signature = signatures[name]
        for key, array in smallest[name].inputs.items():
            # Files go as fixed-width bytes, which lose zeros at their ends: of a PNG there are none.
            whole = array if array.dtype != object else synthetic_files()[1:2].astype(bytes)
            np.save(tmp_path / f"{key}.npy", whole, allow_pickle=False)
        inputs = ";".join(f"{key}={tmp_path / key}.npy" for key in signature["inputs"])
        ran = saved_model_cli("run", *words, "--signature_def", name, "--inputs", inputs)
        assert all(f"Result for output key {key}" in ran for key in signature["outputs"])

"""The export on this machine that a server answers with: what the server does not tell about it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lrfr_tf.errors import UserError
from lrfr_tf.networks.model_lookup import find_model
from lrfr_tf.networks.saved_model import RECORD, read_record
from lrfr_tf.recognition.calibration import DecisionRule, Threshold
from lrfr_tf.recognition.classifier_threshold import threshold_of_classifier
from lrfr_tf.tf_serving.client import ServedModel, ServedSignature, TensorForm


@dataclass(frozen=True)
class LocalExport:
    """A version folder such as saved_models/people/1, and its record."""

    version: Path
    record: dict[str, Any]

    def threshold(self, rule: DecisionRule) -> Threshold:
        """From which score on a name of this classifier is given, as the local recognizer has it.

        Raises:
            UserError: it is no classifier, or see `threshold_of_classifier`.
        """
        if self.record["kind"] != "classifier":
            raise UserError(f"{self.version} holds a model of the kind {self.record['kind']}, not a classifier.")
        facts = self.record["parts"], self.record.get("closed_set", False), self.record["sha256"]
        return threshold_of_classifier(self.version, *facts, rule=rule)


def find_export(folder: str, model: ServedModel, signature: ServedSignature) -> LocalExport:
    """Finds the export that a server answers with among the local ones.

    Args:
        folder: a path, or a name as `find_model` takes it: of a version, or of a folder of versions.

    Raises:
        UserError: there is none of this version, it is damaged, or it is evidently another model.
    """
    version = find_model(folder)
    if not (version / RECORD).is_file():
        version /= str(model.version)
    if not (version / RECORD).is_file():
        raise UserError(f"{folder} holds no export of version {model.version}, with which the server answers.")
    record = read_record(version)
    if record["version"] != model.version:
        raise UserError(f"{version} is version {record['version']}, but the server answers with {model.version}.")
    told = record["signatures"].get(signature.name, {}).get("outputs", {})
    if {name: TensorForm(dtype, tuple(shape)) for name, (dtype, shape) in told.items()} != signature.outputs:
        raise UserError(f"{version} is another model than {model.name} of the server: its answers have other shapes.")
    return LocalExport(version, record)

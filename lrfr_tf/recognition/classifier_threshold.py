"""From which score on an exported classifier gives a name. Its record and its calibration tell; nothing is loaded."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lrfr_tf.errors import UserError
from lrfr_tf.networks.head_kinds import TEMPLATE_KIND
from lrfr_tf.recognition.calibration import DecisionRule, Threshold, read_calibration

# A head that gives probabilities knows nobody but its own classes. Half says that one name is likelier than all the
# others together; it does not say how often a stranger reaches it.
LEAST_PROBABILITY = 0.5


def threshold_of_classifier(
    version: Path, parts: Mapping[str, Any], closed_set: bool, checksum: str, *, rule: DecisionRule
) -> Threshold:
    """The threshold of one that compares with templates comes from the calibration beside it.

    One that gives probabilities cannot tell strangers: it names nobody, unless it was exported as a closed set.

    Args:
        version: the version folder of the export, such as saved_models/people/1.
        parts, closed_set, checksum: of its record: "parts", "closed_set" and the SHA-256 of its content.
        rule: what a name must keep.

    Raises:
        UserError: a threshold must be given, as there is no calibration; or see `read_calibration`.
    """
    if parts["head"] != TEMPLATE_KIND:
        if not closed_set:
            return Threshold(None, "none")
        return Threshold(LEAST_PROBABILITY if rule.threshold is None else rule.threshold, "closed_set")
    strangers = None if rule.threshold is not None else read_calibration(version, checksum)
    if strangers is None and rule.threshold is None:
        raise UserError(
            f"{version} compares with templates and has no calibration.json: export it anew with a calibrated "
            "`embedder` (lrfr calibrate), or give `threshold` (a cosine)."
        )
    return rule.threshold_for(strangers, parts["classes"])

"""Scores of a served classifier -> decisions, by the threshold of the local recognizer."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lrfr_tf.recognition.calibration import KNOWN, Threshold

CANNOT_SAY = "cannot_say"  # where nobody knows from which score on a name is to be given


def decided(outputs: Mapping[str, np.ndarray], threshold: Threshold | None) -> dict[str, Any]:
    """What is to be held of the identities of one face: "decision", "name", "threshold" and "decided_by".

    Args:
        outputs: "identity", str [k], and "score", float32 [k], the best first.
        threshold: from which score on a name is given; None: not known.
    """
    if threshold is None:
        return {"decision": CANNOT_SAY, "name": None, "threshold": None, "decided_by": None}
    decision = threshold.decision(float(outputs["score"][0]))
    name = str(outputs["identity"][0]) if decision == KNOWN else None
    return {"decision": decision, "name": name, "threshold": threshold.score, "decided_by": threshold.as_json()}

"""Who is measured against whom, and what is measured of those who are there."""

import logging
import subprocess
from collections.abc import Mapping
from pathlib import Path

from lrfr_tf.speed.interleaved import PeerProgram, Times

_logger = logging.getLogger(__name__)

OURS = "lrfr-tf"
FACENET_PYTORCH = "facenet-pytorch"
BFLOAT16 = ", bfloat16"  # after the name of a peer, or of a call of it
MATRIX_PRODUCT = "matrix product"


def programs(stage: str, peers_python: str, others: Mapping[str, str]) -> list[PeerProgram]:
    """Ours, facenet-pytorch if its environment is there, and others that run in our own environment.

    Without that environment one sentence on stderr says that facenet-pytorch is left out.

    Args:
        stage: "detect" or "embed".
        peers_python: the Python of the environment that tools/repository/make_peers_environment.sh makes.
        others: name of a peer -> the last name of the module of this package that serves it.
    """
    package = "lrfr_tf.speed"
    found = [PeerProgram(OURS, f"{package}.ours_{stage}")]
    if _has_facenet_pytorch(peers_python):
        found.append(PeerProgram(FACENET_PYTORCH, f"{package}.facenet_pytorch_{stage}", peers_python))
    else:
        reason = f"{peers_python} has no facenet-pytorch; tools/repository/make_peers_environment.sh makes it"
        _logger.warning("%s is left out: %s.", FACENET_PYTORCH, reason)
    return found + [PeerProgram(name, f"{package}.{module}") for name, module in others.items()]


def _has_facenet_pytorch(python: str) -> bool:
    if not Path(python).exists():
        return False
    look = "import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, ('torch', 'facenet_pytorch'))))"
    return subprocess.run([python, "-c", look], capture_output=True).returncode == 0


def peak_memory(times: Mapping[str, Times]) -> dict[str, float]:
    """Name -> the largest resident memory of its process, in 10^6 bytes."""
    return {name: some.peak_memory_mb for name, some in times.items()}

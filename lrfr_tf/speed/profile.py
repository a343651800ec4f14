"""Where the CPU time of a network goes, by oneDNN's own log; TensorFlow and PyTorch both compute with it."""

from pathlib import Path

from lrfr_tf.speed.interleaved import Peer, PeerProgram

CALLS = 20


def onednn_profile(program: PeerProgram, inputs: Path, call: str) -> dict[str, float]:
    """Milliseconds of CPU time of a call on one thread, by kind of operation; "everything else" is not oneDNN's.

    Args:
        program: whom to ask; its process is started for this alone.
        inputs: the folder of the inputs.
        call: which of its calls.
    """
    environment = {**program.environment, "ONEDNN_VERBOSE": "1"}
    peer = Peer(PeerProgram(program.name, program.module, program.python, environment), inputs, 1)
    try:
        times = peer.time(call, CALLS)
    finally:
        log = peer.close()
    # The log is by the clock; on a busy machine the process waits everywhere alike.
    working = sum(times.cpu) / sum(times.wall)
    milliseconds = {
        kind: round(working * by_clock, 2) for kind, by_clock in milliseconds_by_kind(log, CALLS + 1).items()
    }
    whole = 1000 * sum(times.cpu) / len(times.cpu)
    return {**milliseconds, "everything else": round(whole - sum(milliseconds.values()), 2)}


def milliseconds_by_kind(log: str, calls: int) -> dict[str, float]:
    """Milliseconds of a call in each kind of primitive, the longest first, out of the lines of ONEDNN_VERBOSE=1.

    Such a line is `onednn_verbose,...,exec,cpu,<kind>,...,<milliseconds>`.
    """
    total: dict[str, float] = {}
    for line in log.splitlines():
        cells = line.split(",")
        if line.startswith("onednn_verbose") and "exec" in cells:
            kind = cells[cells.index("exec") + 2]
            total[kind] = total.get(kind, 0.0) + float(cells[-1])
    return {kind: round(total[kind] / calls, 2) for kind in sorted(total, key=lambda kind: -total[kind])}

"""Rows and a result file with figures that are easy to calculate with."""

import dataclasses
from pathlib import Path

from lrfr_tf.speed.record import Row, write_result
from lrfr_tf.speed.targets import BATCHED


def row(stage: str, case: str, peer: str, cpu: float, wall: float, batch: int = 1, threads: int = 1) -> Row:
    return Row(stage, case, peer, threads, batch, 7, wall, wall - 0.25, cpu, cpu - 0.25)


def write_detect_result(path: Path) -> Path:
    """Two cases and three peers."""
    rows = [
        row("detect", "photos", "lrfr-tf", 10, 5), row("detect", "photos", "facenet-pytorch", 25, 30),
        row("detect", "photos", "mtcnn", 29, 90), row("detect", BATCHED, "lrfr-tf", 2, 3, 64),
        row("detect", BATCHED, "mtcnn", 4, 3, 64), row("detect", BATCHED, "facenet-pytorch", 1, 3, 64),
    ]  # fmt: skip
    rows = [dataclasses.replace(one, faces=12) for one in rows]
    same = {"photos": {"mtcnn": {"ours": 12, "theirs": 11, "both": 10, "mean_iou": 0.987, "smallest_iou": 0.9}}}
    peers = {"facenet-pytorch": {"version": "2.6.0", "torch": "2.13.0", "largest_difference_of_weights": 0.0,
                                 "share_of_suppression": {"photos": 0.07}}}  # fmt: skip
    facts = {"same_faces": same, "images": {"photos": 8}, "peers": peers, "peak_memory_mb": {"1": {"lrfr-tf": 857.1}}}
    write_result(path, "detect", rows, facts)
    return path

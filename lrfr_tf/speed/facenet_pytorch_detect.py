"""Serves facenet-pytorch's MTCNN, with the weights in its wheel; runs in the peers' environment, without TensorFlow."""

import importlib.metadata
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lrfr_tf.speed.torch_boxes import stand_in_for_torchvision
from lrfr_tf.speed.worker import Call, flattened_faces, read_lists, serve


def prepare(folder: Path, threads: int) -> tuple[dict[str, Call], dict[str, Any]]:
    """Single images are detected one by one, a batch as one."""
    torch.set_num_threads(threads)
    suppression = stand_in_for_torchvision()
    from facenet_pytorch import MTCNN

    settings = json.loads((folder / "detect.json").read_text())
    detector = MTCNN(keep_all=True, min_face_size=settings["min_face_size"], thresholds=settings["thresholds"])

    def boxes_of(images: np.ndarray) -> list[np.ndarray]:
        found, _, _ = detector.detect(images, landmarks=True)
        return [np.empty((0, 4)) if boxes is None else np.array(boxes, float) for boxes in found]

    def call(images: list[np.ndarray], together: bool) -> Call:
        groups = [np.stack(images)] if together else [image[None] for image in images]
        return lambda: flattened_faces([boxes for group in groups for boxes in boxes_of(group)])

    inputs = read_lists(folder / "detect.npz")
    calls = {case: call(images, case in settings["together"]) for case, images in inputs.items()}
    facts = {
        "version": importlib.metadata.version("facenet-pytorch"),
        "torch": torch.__version__,
        "largest_difference_of_weights": _difference_of_weights(detector, folder / "mtcnn.npz"),
        "share_of_suppression": _share_of_suppression(calls, suppression),
    }
    return calls, facts


def _difference_of_weights(detector: Any, ours: Path) -> float:
    """How far the sorted weights of the three nets are from ours; the frameworks lay them out in different orders."""
    nets = {"proposal_net": detector.pnet, "refinement_net": detector.rnet, "output_net": detector.onet}
    differences = []
    with np.load(ours, allow_pickle=False) as arrays:
        for name, net in nets.items():
            own = np.sort(np.concatenate([arrays[key].ravel() for key in arrays.files if key.startswith(name)]))
            theirs = np.sort(np.concatenate([value.numpy().ravel() for value in net.state_dict().values()]))
            differences.append(float(np.abs(own - theirs).max()) if own.shape == theirs.shape else float("inf"))
    return max(differences)


def _share_of_suppression(calls: dict[str, Call], suppression: Any) -> dict[str, float]:
    """Case -> the share of CPU time that goes into the stand-in for torchvision."""
    shares = {}
    for case, call in calls.items():
        call()
        before, started = suppression.cpu_seconds, time.process_time()
        call()
        shares[case] = round((suppression.cpu_seconds - before) / (time.process_time() - started), 4)
    return shares


if __name__ == "__main__":
    serve(prepare)

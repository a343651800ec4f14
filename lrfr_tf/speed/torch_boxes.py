"""What facenet-pytorch 2.6.0 takes from torchvision, which does not load beside the torch that is pinned here.

It uses one function of it, suppression of overlapping boxes; the rest are names that it imports and that detection and
embedding never call. The time that the stand-in takes is counted apart, so that nobody needs to trust it.
"""

import sys
import time
import types

import numpy as np
import torch


class Suppression:
    """`torchvision.ops.boxes.batched_nms`, in NumPy; `cpu_seconds` is what it took so far."""

    def __init__(self) -> None:
        self.cpu_seconds = 0.0

    def __call__(
        self, boxes: torch.Tensor, scores: torch.Tensor, groups: torch.Tensor, threshold: float
    ) -> torch.Tensor:
        started = time.process_time()
        kept = _suppress(boxes.numpy(), scores.numpy(), groups.numpy(), threshold)
        self.cpu_seconds += time.process_time() - started
        return torch.from_numpy(kept)


def _suppress(boxes: np.ndarray, scores: np.ndarray, groups: np.ndarray, threshold: float) -> np.ndarray:
    """The boxes [n, 4] that no better one of their group overlaps by more than the threshold: int64, best first."""
    if len(boxes) == 0:
        return np.empty(0, np.int64)
    # Boxes of different groups are moved apart, so that one pass does for all.
    boxes = boxes + (groups * (boxes.max() + 1))[:, None]
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    order, kept = np.argsort(-scores, kind="stable"), []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        left_top = np.maximum(boxes[best, :2], boxes[order, :2])
        sides = np.clip(np.minimum(boxes[best, 2:], boxes[order, 2:]) - left_top, 0, None)
        shared = sides[:, 0] * sides[:, 1]
        order = order[shared <= threshold * (areas[best] + areas[order] - shared)]
    return np.array(kept, np.int64)


def stand_in_for_torchvision() -> Suppression:
    """Puts the stand-in where facenet-pytorch looks for torchvision; call it before importing facenet-pytorch."""
    suppression = Suppression()
    names = ("", ".ops", ".ops.boxes", ".transforms", ".transforms.functional")
    modules = {name: types.ModuleType(f"torchvision{name}") for name in names}
    modules[".ops.boxes"].batched_nms = suppression  # type: ignore[attr-defined]
    modules[".transforms"].functional = modules[".transforms.functional"]  # type: ignore[attr-defined]
    sys.modules.update({f"torchvision{name}": module for name, module in modules.items()})
    return suppression

"""The benchmarks' main figures of a network that is still being trained."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from lrfr_tf.benchmarks.registry import find_benchmarks, missing, registered
from lrfr_tf.errors import UserError
from lrfr_tf.models.facenet import UnitLength
from lrfr_tf.networks.embedders import KerasEmbedder


def find_chosen_benchmarks(root: Path, names: Sequence[str]) -> dict[str, Path]:
    """Finds benchmarks below a folder: name -> folder, in the order of `names`.

    Raises:
        UserError: one of `names` is not there.
    """
    folders = find_benchmarks(root)
    for name in registered():
        if name in names and name not in folders:
            raise UserError(f"`eval_benchmarks`={','.join(names)}: {missing(root, name)}")
    return {name: folders[name] for name in names}


class Benchmarks:
    """Measures a network, as it is at each call, with the benchmarks' default settings.

    LFW's aligned faces are kept in memory (0.4 GB), everything else is read anew at each call.

    Args:
        folders: as `find_chosen_benchmarks` finds them.
        network: float images [N, 128, 128, 3] in 0..255 -> features.
        template: what the faces it is trained on lie on; None is "lai".
        landmarks: a folder for the landmarks that MTCNN finds where the tree has no tables; they are read there later.

    Raises:
        UserError: something of a benchmark is missing.
    """

    def __init__(
        self, folders: Mapping[str, Path], network: keras.Model, landmarks: Path, template: str | None = None
    ) -> None:
        model = keras.Model(network.inputs[0], UnitLength(dtype="float32")(network.outputs[0]))
        self._embedder = KerasEmbedder(model, "the network in training", template=template)
        self._prepared = {name: self._prepare(name, folder, landmarks) for name, folder in folders.items()}

    def __call__(self) -> dict[str, float]:
        """The figures that papers report, in per cent: "lfw/8 px", "scface/distance 1, rank-1" ..."""
        figures: dict[str, float] = {}
        for name, (faces, settings) in self._prepared.items():
            benchmark = registered()[name]
            found = benchmark.main_figures(benchmark.evaluate(faces, self._embedder, settings).figures)
            figures |= {f"{name}/{figure}": value for figure, value in found.items()}
        return figures

    def _prepare(self, name: str, folder: Path, landmarks: Path) -> tuple[Any, Any]:
        """The faces of a benchmark, and the settings that they are measured with."""
        benchmark = registered()[name]
        found = benchmark.settings_in(folder, None, landmarks, _ignore)
        if found.get("landmarks") is None:  # an earlier evaluation may have kept what was detected
            found = benchmark.settings_in(folder, landmarks, landmarks, _ignore)
        settings = benchmark.settings(model=self._embedder.name, output="", **found)
        data = benchmark.read(settings, _ignore)
        return benchmark.prepare(data, self._embedder, settings, _ignore), settings


def _ignore(note: str) -> None:
    """What is missing of a benchmark decides nothing in a training."""

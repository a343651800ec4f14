"""What a benchmark is to its command line, to a network in training and to the command that runs all of them."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

from lrfr_tf.benchmarks.published import Published
from lrfr_tf.networks.embedding import Embedder

Note = Callable[[str], None]  # is told one thing more, in a sentence

SettingsT = TypeVar("SettingsT")
DataT = TypeVar("DataT")
FacesT = TypeVar("FacesT")


@dataclasses.dataclass(frozen=True)
class Measured:
    """What a benchmark found out about an embedder.

    Attributes:
        protocol: in words.
        figures: counts, figures and checksums, as they stand in the result; shares in [0, 1].
        curves: what `draw` draws.
    """

    protocol: str
    figures: dict[str, Any]
    curves: Any = None


class Benchmark(Protocol[SettingsT, DataT, FacesT]):
    """Faces with a protocol, by which any embedder can be measured.

    Attributes:
        name: as results and flags call it.
        settings: a dataclass of `lrfr_tf.config.option`, with `output` and what `benchmark_result.embedder_of` needs.
    """

    name: str
    settings: type[SettingsT]

    def read(self, settings: SettingsT, note: Note) -> DataT:
        """Reads the lists and finds the images: what takes no time.

        Raises:
            UserError: something is missing or cannot be read.
        """

    def prepare(self, data: DataT, embedder: Embedder, settings: SettingsT, note: Note) -> FacesT:
        """What stays the same for an embedder whose weights change, such as aligned faces.

        Raises:
            UserError: an image cannot be read, or the settings do not suit the embedder.
        """

    def evaluate(self, faces: FacesT, embedder: Embedder, settings: SettingsT) -> Measured:
        """Measures an embedder.

        Raises:
            UserError: an image cannot be read, or a baseline is of other images.
        """

    def table(self, result: dict[str, Any]) -> list[str]:
        """A result as lines of text, in per cent."""

    def draw(self, output: Path, name: str, curves: Any) -> None:
        """Draws the curves of an embedder called `name` beside its result."""


class RegisteredBenchmark(Benchmark[SettingsT, DataT, FacesT], Protocol[SettingsT, DataT, FacesT]):
    """A benchmark that is found in a folder of all of them.

    Attributes:
        folder: its folder in there; letter case does not matter.
        published: what others measured.
    """

    folder: str
    published: tuple[Published, ...]

    def settings_in(self, folder: Path, tables: Path | None, keep: Path, note: Note) -> dict[str, Any]:
        """The settings that say where the images and lists are.

        Args:
            folder: the benchmark's own.
            tables: a folder of landmark tables; without it they are looked for beside the images.
            keep: a folder for the landmarks that are detected where there is no table.

        Raises:
            UserError: a list is missing.
        """

    def main_figures(self, result: Mapping[str, Any]) -> dict[str, float]:
        """The figures that papers report, in per cent."""

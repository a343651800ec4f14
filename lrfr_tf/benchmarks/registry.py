"""The benchmarks that there are, and the folder of all of them. Nothing heavy is imported before one is loaded.

The folder is as the README of the deep Siamese network lays it out; letter case does not matter:

    <root>/LFW/lfw/<Name>/                     with pairs.txt in LFW/ or LFW/lfw/
    <root>/SCface/SCface_database/
    <root>/QMUL-SurvFace/QMUL-SurvFace/        or once only
    <root>/TinyFace/tinyface/                  or once only

Landmark tables (LFW.csv, scface_mugshot.csv ...) may lie in those folders, or in one folder for all.
"""

import dataclasses
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lrfr_tf.errors import UserError

if TYPE_CHECKING:
    from lrfr_tf.benchmarks.interface import Benchmark, RegisteredBenchmark


@dataclasses.dataclass(frozen=True)
class Entry:
    """A benchmark by its name.

    Attributes:
        name: as the class says it, too.
        place: "<module>:<class>" of a `Benchmark`.
        text: what it measures, in one line.
        in_folder: it is a `RegisteredBenchmark`, found in a folder of all of them.
    """

    name: str
    place: str
    text: str
    in_folder: bool = True

    def load(self) -> Any:
        """The benchmark."""
        module, _, name = self.place.partition(":")
        return getattr(importlib.import_module(module), name)()


# A further benchmark is a class as `interface` describes it, and one line here.
BENCHMARKS = (
    Entry("lfw", "lrfr_tf.benchmarks.lfw.benchmark:LfwBenchmark", "verification on LFW, or on pairs of your own"),
    Entry("scface", "lrfr_tf.benchmarks.scface.benchmark:SCfaceBenchmark", "identification on SCface"),
    Entry(
        "survface",
        "lrfr_tf.benchmarks.survface.benchmark:SurvFaceBenchmark",
        "verification and open-set identification on QMUL-SurvFace",
    ),
    Entry("tinyface", "lrfr_tf.benchmarks.tinyface.benchmark:TinyFaceBenchmark", "identification on TinyFace"),
    Entry("frmdb", "lrfr_tf.benchmarks.frmdb:FrmdbBenchmark", "identification on FRMDB", in_folder=False),
)


def load_benchmark(name: str) -> "Benchmark[Any, Any, Any]":
    """The benchmark of a name.

    Raises:
        KeyError: there is none.
    """
    return {entry.name: entry for entry in BENCHMARKS}[name].load()


def registered() -> "dict[str, RegisteredBenchmark[Any, Any, Any]]":
    """Name -> benchmark, of those that are found in a folder of all of them."""
    return {entry.name: entry.load() for entry in BENCHMARKS if entry.in_folder}


def folder_names() -> str:
    """The folders of these benchmarks, in words."""
    return ", ".join(benchmark.folder for benchmark in registered().values())


def missing(root: Path, name: str) -> str:
    """One sentence that says that a benchmark is not there."""
    return f"{root / registered()[name].folder} is missing."


def find_benchmarks(root: Path) -> dict[str, Path]:
    """Finds the benchmarks below a folder: name -> folder, for those that are there.

    Raises:
        UserError: `root` is missing, or holds none.
    """
    from lrfr_tf.benchmarks.benchmark_folders import find_entry  # imports NumPy

    if not root.is_dir():
        raise UserError(f"{root} is missing; it should be the folder of the benchmarks.")
    found = {name: find_entry(root, benchmark.folder) for name, benchmark in registered().items()}
    folders = {name: folder for name, folder in found.items() if folder is not None and folder.is_dir()}
    if not folders:
        raise UserError(f"{root} holds none of the folders {folder_names()}.")
    return folders

"""The benchmarks that evaluate_all runs and a training may run, and the folder of all of them.

The folder is as the README of the deep Siamese network lays it out; letter case does not matter:

    <root>/LFW/lfw/<Name>/                     with pairs.txt in LFW/ or LFW/lfw/
    <root>/SCface/SCface_database/
    <root>/QMUL-SurvFace/QMUL-SurvFace/        or once only
    <root>/TinyFace/tinyface/                  or once only

Landmark tables (LFW.csv, scface_mugshot.csv ...) may lie in those folders, or in one folder for all.
"""

from pathlib import Path
from typing import Any

from lrfr_tf.benchmarks.benchmark_folders import find_entry
from lrfr_tf.benchmarks.interface import RegisteredBenchmark
from lrfr_tf.benchmarks.lfw.benchmark import LfwBenchmark
from lrfr_tf.benchmarks.scface.benchmark import SCfaceBenchmark
from lrfr_tf.benchmarks.survface.benchmark import SurvFaceBenchmark
from lrfr_tf.benchmarks.tinyface import TinyFaceBenchmark
from lrfr_tf.errors import UserError

AnyBenchmark = RegisteredBenchmark[Any, Any, Any]

# A further benchmark is a class as `interface` describes it, and one line here.
BENCHMARKS: tuple[AnyBenchmark, ...] = (
    LfwBenchmark(),
    SCfaceBenchmark(),
    SurvFaceBenchmark(),
    TinyFaceBenchmark(),
)


def registered() -> dict[str, AnyBenchmark]:
    """Name -> benchmark."""
    return {benchmark.name: benchmark for benchmark in BENCHMARKS}


def folder_names() -> str:
    """The folders of all benchmarks, in words."""
    return ", ".join(benchmark.folder for benchmark in BENCHMARKS)


def missing(root: Path, name: str) -> str:
    """One sentence that says that a benchmark is not there."""
    return f"{root / registered()[name].folder} is missing."


def find_benchmarks(root: Path) -> dict[str, Path]:
    """Finds the benchmarks below a folder: name -> folder, for those that are there.

    Raises:
        UserError: `root` is missing, or holds none.
    """
    if not root.is_dir():
        raise UserError(f"{root} is missing; it should be the folder of the benchmarks.")
    found = {name: find_entry(root, benchmark.folder) for name, benchmark in registered().items()}
    folders = {name: folder for name, folder in found.items() if folder is not None and folder.is_dir()}
    if not folders:
        raise UserError(f"{root} holds none of the folders {folder_names()}.")
    return folders

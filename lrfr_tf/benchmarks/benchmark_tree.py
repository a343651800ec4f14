"""The folder of all benchmarks, as the README of the deep Siamese network lays it out; letter case does not matter.

    <root>/LFW/lfw/<Name>/                     with pairs.txt in LFW/ or LFW/lfw/
    <root>/SCface/SCface_database/
    <root>/QMUL-SurvFace/QMUL-SurvFace/        or once only
    <root>/TinyFace/tinyface/                  or once only

Landmark tables (LFW.csv, scface_mugshot.csv ...) may lie in those folders, or in one folder for all.
"""

import dataclasses
from pathlib import Path

from lrfr_tf.benchmarks.benchmark_folders import find_below, find_entry
from lrfr_tf.benchmarks.scface_files import MUGSHOT_TABLE
from lrfr_tf.benchmarks.survface_files import IDENTIFICATION, VERIFICATION, survface_root
from lrfr_tf.errors import UserError

FOLDERS = {"lfw": "LFW", "scface": "SCface", "survface": "QMUL-SurvFace", "tinyface": "TinyFace"}
LFW_LANDMARKS = "LFW.csv"
TINYFACE_LANDMARKS = "TinyFace.csv"
PAIRS = "pairs.txt"


@dataclasses.dataclass(frozen=True)
class BenchmarkTree:
    """What there is below a folder of benchmarks.

    Attributes:
        root: the folder.
        folders: benchmark (a key of `FOLDERS`) -> its folder, for those that are there.
    """

    root: Path
    folders: dict[str, Path]

    def absent(self) -> dict[str, str]:
        """benchmark -> one sentence that says which folder is not there."""
        return {
            benchmark: f"{self.root / folder} is missing."
            for benchmark, folder in FOLDERS.items()
            if benchmark not in self.folders
        }

    def lfw_images(self) -> Path:
        """The folder of the persons."""
        return find_entry(self.folders["lfw"], "lfw") or self.folders["lfw"]

    def lfw_pairs(self) -> Path:
        """The list of pairs.

        Raises:
            UserError: there is none.
        """
        for folder in (self.folders["lfw"], self.lfw_images(), self.root):
            if (found := find_entry(folder, PAIRS)) is not None:
                return found
        raise UserError(f"{self.folders['lfw'] / PAIRS} is missing; it is LFW's list of pairs.")

    def lfw_landmarks(self, landmarks: Path | None) -> Path | None:
        """The landmark table of LFW, in the given folder or in LFW's; None where there is none."""
        folders = (self.folders["lfw"], self.lfw_images()) if landmarks is None else (landmarks,)
        return next((found for folder in folders if (found := find_entry(folder, LFW_LANDMARKS))), None)

    def scface_landmarks(self, landmarks: Path | None) -> Path | None:
        """The folder of SCface's landmark tables: the given one, or one of SCface's; None where there is none."""
        database = find_below(self.folders["scface"], ("SCface_database",))
        folders = (self.folders["scface"], database) if landmarks is None else (landmarks,)
        return next((folder for folder in folders if folder and find_entry(folder, MUGSHOT_TABLE)), None)

    def tinyface_landmarks(self, landmarks: Path | None) -> Path | None:
        """The landmark table of TinyFace, in the given folder or in TinyFace's; None where there is none."""
        return find_entry(self.folders["tinyface"] if landmarks is None else landmarks, TINYFACE_LANDMARKS)

    def survface_tasks(self) -> str:
        """Which of SurvFace's test sets are there: "verification", "identification" or "both".

        Raises:
            UserError: none is.
        """
        root = survface_root(self.folders["survface"])
        there = {
            "verification": find_entry(root, VERIFICATION) is not None,
            "identification": find_entry(root, IDENTIFICATION) is not None,
        }
        return "both" if all(there.values()) else next(task for task, found in there.items() if found)


def find_benchmarks(root: Path) -> BenchmarkTree:
    """Finds the benchmarks below a folder.

    Raises:
        UserError: `root` is missing, or holds none.
    """
    if not root.is_dir():
        raise UserError(f"{root} is missing; it should be the folder of the benchmarks.")
    found = {benchmark: find_entry(root, folder) for benchmark, folder in FOLDERS.items()}
    folders = {benchmark: folder for benchmark, folder in found.items() if folder is not None and folder.is_dir()}
    if not folders:
        raise UserError(f"{root} holds none of the folders {', '.join(FOLDERS.values())}.")
    return BenchmarkTree(root, folders)

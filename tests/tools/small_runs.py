"""What the tests of the scripts share: a tree of a few faces, and readers of what a run leaves behind."""

import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from PIL import Image
from tensorboard.compat.proto.event_pb2 import Event

from lrfr_tf.data.folders import write_classes
from lrfr_tf.files import write_json
from lrfr_tf.images.decode import write_png
from lrfr_tf.images.degrade import degrade
from lrfr_tf.networks.embedders import KerasEmbedder
from lrfr_tf.networks.embedding import Embedder
from tests.faces_by_code import person

ROOT = Path(__file__).parents[2]
# "prepare:  50%|#####     | 1/2 [00:00<00:00,  3.1image/s]"
PROGRESS_BAR = re.compile(r"^[^|]*: *\d+%\|.*\| \d+/\d+ \[.*\]$")
# Files that say "finished": no error may leave one.
FINISHED = {
    "manifest.json",
    "classes.json",
    "result.json",
    "report.html",
    "report.md",
    "summary.json",
    "validation.json",
}


def write_small_tree(root: Path, portrait: np.ndarray, counts: dict[str, int], size: int = 64) -> Path:
    """A finished tree with two persons, and `counts` images of each in every split; no detector runs."""
    for split, count in counts.items():
        for identity, name in enumerate(("1", "2")):
            for photo in range(count):
                face = person(portrait, identity, photo + 100 * len(split), size)
                write_png(root / "hr" / split / name / f"{photo}.png", face)
                write_png(root / "lr" / split / name / f"{photo}.png", degrade(face[None], size // 4)[0])
    write_classes(root, ["1", "2"])
    write_json(root / "manifest.json", {"schema": 1, "identities": 2, "images": counts})
    return root


def small_embedder(model: str = "", weights: Path | None = None) -> Embedder:
    """In the place of `load_embedder`: mean colors of a 4 x 4 grid tell the tinted persons apart."""
    images = keras.Input((32, 32, 3))
    x = keras.layers.Rescaling(1 / 255, offset=-0.5)(keras.layers.AveragePooling2D(8)(images))
    x = keras.layers.UnitNormalization()(keras.layers.Flatten()(x))
    return KerasEmbedder(keras.Model(images, x), "stand-in")


def read_events(folder: Path) -> dict[str, dict[int, tf.Tensor]]:
    """tag -> step -> value, out of all TensorBoard event files of a folder."""
    values: dict[str, dict[int, tf.Tensor]] = {}
    for file in sorted(folder.glob("events.out.tfevents.*")):
        for record in tf.data.TFRecordDataset(str(file)):
            event = Event.FromString(record.numpy())
            for value in event.summary.value:
                values.setdefault(value.tag, {})[event.step] = tf.make_ndarray(value.tensor)
    return values


def files_below(root: Path) -> dict[str, bytes]:
    """Relative path -> contents of every file, hidden ones too."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def times_below(root: Path, pattern: str) -> dict[str, int]:
    """Relative path -> time of the last change of every file that matches."""
    return {path.relative_to(root).as_posix(): path.stat().st_mtime_ns for path in root.rglob(pattern)}


def lines_beside_progress(stderr: str) -> list[str]:
    """What a script said on stderr, without its progress bars."""
    parts = [part.strip() for line in stderr.split("\n") for part in line.split("\r")]
    return [part for part in parts if part and not PROGRESS_BAR.match(part)]


def start_script(script: str, *flags: str, **environment: str) -> subprocess.Popen[str]:
    """Starts "tools/x.py" or "-m package.module" as a user does; both outputs can be read."""
    words = [*(script.split() if script.startswith("-m ") else [str(ROOT / script)]), *flags]
    # Nothing from outside makes the scripts quieter than they are; how many threads they have may come from there.
    quieter = [name for name in os.environ if name.startswith(("TF_", "ABSL_")) and not name.startswith("TF_NUM_")]
    outside = {name: value for name, value in os.environ.items() if name not in quieter}
    return subprocess.Popen(
        [sys.executable, *words], cwd=ROOT, env={**outside, **environment}, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def finish_script(script: str, *flags: str, **environment: str) -> tuple[int, str, str]:
    """Runs a script to its end: (exit code, stdout, stderr)."""
    with start_script(script, *flags, **environment) as process:
        out, error = process.communicate(timeout=300)
    return process.returncode, out, error


def read_checkpoint(folder: Path) -> dict[str, np.ndarray]:
    """Every array of the newest checkpoint: step, networks, optimizers."""
    reader = tf.train.load_checkpoint(str(folder))
    names = [name for name in reader.get_variable_to_shape_map() if name.endswith(".ATTRIBUTES/VARIABLE_VALUE")]
    return {name: reader.get_tensor(name) for name in sorted(names)}


def write_celeba(root: Path, identities: int, images: int) -> tuple[Path, Path]:
    """A look-alike of CelebA: a folder of numbered images, and the list that gives each its identity."""
    folder = root / "img_align_celeba"
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    lines = []
    for number in range(identities * images):
        name = f"{number + 1:06d}.png"
        Image.fromarray(random.integers(0, 256, (109, 89, 3), dtype=np.uint8)).save(folder / name)
        lines.append(f"{name} {number % identities + 1}")
    (root / "identity_CelebA.txt").write_text("\n".join(lines) + "\n")
    return folder, root / "identity_CelebA.txt"


def sentence(stderr: str) -> str:
    """The one error sentence on stderr, where nothing else but progress bars and notes may stand."""
    (line,) = (line for line in lines_beside_progress(stderr) if not line.startswith("note: "))
    assert line.startswith("error: ")
    assert line.endswith(".")
    return line


def finished_files(output: Path) -> set[str]:
    return {path.name for path in output.rglob("*") if path.name in FINISHED or path.suffix == ".keras"}

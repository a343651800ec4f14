"""Fits classifier heads on stored embeddings: <embeddings>/<method>/ -> <output>/<method>/<head>/.

Example: python -m lrfr_tf.train_classifier --embeddings=runs/celeba/embeddings --output=runs/celeba/heads
prints top-1 accuracy on the training and validation splits; the test split is scored once, by the evaluation.
"""

import dataclasses
import time
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from lrfr_tf.config import option, required, write_run_record
from lrfr_tf.data.embeddings import EmbeddingSet, cut_of, load_classes, load_embeddings, read_manifest
from lrfr_tf.errors import UserError
from lrfr_tf.evaluation.identification import rank_misses_last, ranks, top_k
from lrfr_tf.files import sha256
from lrfr_tf.main import run
from lrfr_tf.networks.classifier import Classifier
from lrfr_tf.networks.head_kinds import KINDS
from lrfr_tf.training.classifier import fit_classifier


@dataclasses.dataclass(frozen=True)
class Config:
    """What to fit, on what, and where to put it."""

    embeddings: str = required("folder with one folder of embeddings per method (lrfr embed)")
    output: str = required("folder for the heads; a head that is there already is replaced")
    methods: tuple[str, ...] = option((), "methods to fit on; without it, every folder of --embeddings")
    head: tuple[str, ...] = option(KINDS, "heads to fit", choices=KINDS)
    seed: int = option(0, "seed of the mlp head", at_least=0)
    C: float = option(10.0, "logistic: inverse strength of the penalty", above=0)
    epochs: int = option(59, "mlp: most epochs", at_least=1)
    patience: int = option(10, "mlp: epochs without a better validation top-1 before it stops", at_least=1)
    batch_size: int = option(128, "mlp: rows a step", at_least=1)


def top_1(classifier: Classifier, faces: EmbeddingSet) -> float | None:
    """Top-1 over all rows of a split, a miss counting as wrong; None without a row."""
    found = []
    for start in range(0, len(faces.labels), 4096):
        rows = slice(start, start + 4096)
        order = ranks(classifier.scores(faces.embeddings[rows]), faces.labels[rows])
        found.append(rank_misses_last(order, faces.usable[rows], len(classifier.class_names)))
    return top_k(np.concatenate(found), 1) if found else None


def main(config: Config) -> None:
    """Fits every head on every method."""
    root = Path(config.embeddings)
    methods = config.methods or tuple(sorted(path.parent.name for path in root.glob("*/manifest.json")))
    if not methods:
        raise UserError(f"{root} has no folder of embeddings; make them with lrfr embed.")
    results: list[dict[str, Any]] = []
    print(f"{'fitted on':<12}{'head':<10}{'train top-1':>12}{'val top-1':>12}{'seconds':>10}")
    for method in tqdm(methods, desc="methods", unit="method", leave=False, disable=None):
        folder = root / method
        train, validation = load_embeddings(folder, "train"), load_embeddings(folder, "val")
        names, embedder = load_classes(folder), read_manifest(folder)["embedder"]
        if not (train.usable.any() and validation.usable.any()):
            tqdm.write(f"{method}: no head is fitted, because no face was found in its training or validation images")
            continue
        for kind in config.head:
            start = time.perf_counter()
            classifier = fit_classifier(
                kind, train, validation, names, embedder_name=embedder, seed=config.seed,
                C=config.C, epochs=config.epochs, patience=config.patience, batch_size=config.batch_size,
            )  # fmt: skip
            classifier.cut, classifier.template = cut_of(read_manifest(folder))
            classifier.save(Path(config.output) / method / kind)
            seconds = round(time.perf_counter() - start, 1)
            # Every training face is part of its own template of the cosine head, so that figure would say little.
            train_top_1 = None if kind == "cosine" else top_1(classifier, train)
            accuracies = {"train_top_1": train_top_1, "val_top_1": top_1(classifier, validation)}
            results.append({"method": method, "head": kind, **accuracies, "seconds": seconds})
            shown = "".join("-".rjust(12) if value is None else f"{value:12.4f}" for value in accuracies.values())
            tqdm.write(f"{method:<12}{kind:<10}{shown}{seconds:>10}")
    if not results:
        raise UserError(f"No head is fitted: no face was found in the training or validation images of {methods[0]}.")
    data = {str(root / method): sha256(root / method / "manifest.json") for method in methods}
    write_run_record(config.output, config, results=results, data_sha256=data)


if __name__ == "__main__":
    run(main, Config)

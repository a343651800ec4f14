"""What becomes of a served model's answers: a table, JSON lines, an .npz file or pictures."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from tqdm import tqdm

from lrfr_tf.errors import UserError
from lrfr_tf.files import atomic_file, atomic_folder
from lrfr_tf.images.decode import write_png
from lrfr_tf.tf_serving.client import ServedModel
from lrfr_tf.tf_serving.faces import Answers, Face


def write_embeddings(output: Path, model: ServedModel, faces: Sequence[Face], answers: Answers) -> None:
    """Writes an .npz file, whole or not at all: `faces` (names), `embeddings` float32 [N, D], `model`, `version`."""
    rows = []
    with tqdm(total=len(faces), desc="embed", unit="face") as progress:
        for part, outputs in answers:
            rows.append(outputs["embedding"])
            progress.update(len(part))
    names = np.array([face.name for face in faces])
    with atomic_file(output) as temporary:
        np.savez(temporary, faces=names, embeddings=np.concatenate(rows), model=model.name, version=model.version)
    print(f"{output}: embeddings of {len(faces)} faces by {model.name}, version {model.version}")


def write_images(output: Path, faces: Sequence[Face], answers: Answers) -> None:
    """Writes `<output>/<name>.png` for every face, all of them or none.

    Raises:
        UserError: two faces differ in nothing but the suffix of their names.
    """
    files = [PurePosixPath(face.name).with_suffix(".png").as_posix() for face in faces]
    seen: set[str] = set()
    for file in files:
        if file in seen:
            raise UserError(f"Two of the faces would be written to {file}; rename one of them.")
        seen.add(file)
    named = dict(zip(faces, files, strict=True))
    with (
        atomic_folder(output) as temporary,
        tqdm(total=len(faces), desc="super_resolve", unit="face") as progress,
    ):
        for part, outputs in answers:
            for face, image in zip(part, outputs["images"], strict=True):
                write_png(temporary / named[face], image)
            progress.update(len(part))
    print(f"{output}: {len(faces)} faces")


def print_answers(faces: Sequence[Face], answers: Answers, as_json: bool) -> None:
    """Prints each face as soon as its answer is there: its name, and identities with scores or its similarity."""
    width = max(len("face"), *(len(face.name) for face in faces))
    heading = ""
    for face, outputs in _one_by_one(answers):
        if as_json:
            print(json.dumps({"face": face.name, **{name: row.tolist() for name, row in outputs.items()}}), flush=True)
            continue
        if not heading:
            heading = "similarity" if "similarity" in outputs else "identity score, best first"
            print(f"{'face':{width}}  {heading}")
        print(f"{_printable(face.name):{width}}  {_in_words(outputs)}", flush=True)


def _one_by_one(answers: Answers) -> Iterator[tuple[Face, dict[str, np.ndarray]]]:
    for part, outputs in answers:
        for number, face in enumerate(part):
            yield face, {name: array[number] for name, array in outputs.items()}


def _in_words(outputs: dict[str, np.ndarray]) -> str:
    if "similarity" in outputs:
        return f"{outputs['similarity']:.4f}"
    pairs = zip(outputs["identity"].tolist(), outputs["score"].tolist(), strict=True)
    return "   ".join(f"{_printable(name)} {score:.4f}" for name, score in pairs)


def _printable(text: str) -> str:
    """Names come from others: nothing in them may steer the terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)

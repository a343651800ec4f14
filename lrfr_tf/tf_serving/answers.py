"""What becomes of a served model's answers: a table, JSON lines, an .npz file or pictures."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from tqdm import tqdm

from lrfr_tf.errors import UserError
from lrfr_tf.files import atomic_file, atomic_folder
from lrfr_tf.images.decode import write_png
from lrfr_tf.plural import counted
from lrfr_tf.printable import printable
from lrfr_tf.recognition.calibration import Threshold
from lrfr_tf.tf_serving.ask import Answer, Answers
from lrfr_tf.tf_serving.client import ServedModel, ServingError
from lrfr_tf.tf_serving.decide import decided
from lrfr_tf.tf_serving.faces import InputFile

IDENTITIES = "{:<10}  {:>9}  {}"


class _Answered:
    """The answers that are there: of all faces, or of those before the server failed, which `check_all` raises."""

    def __init__(self, faces: Sequence[InputFile], answers: Answers) -> None:
        self.faces = faces
        self.answers = answers
        self.count = 0
        self.errors: list[UserError] = []
        self.stopped: ServingError | None = None

    def all(self) -> Iterator[Answer]:
        try:
            for answer in self.answers:
                if answer.error is None:
                    self.count += 1
                else:
                    self.errors.append(answer.error)
                yield answer
        except ServingError as error:
            self.stopped = error

    def check_some(self) -> None:
        """Raises what is wrong where no face has an answer: there is nothing to write."""
        if self.count:
            return
        if self.stopped is not None:
            raise self.stopped
        if len(self.faces) == 1:
            raise self.errors[0]
        raise UserError(f"Of {counted(len(self.faces), 'face')} none has an answer.")

    def check_all(self) -> None:
        """Raises what stopped the server; what it answered before is kept."""
        self.check_some()
        if self.stopped is not None:
            reason = str(self.stopped).removesuffix(".")
            raise ServingError(f"{reason}; before that {self.in_words()} had an answer.")

    def in_words(self) -> str:
        total = len(self.faces)
        return counted(total, "face") if self.count == total else f"{self.count:,} of {counted(total, 'face')}"


def write_embeddings(
    output: Path, model: ServedModel, faces: Sequence[InputFile], answers: Answers, *, tell: Callable[[str], None]
) -> None:
    """Writes an .npz file, whole or not at all: `faces` (names), `embeddings` float32 [N, D], `failed` (the names of
    those without an answer), `model`, `version`; `tell` hears what was written.

    Raises:
        UserError: no face has an answer, so that there is no file.
        ServingError: the server failed; the file holds what it answered before.
    """
    answered = _Answered(faces, answers)
    names, rows = [], []
    with tqdm(total=len(faces), desc="embed", unit="face") as progress:
        for answer in answered.all():
            progress.update()
            if answer.error is None:
                names.append(answer.face.name)
                rows.append(answer.outputs["embedding"])
    answered.check_some()
    there = set(names)
    failed = np.array([face.name for face in faces if face.name not in there], np.str_)
    with atomic_file(output) as temporary:
        np.savez(
            temporary, faces=np.array(names), embeddings=np.stack(rows), failed=failed, model=model.name,
            version=model.version,
        )  # fmt: skip
    tell(f"{output}: embeddings of {answered.in_words()} by {model.name}, version {model.version}")
    answered.check_all()


def write_images(output: Path, faces: Sequence[InputFile], answers: Answers, tell: Callable[[str], None]) -> None:
    """Writes `<output>/<name>.png` for every face that has an answer; `tell` hears what was written.

    Raises:
        UserError: two faces differ in nothing but the suffix of their names, or none has an answer; there is no folder.
        ServingError: the server failed; the folder holds what it answered before.
    """
    files = [PurePosixPath(face.name).with_suffix(".png").as_posix() for face in faces]
    seen: set[str] = set()
    for file in files:
        if file in seen:
            raise UserError(f"Two of the faces would be written to {file}; rename one of them.")
        seen.add(file)
    named = dict(zip(faces, files, strict=True))
    answered = _Answered(faces, answers)
    with (
        atomic_folder(output) as temporary,
        tqdm(total=len(faces), desc="super_resolve", unit="face") as progress,
    ):
        for answer in answered.all():
            progress.update()
            if answer.error is None:
                write_png(temporary / named[answer.face], answer.outputs["images"])
        answered.check_some()
    tell(f"{output}: {answered.in_words()}")
    answered.check_all()


def similarity_lines(faces: Sequence[InputFile], answers: Answers, as_json: bool) -> Iterator[str]:
    """The similarity of each face as soon as it is there: the lines of a table, or JSON lines.

    Raises:
        UserError: no face has an answer.
        ServingError: the server failed.
    """
    answered = _Answered(faces, answers)
    table = _Table(faces, "similarity")
    for answer in answered.all():
        if as_json:
            yield _json_line(answer)
        else:
            yield from table.row(answer, "" if answer.error is not None else f"{answer.outputs['similarity']:.4f}")
    answered.check_all()


def identity_lines(
    faces: Sequence[InputFile], answers: Answers, as_json: bool, threshold: Threshold | None
) -> Iterator[str]:
    """The identities of each face and what is decided of them, as soon as they are there: a table, or JSON lines.

    Args:
        threshold: from which score on a name is given; None: not known.

    Raises:
        UserError: no face has an answer.
        ServingError: the server failed.
    """
    answered = _Answered(faces, answers)
    table = _Table(faces, IDENTITIES.format("decision", "threshold", "identity score, best first"))
    for answer in answered.all():
        outputs = answer.outputs
        decision = {} if answer.error is not None else decided(outputs, threshold)
        if as_json:
            yield _json_line(answer, decision)
            continue
        text = ""
        if decision:
            pairs = zip(outputs["identity"].tolist(), outputs["score"].tolist(), strict=True)
            names = "   ".join(f"{printable(name)} {score:.4f}" for name, score in pairs)
            least = decision["threshold"]
            shown = "-" if least is None else f"{least:.3f}"
            text = IDENTITIES.format(decision["decision"].replace("_", " "), shown, names)
        yield from table.row(answer, text)
    answered.check_all()


class _Table:
    def __init__(self, faces: Sequence[InputFile], heading: str) -> None:
        self.width = max(len("face"), *(len(face.name) for face in faces))
        self.heading = heading

    def row(self, answer: Answer, text: str) -> Iterator[str]:
        if self.heading:  # not before there is a row
            yield f"{'face':{self.width}}  {self.heading}"
            self.heading = ""
        yield f"{printable(answer.face.name):{self.width}}  {text or 'failed'}"


def _json_line(answer: Answer, more: Mapping[str, Any] | None = None) -> str:
    line: dict[str, Any] = {"face": answer.face.name}
    if answer.error is not None:
        line["error"] = str(answer.error)
    line |= {name: row.tolist() for name, row in answer.outputs.items()}
    return json.dumps({**line, **(more or {})})

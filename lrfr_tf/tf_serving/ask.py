"""Faces -> a served model -> an answer for each, some faces at a time; what goes wrong with one stops no other."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from lrfr_tf.errors import UserError
from lrfr_tf.images.limits import PIXELS_OF_ALL
from lrfr_tf.tf_serving.client import (
    Connection,
    FailedError,
    RefusedError,
    ServedModel,
    ServedSignature,
    ServingError,
    call_with_retries,
)
from lrfr_tf.tf_serving.faces import InputFile, Looker, read_input

BATCH_TOO_LARGE = re.compile(r"larger than maximum (input )?batch size")
MAX_FAILURES = 3  # one after the other, of faces that were asked for alone; after so many the server is at fault


@dataclass(frozen=True)
class Query:
    """Whom to ask for what.

    Args:
        signature: takes files (string) or pixels (uint8), which decides what is sent.
        batch: most faces in a request.
        retries: how often to ask again where the server is not available.
        against: the face for the second input of a signature that compares; it goes with every face.
        look: what looks at every picture before it is sent; None: nobody.
    """

    connection: Connection
    model: ServedModel
    signature: ServedSignature
    batch: int
    retries: int
    against: InputFile | None = None
    look: Looker | None = None


@dataclass(frozen=True)
class Answer:
    """What came of one face: `outputs` by their names, a row of each; or an `error` that names the file."""

    face: InputFile
    outputs: Mapping[str, np.ndarray] = field(default_factory=dict)
    error: UserError | None = None


Answers = Iterator[Answer]
_Sent = tuple[InputFile, bytes | np.ndarray | UserError]


def query_in_batches(query: Query, faces: Sequence[InputFile]) -> Answers:
    """Yields what the server answers for each face, in order; a file that cannot be read or is refused has an error.

    Pixels of one request have one size, so a face of another size begins a new one.

    Raises:
        UserError: the face that all others are compared with cannot be read.
        ServingError: the server cannot be asked, or fails for several faces one after the other.
    """
    reference = None if query.against is None else read_input(query.signature, query.against, query.look)
    yield from _Asking(query, reference).answers(faces)


class _Asking:
    def __init__(self, query: Query, reference: bytes | np.ndarray | None) -> None:
        self.query = query
        self.reference = reference
        self.failures = 0

    def answers(self, faces: Sequence[InputFile]) -> Answers:
        for part in _parts(self.query, faces):
            good = [(face, sent) for face, sent in part if not isinstance(sent, UserError)]
            found = iter(self._of_part(good) if good else [])
            for face, sent in part:
                yield Answer(face, error=sent) if isinstance(sent, UserError) else next(found)

    def _of_part(self, part: Sequence[tuple[InputFile, bytes | np.ndarray]]) -> Answers:
        try:
            outputs = self._send_batch([sent for _, sent in part])
        except (RefusedError, FailedError) as error:
            if isinstance(error, RefusedError) and BATCH_TOO_LARGE.search(error.reason):
                address = self.query.connection.address
                raise ServingError(f"{address} takes smaller requests ({error.reason}); lower `batch`.") from None
            if len(part) == 1:
                yield self._failed(part[0][0], error)
                return
        else:
            self.failures = 0
            for number, (face, _) in enumerate(part):
                yield Answer(face, {name: array[number] for name, array in outputs.items()})
            return
        # One bad face fails all that are computed with it, so each is asked for by itself to find out which it is.
        for face, sent in part:
            yield from self._of_part([(face, sent)])

    def _failed(self, face: InputFile, error: RefusedError | FailedError) -> Answer:
        if isinstance(error, RefusedError):
            self.failures = 0
            return Answer(
                face, error=ServingError(f"{face.path} is refused by {self.query.model.name}: {error.reason}.")
            )
        self.failures += 1
        if self.failures == MAX_FAILURES:
            raise error
        return Answer(face, error=ServingError(f"{face.path} has no answer: {error}"))

    def _send_batch(self, arrays: Sequence[bytes | np.ndarray]) -> dict[str, np.ndarray]:
        query = self.query
        columns = [arrays] if self.reference is None else [arrays, [self.reference] * len(arrays)]
        # The names of two inputs end in _a and _b.
        inputs = {name: _stacked(column) for name, column in zip(sorted(query.signature.inputs), columns, strict=True)}
        return call_with_retries(lambda: query.connection.predict(query.model, query.signature, inputs), query.retries)


def _parts(query: Query, faces: Sequence[InputFile]) -> Iterator[list[_Sent]]:
    """What goes into one request, and between it the files that go into none."""
    part: list[_Sent] = []
    good: list[bytes | np.ndarray] = []
    for face in faces:
        try:
            sent = read_input(query.signature, face, query.look)
        except UserError as error:
            part.append((face, error))
            continue
        if good and (len(good) == query.batch or not _fit_together(good, sent)):
            yield part
            part, good = [], []
        part.append((face, sent))
        good.append(sent)
    if part:
        yield part


def _fit_together(part: Sequence[bytes | np.ndarray], sent: bytes | np.ndarray) -> bool:
    if isinstance(sent, bytes):
        return True
    first = part[0]
    assert isinstance(first, np.ndarray)
    return first.shape == sent.shape and (len(part) + 1) * sent.shape[0] * sent.shape[1] <= PIXELS_OF_ALL


def _stacked(column: Sequence[bytes | np.ndarray]) -> np.ndarray:
    if not isinstance(column[0], bytes):
        return np.stack(column)
    files = np.empty(len(column), object)
    files[:] = column
    return files

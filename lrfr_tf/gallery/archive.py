"""An archive of people: a zip of manifest.json (schema, network, SHA-256 of every other member), people.json (persons,
references, ids of who was forgotten or merged), embeddings.npy (float32 [references, D]) and pictures/<id of the
reference>.
"""

import contextlib
import dataclasses
import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lrfr_tf.errors import UserError
from lrfr_tf.gallery.embedder import EmbedderIdentity
from lrfr_tf.gallery.references import Reference
from lrfr_tf.sources.image_source import LARGEST_FILE

SCHEMA = 1
MANIFEST, PEOPLE, EMBEDDINGS, PICTURES = "manifest.json", "people.json", "embeddings.npy", "pictures/"
MALFORMED = (KeyError, ValueError, TypeError, IndexError, AttributeError, OverflowError)  # what strange JSON leads to
# What zipfile raises: also for passwords, unknown compressions, and where there is no end.
UNREADABLE = (OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, MemoryError)
LARGEST_MEMBER = 16 << 30  # bytes
# Exports are not compressed. Who packs one anew saves little: digits and pixels look random.
MOST_TIMES_ITS_SIZE, ALWAYS_ALLOWED = 50, 1 << 20
# What an archive says of a reference; the rest lies in members of its own.
FIELDS: tuple[str, ...] = (
    "id", "person", "height", "detection_score", "pose", "blur", "picture_hash", "box", "source_sha256", "source_name",
    "state", "reason", "enrolled", "expires", "by_hand",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Archive:
    """What an archive, or another gallery, holds.

    Attributes:
        references: without their pictures.
        picture: the encoded picture of a reference, by its id; None where there is none. It is read when it is asked
            for, since all of them may be larger than the memory.
    """

    identity: EmbedderIdentity
    persons: list[dict[str, Any]]
    references: list[Reference]
    gone: list[dict[str, Any]]
    picture: Callable[[str], bytes | None]


@contextlib.contextmanager
def opened_archive(path: Path) -> Iterator[Archive]:
    """Reads an archive but for its pictures, which can be asked for until the block ends.

    Raises:
        UserError: it, or a picture, is none or damaged; it unpacks to far more than its size, or is of another schema.
    """
    with contextlib.ExitStack() as stack:
        with _explained(path):
            archive = stack.enter_context(zipfile.ZipFile(path))
            _check_sizes(archive, path)
            manifest = json.loads(_read(archive, MANIFEST))
            if manifest["schema"] != SCHEMA:
                raise UserError(f"{path} is an export of schema {manifest['schema']}; this lrfr_tf reads {SCHEMA}.")
            sums = dict(manifest["sha256"])
            for name in sums:
                archive.getinfo(name)  # all are there, before anything is taken over
            people = json.loads(_checked(archive, PEOPLE, path, sums))
            embeddings = np.load(io.BytesIO(_checked(archive, EMBEDDINGS, path, sums)), allow_pickle=False)
            references = [reference_from_json(one, embeddings[row]) for row, one in enumerate(people["references"])]
            identity = EmbedderIdentity(**manifest["embedder"])

            def picture(id: str) -> bytes | None:
                with _explained(path):
                    return _checked(archive, PICTURES + id, path, sums) if PICTURES + id in sums else None

            found = Archive(identity, people["persons"], references, people["gone"], picture)
        yield found


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except UserError:
        raise
    except (*UNREADABLE, *MALFORMED) as error:
        raise UserError(f"{path} is no export of a gallery, or is damaged ({type(error).__name__}).") from None


def _check_sizes(archive: zipfile.ZipFile, path: Path) -> None:
    """Refuses an archive that says to unpack to far more than it takes, or a member that is larger than any may be."""
    members = archive.infolist()
    for member in members:
        most = LARGEST_FILE if member.filename.startswith(PICTURES) else LARGEST_MEMBER
        if member.file_size > most:
            raise UserError(f"{path} holds {member.filename}, which is larger than in any export.")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # zipfile unpacks others at once
            raise UserError(f"{path} holds {member.filename}, which is compressed as in no export.")
    unpacked = sum(member.file_size for member in members)
    if unpacked > MOST_TIMES_ITS_SIZE * path.stat().st_size + ALWAYS_ALLOWED:
        raise UserError(f"{path} unpacks to {unpacked:,} bytes, far more than any export of its size.")


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    """A member; of one that unpacks to more than the archive says, no more is unpacked, unlike by `ZipFile.read`."""
    with archive.open(name) as member:
        return member.read(archive.getinfo(name).file_size)


def _checked(archive: zipfile.ZipFile, name: str, path: Path, sums: dict[str, str]) -> bytes:
    data = _read(archive, name)
    if hashlib.sha256(data).hexdigest() != sums[name]:
        raise UserError(f"{path} is damaged: {name} is not what its manifest describes (sha256 differs).")
    return data


def as_npy(references: list[Reference]) -> bytes:
    """The embeddings, as the bytes of an .npy file."""
    stream = io.BytesIO()
    np.save(stream, np.stack([one.embedding for one in references]) if references else np.zeros((0, 0), np.float32))
    return stream.getvalue()


def reference_as_json(reference: Reference) -> dict[str, Any]:
    """What is stored of a reference, without embedding and picture."""
    points = None if reference.landmarks is None else np.asarray(reference.landmarks).tolist()
    values = {name: getattr(reference, name) for name in FIELDS}
    return {**values, "landmarks": points, "codes": list(reference.codes)}


def reference_from_json(value: dict[str, Any], embedding: np.ndarray) -> Reference:
    """The same back."""
    points = None if value["landmarks"] is None else np.array(value["landmarks"], np.float32)
    box = None if value["box"] is None else tuple(value["box"])
    texts = {name: value[name] for name in FIELDS if name != "by_hand"}
    texts |= {"box": box, "landmarks": points, "codes": tuple(value["codes"])}
    texts["by_hand"] = value.get("by_hand", False)  # older archives do not say it
    return Reference(embedding.astype(np.float32, copy=False), **texts)

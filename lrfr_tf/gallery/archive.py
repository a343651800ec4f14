"""An archive of people: a zip of manifest.json (schema, network, SHA-256 of every other member), people.json (persons,
references, ids of who was forgotten or merged), embeddings.npy (float32 [references, D]) and pictures/<id of the
reference>.
"""

import dataclasses
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from lrfr_tf.errors import UserError
from lrfr_tf.gallery.embedder import EmbedderIdentity
from lrfr_tf.gallery.references import Reference

SCHEMA = 1
MANIFEST, PEOPLE, EMBEDDINGS, PICTURES = "manifest.json", "people.json", "embeddings.npy", "pictures/"
MALFORMED = (KeyError, ValueError, TypeError, IndexError, AttributeError, OverflowError)  # what strange JSON leads to
LARGEST_MEMBER = 16 << 30  # bytes
# What an archive says of a reference; the rest lies in members of its own.
FIELDS: tuple[str, ...] = (
    "id", "person", "height", "detection_score", "pose", "blur", "picture_hash", "box", "source_sha256", "source_name",
    "state", "reason", "enrolled", "expires",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Archive:
    """What an archive, or another gallery, holds."""

    identity: EmbedderIdentity
    persons: list[dict[str, Any]]
    references: list[Reference]
    gone: list[dict[str, Any]]


def read_archive(path: Path) -> Archive:
    """Reads an archive, all of it.

    Raises:
        UserError: it is none, is damaged, or of another schema.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = json.loads(archive.read(MANIFEST))
            if manifest["schema"] != SCHEMA:
                raise UserError(f"{path} is an export of schema {manifest['schema']}; this lrfr_tf reads {SCHEMA}.")
            members = {name: _checked(archive, name, path, digest) for name, digest in manifest["sha256"].items()}
            people = json.loads(members[PEOPLE])
            embeddings = np.load(io.BytesIO(members[EMBEDDINGS]), allow_pickle=False)
            references = [
                reference_from_json(one, embeddings[row], members.get(PICTURES + one["id"]))
                for row, one in enumerate(people["references"])
            ]
            identity = EmbedderIdentity(**manifest["embedder"])
            return Archive(identity, people["persons"], references, people["gone"])
    except UserError:
        raise
    except (OSError, zipfile.BadZipFile, *MALFORMED) as error:
        raise UserError(f"{path} is no export of a gallery, or is damaged ({type(error).__name__}).") from None


def _checked(archive: zipfile.ZipFile, name: str, path: Path, digest: str) -> bytes:
    if archive.getinfo(name).file_size > LARGEST_MEMBER:
        raise UserError(f"{path} holds {name}, which is larger than any gallery.")
    data = archive.read(name)
    if hashlib.sha256(data).hexdigest() != digest:
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


def reference_from_json(value: dict[str, Any], embedding: np.ndarray, picture: bytes | None) -> Reference:
    """The same back."""
    points = None if value["landmarks"] is None else np.array(value["landmarks"], np.float32)
    box = None if value["box"] is None else tuple(value["box"])
    texts = {name: value[name] for name in FIELDS}
    texts |= {"box": box, "landmarks": points, "codes": tuple(value["codes"])}
    return Reference(embedding.astype(np.float32), picture=picture, **texts)

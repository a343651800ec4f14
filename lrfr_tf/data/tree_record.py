"""What a tree of faces was made of, photo by photo, so that photos that come later are added, and only those.

<tree>/photos.jsonl     of each photo its name in the source, its face in the tree, and what tells if it was replaced
"""

import dataclasses
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from lrfr_tf.config import versions
from lrfr_tf.data.ambiguous_photos import AmbiguousPhotos
from lrfr_tf.errors import UserError
from lrfr_tf.files import atomic_file, read_json
from lrfr_tf.plural import counted
from lrfr_tf.resumable import MANIFEST, go_on_with, manifest_before, open_folder, write_manifest

RECORD = "photos.jsonl"
# Settings that are checksums of all photos together; the record tells what is different.
OF_PHOTOS = ("files", "images_sha256", "images_fingerprint")


@dataclasses.dataclass(frozen=True)
class RecordedPhoto:
    """A photo, and where its face lies in the tree: `<identity>/<image>`, or `<split>/<identity>/<image>`.

    Attributes:
        stamp: see `sources.image_source.ImageSource.stamp`.
    """

    name: str
    target: str
    stamp: str

    @property
    def identity(self) -> str:
        """Whom it shows."""
        return self.target.split("/")[-2]


def read_record(tree: Path) -> dict[str, RecordedPhoto]:
    """The photos that a tree was made of, by their names; none where there is no record.

    Raises:
        UserError: the record is damaged.
    """
    if not (tree / RECORD).is_file():
        return {}
    try:
        with open(tree / RECORD, encoding="utf-8") as file:
            photos = [RecordedPhoto(*json.loads(line)) for line in file]
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{tree / RECORD} is damaged ({error}); delete {tree} and make it again.") from None
    return {photo.name: photo for photo in photos}


def open_tree(
    output: Path,
    settings: dict[str, Any],
    photos: Sequence[RecordedPhoto],
    is_there: Callable[[str], bool],
    *,
    note: Callable[[str], None],
) -> set[str] | None:
    """`resumable.open_folder` for a tree of photos, which may have become more since it was begun.

    Photos that were bad, or showed no face, may be replaced or removed.

    Args:
        settings: how the tree is made; those of `OF_PHOTOS` may change with the photos.
        is_there: tells of a target whether its face is in the tree.
        note: told, in one sentence, what was added.

    Returns:
        The names of the photos that were added; None: the tree is finished.

    Raises:
        UserError: as `open_folder`, or photos were removed or replaced since.
    """
    added = _add_photos(output, settings, photos, is_there, note=note)
    if (output / MANIFEST).is_file():
        return None
    for part in output.rglob(".part-*"):  # files that a killed run had begun
        part.unlink()
    return added


def finish_tree(output: Path, manifest: dict[str, Any], rivaled: AmbiguousPhotos | None) -> dict[str, Any]:
    """Writes the manifest of a tree, with the names of the ambiguous photos if they were looked for, and returns it."""
    if rivaled is not None:
        manifest = {**manifest, "images_with_rival": rivaled.names(manifest_before(output))}
    manifest = write_manifest(output, {**manifest, "versions": versions()})
    if rivaled is not None:
        rivaled.forget()
    return manifest


def _add_photos(
    output: Path,
    settings: dict[str, Any],
    photos: Sequence[RecordedPhoto],
    is_there: Callable[[str], bool],
    *,
    note: Callable[[str], None],
) -> set[str]:
    before = read_record(output)
    if not before:
        open_folder(output, settings)
        _write_record(output, photos)
        return set()
    recorded = read_json(output / "settings.json")
    open_folder(output, {**settings, **{key: recorded[key] for key in OF_PHOTOS if key in recorded}})
    now = {photo.name: photo for photo in photos}
    before = {
        name: photo
        for name, photo in before.items()
        if (name in now and now[name].stamp == photo.stamp) or is_there(photo.target)
    }
    added = [photo for name, photo in now.items() if name not in before]
    changes = {
        "added": added,
        "removed": [photo for name, photo in before.items() if name not in now],
        "replaced": [photo for name, photo in now.items() if name in before and photo.stamp != before[name].stamp],
        "moved to another split or name": [
            photo for name, photo in now.items() if name in before and photo.target != before[name].target
        ],
    }
    words = _in_words(changes, {photo.identity for photo in before.values()}, {photo.identity for photo in photos})
    others = [photo for kind, changed in changes.items() if kind != "added" for photo in changed]
    if others:
        raise UserError(
            f"{output} was made of other photos: {words}, such as {others[0].name}; photos can be added to it, but for "
            "other changes choose another `output` or delete it."
        )
    if added:
        go_on_with(output, settings)
        _write_record(output, photos)
        note(f"{output}: {words}.")
    return {photo.name for photo in added}


def _in_words(changes: Mapping[str, Sequence[RecordedPhoto]], before: Collection[str], now: Collection[str]) -> str:
    parts = []
    for kind, photos in changes.items():
        others = {"added": before, "removed": now}.get(kind)
        persons = {photo.identity for photo in photos} - set(others) if others is not None else set()
        if photos:
            parts.append(people_in_words(len(persons), len(photos), kind))
    return ", ".join(parts)


def people_in_words(persons: int, photos: int, kind: str = "added") -> str:
    """Such as "2 persons, 7 photos added"; persons only where there are any."""
    words = f"{counted(photos, 'photo')} {kind}"
    return f"{counted(persons, 'person')}, {words}" if persons else words


def _write_record(tree: Path, photos: Sequence[RecordedPhoto]) -> None:
    with atomic_file(tree / RECORD) as temporary, open(temporary, "w", encoding="utf-8") as file:
        for photo in photos:
            file.write(json.dumps([photo.name, photo.target, photo.stamp]) + "\n")

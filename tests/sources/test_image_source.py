"""Whose a photo is, in folders and zips as people and systems make them, and what is not read."""

import io
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from lrfr_tf.data.celeba import match_images
from lrfr_tf.data.landmarks import by_image
from lrfr_tf.data.paired_photos import find_paired_photos
from lrfr_tf.data.pairs import Pair, image_key
from lrfr_tf.errors import UserError
from lrfr_tf.sources.image_source import (
    ImageSource,
    ZipSource,
    images_by_identity,
    images_by_innermost_folder,
    open_source,
)

Made = Callable[..., ImageSource]


@pytest.fixture(params=["folder", "zip"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Made:
    """Makes a folder, or a zip, of the files that are named; they are one picture, whatever their endings."""
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), "grey").save(buffer, "PNG")

    def make(*names: str) -> ImageSource:
        if request.param == "zip":
            with zipfile.ZipFile(tmp_path / "people.zip", "w") as archive:
                for name in names:
                    archive.writestr(name, buffer.getvalue())
            return open_source(tmp_path / "people.zip")
        for name in names:
            (tmp_path / "people" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "people" / name).write_bytes(buffer.getvalue())
        return open_source(tmp_path / "people")

    return make


def test_the_first_folder_names_the_person(made: Made) -> None:
    names = ["ann/1.png", "ann/2020/1.png", "ann/2020/summer/2.jpg", "bob/phone/1.png"]
    assert images_by_identity(made(*names)) == {"ann": sorted(names[:3]), "bob": names[3:]}


def test_folders_that_systems_make_are_passed_over(made: Made) -> None:
    hidden = [
        "ann/.thumbnails/1.png", "ann/@eaDir/1.png/x.png", "__MACOSX/ann/._1.png", "ann/__MACOSX/1.png",
        ".ipynb_checkpoints/1.png", "bob/.ipynb_checkpoints/1-checkpoint.png", "@Recycle/cy/1.png", "ann/._1.png",
    ]  # fmt: skip
    notes: list[str] = []
    source = made("ann/1.png", "bob/1.png", *hidden)
    assert images_by_identity(source, notes.append) == {"ann": ["ann/1.png"], "bob": ["bob/1.png"]}
    assert notes == []
    assert source.names() == ["ann/1.png", "bob/1.png"]


def test_the_folder_that_was_zipped_is_no_person(made: Made) -> None:
    notes: list[str] = []
    names = ["data/people/ann/1.png", "data/people/ann/old/1.png", "data/people/bob/1.png"]
    source = made(*names, "data/readme.txt", "cover.png")
    found = images_by_identity(source, notes.append)
    passed_over = "2 files were passed over: 1 .txt, 1 photo in no person's folder."
    if isinstance(source, ZipSource):
        assert found == {"ann": names[:2], "bob": names[2:]}
        told = f"{source.label('').rstrip('/')} holds one folder, data/people; the folders in it name the persons."
        assert notes == [told, passed_over]
    else:  # the user named the folder of persons, of whom there is one, with albums
        assert found == {"data": names}
        assert notes == [passed_over]


def test_a_folder_with_photos_is_a_person(made: Made) -> None:
    notes: list[str] = []
    assert list(images_by_identity(made("ann/1.png", "ann/old/2.png"), notes.append)) == ["ann"]
    assert notes == []


def test_what_is_not_read_is_counted(made: Made) -> None:
    notes: list[str] = []
    files = [f"ann/{number}.CR2" for number in range(9)]
    source = made("ann/1.png", "bob/1.png", "1.png", "notes.txt", "ann/n.txt", "ann/raw", ".DS_Store", *files)
    images_by_identity(source, notes.append)
    counts = "9 .cr2, 2 .txt, 1 without an ending, 1 photo in no person's folder"
    assert notes == [f"13 files were passed over: {counts}."]


def test_without_a_photo_of_a_person_the_error_counts(made: Made) -> None:
    with pytest.raises(UserError, match=r"holds no <identity>/<image> .*; 3 files were passed over: 1 .cr2, 2 photos"):
        images_by_identity(made("1.png", "2.png", "ann/1.cr2"))


def test_two_spellings_of_an_accent_are_one_person(made: Made) -> None:
    composed, decomposed = (unicodedata.normalize(form, "Zoë") for form in ("NFC", "NFD"))
    source = made(f"{composed}/1.png", f"{decomposed}/{decomposed}.png", "bob/1.png")
    found = images_by_identity(source)
    assert {name: len(images) for name, images in found.items()} == {"bob": 1, composed: 2}
    assert image_key(decomposed, f"{decomposed}.jpg") == (composed, composed)
    assert list(by_image({f"{decomposed}/1.png": None})) == [(composed, "1")]  # type: ignore[dict-item]
    pair = Pair((composed, "1.png"), (composed, f"{composed}.png"))
    assert find_paired_photos(source, [[pair]]).images == [f"{composed}/1.png", f"{decomposed}/{decomposed}.png"]


def test_photos_of_phones_are_images(made: Made) -> None:
    names = ["ann/1.HEIC", "ann/2.heif", "ann/3.jfif", "ann/4.JPE"]
    assert images_by_identity(made(*names)) == {"ann": names}


def test_linked_folders_are_followed_once_and_without_loops(tmp_path: Path) -> None:
    people, elsewhere = tmp_path / "people", tmp_path / "elsewhere"
    for photo in (people / "bob" / "1.png", elsewhere / "cy" / "old" / "1.png", elsewhere / "dee" / "1.png"):
        photo.parent.mkdir(parents=True)
        photo.write_bytes(b"")
    (people / "cy").symlink_to(elsewhere / "cy")
    (people / "aka bob").symlink_to(people / "bob")  # the folder keeps its own name, though the link sorts first
    (people / "bob" / "me").symlink_to(people / "bob")
    (people / "up").symlink_to(tmp_path)
    (elsewhere / "cy" / "back").symlink_to(people)
    (people / ".cache").symlink_to(elsewhere / "dee")
    (people / "gone").symlink_to(tmp_path / "nowhere")
    notes: list[str] = []
    found = images_by_identity(open_source(people), notes.append)
    assert found == {"bob": ["bob/1.png"], "cy": ["cy/old/1.png"]}
    (note,) = notes
    assert "1 without an ending, 4 linked to folders that are read already, such as aka bob." in note
    # The whole set may be linked, too.
    (tmp_path / "set").symlink_to(people)
    assert images_by_identity(open_source(tmp_path / "set")) == found


def test_a_zip_that_windows_made_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "people.zip", "w") as archive:
        for name in ("set\\", "set\\ann\\1.png", "set\\ann\\2.png", "set\\bob\\1.png"):
            archive.writestr(name, name)
    source = open_source(tmp_path / "people.zip")
    found = images_by_identity(source)
    assert found["ann"] == ["set/ann/1.png", "set/ann/2.png"]
    assert source.read("set/ann/2.png") == b"set\\ann\\2.png"


def test_names_in_utf8_without_the_flag_that_says_so(tmp_path: Path) -> None:
    """So macOS writes them; the accent is a letter of its own there."""
    with zipfile.ZipFile(tmp_path / "people.zip", "w") as archive:
        archive.writestr("Zo__/1.png", "a photo")
        archive.writestr("M_ller/1.png", "a photo")
    data = (tmp_path / "people.zip").read_bytes()
    as_written = {b"Zo__": unicodedata.normalize("NFD", "Zö").encode(), b"M_ller": "Müller".encode("cp437")}
    for name, spelled in as_written.items():
        assert len(name) == len(spelled)
        data = data.replace(name, spelled)
    (tmp_path / "people.zip").write_bytes(data)
    source = open_source(tmp_path / "people.zip")
    assert set(images_by_identity(source)) == {"Zö", "Müller"}
    assert all(source.read(name) == b"a photo" for name in source.names())


def test_an_encrypted_zip_is_one_sentence(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "people.zip", "w") as archive:
        archive.writestr("ann/1.png", "a photo")
    data = bytearray((tmp_path / "people.zip").read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the flags of its two headers
        data[data.index(mark) + at] |= 1
    (tmp_path / "people.zip").write_bytes(data)
    with pytest.raises(UserError, match=r"people.zip is protected by a password; unpack it and give the folder\.$"):
        open_source(tmp_path / "people.zip")


def test_in_vggface2_the_innermost_folder_names_the_person(made: Made) -> None:
    names = ["VGGFace2/test/n000001/1.jpg", "VGGFace2/train/n000002/1.jpg", "VGGFace2/train/n000002/2.jpg"]
    assert images_by_innermost_folder(made(*names)) == {"n000001": names[:1], "n000002": names[1:]}


def test_photos_that_a_list_does_not_name_are_counted(made: Made) -> None:
    notes: list[str] = []
    source = made("img/1.jpg", "img/2.jpg", "img/3.jpg", "img/list.txt")
    match_images(source, {"1.jpg": "7", "9.jpg": "7"}, notes.append)
    passed_over = "3 files were passed over: 1 .txt, 2 photos that the list does not name."
    assert notes == [f"{passed_over} Missing: 1 of 2 images that the list names (9.jpg)."]


def test_a_list_and_a_disk_may_spell_a_file_in_two_ways(made: Made) -> None:
    name = unicodedata.normalize("NFD", "Zoë.jpg")
    assert match_images(made(name), {unicodedata.normalize("NFC", name): "7"}) == ({"7": [name]}, [])

"""Mistakes with flags, photos and lists: exit code 2, one sentence that names the thing, nothing left half-made."""

import shutil
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.cli import train_classifier, train_siamese, train_srcnn, train_srgan
from lrfr_tf.data.face_cache import load_training_faces
from lrfr_tf.files import read_json
from lrfr_tf.images.decode import IMAGE_SUFFIXES
from lrfr_tf.main import run
from tests.cli.conftest import REPOSITORY, TOOLS, Refused, Tool
from tests.faces_by_code import write_people
from tests.tools.small_runs import (
    files_below,
    finish_script,
    finished_files,
    lines_beside_progress,
    sentence,
    write_celeba,
)

TOOL_NAMES = sorted(path.stem for path in [*TOOLS.glob("*.py"), *REPOSITORY.glob("[!_]*.py")])
TRAIN_SCRIPTS = {
    "train_srcnn": train_srcnn,
    "train_srgan": train_srgan,
    "train_siamese": train_siamese,
    "train_classifier": train_classifier,
}


def write_header_of_a_huge_png(path: Path) -> None:
    """A valid PNG of some bytes that says 60,000 x 50,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 50_000, 8, 2, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)


@pytest.mark.parametrize("name", [*TOOL_NAMES, *TRAIN_SCRIPTS])
def test_unknown_flags_and_bad_flagfiles_are_refused_everywhere(
    name: str, tool: Tool, refused: Refused, tmp_path: Path
) -> None:
    module = TRAIN_SCRIPTS.get(name) or tool(name)
    assert "nosuch" in refused(module, "--nosuch=1")
    assert "/nowhere/run.cfg" in refused(module, "--flagfile=/nowhere/run.cfg")
    flagfile = tmp_path / "run.cfg"
    flagfile.write_text("# settings\n--not_a_setting=3\n")
    assert "not_a_setting" in refused(module, f"--flagfile={flagfile}")
    assert "'stray' is not a flag" in refused(module, "stray")


def test_an_empty_folder_on_the_real_command_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    code, out, error = finish_script(
        "tools/prepare_folder.py", f"--images={tmp_path}/empty", f"--output={tmp_path}/out"
    )
    assert (code, out) == (2, "")
    assert error == f"error: {tmp_path}/empty holds no <identity>/<image> ({', '.join(IMAGE_SUFFIXES)}).\n"
    assert not (tmp_path / "out").exists()


def test_an_unknown_flag_on_the_real_command_line() -> None:
    code, out, error = finish_script("-m lrfr_tf.train_srcnn", "--data=x", "--output=y", "--nosuch=1")
    assert (code, out) == (2, "")
    assert "nosuch" in sentence(error)
    assert error.count("\n") == 1


def test_a_successful_run_says_nothing_but_its_progress(photos: Path, prepared: Path, tmp_path: Path) -> None:
    code, out, error = finish_script("tools/prepare_folder.py", f"--images={photos}", f"--output={tmp_path}/tree")
    assert code == 0
    assert lines_beside_progress(error) == []
    assert "prepare: 100%" in error
    assert out.startswith(f"{tmp_path}/tree: 4 identities, images ")
    assert files_below(tmp_path / "tree") == files_below(prepared)


@pytest.mark.slow
def test_training_and_super_resolving_say_nothing_but_their_progress(prepared: Path, tmp_path: Path) -> None:
    code, _, error = finish_script(
        "-m lrfr_tf.train_srcnn", f"--data={prepared}", f"--output={tmp_path}/run", "--steps=2", "--batch_size=4"
    )  # with XLA, which likes to talk
    assert (code, lines_beside_progress(error)) == (0, [])
    code, _, error = finish_script(
        "tools/super_resolve.py", f"--data={prepared}", f"--model=bicubic,{tmp_path}/run/model", f"--output={tmp_path}"
    )
    assert (code, lines_beside_progress(error)) == (0, [])


def test_folders_that_cannot_be_prepared(tool: Tool, refused: Refused, photos: Path, tmp_path: Path) -> None:
    prepare, output = tool("prepare_folder"), tmp_path / "out"
    flags = (f"--images={tmp_path}/photos", f"--output={output}")
    assert f"{tmp_path}/photos does not exist" in refused(prepare, *flags)
    (tmp_path / "photos" / "ann").mkdir(parents=True)
    assert f"{tmp_path}/photos holds no <identity>/<image>" in refused(prepare, *flags)
    shutil.copy(photos / "1" / "00.png", tmp_path / "photos" / "ann")
    assert "No identity has the 3 images" in refused(prepare, *flags)
    assert "(1 identity was found)" in refused(prepare, *flags)
    missing_test = refused(prepare, f"--images={photos}", f"--output={output}", f"--test_images={tmp_path}/no")
    assert f"{tmp_path}/no does not exist" in missing_test
    assert not output.exists()
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("mine")
    foreign = refused(prepare, f"--images={photos}", f"--output={tmp_path}/home")
    assert f"{tmp_path}/home is not empty and was not made by this command" in foreign
    assert files_below(tmp_path / "home") == {"letter.txt": b"mine"}


def test_photos_without_names_make_a_tree_to_learn_from(
    tool: Tool, refused: Refused, photos: Path, tmp_path: Path
) -> None:
    prepare = tool("prepare_folder")
    (tmp_path / "all").mkdir()
    for place, photo in enumerate(sorted(photos.glob("*/*.png"))[:7]):
        shutil.copy(photo, tmp_path / "all" / f"{5 * place:05d}.png")
    flags = (f"--images={tmp_path}/all", "--unnamed", f"--output={tmp_path}/tree")
    assert "photos have none" in refused(prepare, *flags, f"--test_images={photos}")
    run(prepare.main, prepare.Config, ["script", *flags])
    assert read_json(tmp_path / "tree" / "manifest.json")["images"] == {"extra": 7}
    faces, _ = load_training_faces([tmp_path / "tree"], ("train", "extra"), held_out_divisor=5)
    assert faces.shape == (7, 64, 64, 3)
    (tmp_path / "empty").mkdir()
    message = refused(prepare, f"--images={tmp_path}/empty", "--unnamed", f"--output={tmp_path}/other")
    assert f"{tmp_path}/empty holds no image." in message
    assert not (tmp_path / "other").exists()


def test_photos_without_a_face_make_no_tree(tool: Tool, refused: Refused, tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / "photos" / "ann").mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (60, 60), "grey").save(tmp_path / "photos" / "ann" / f"{number}.png")
    flags = (f"--images={tmp_path}/photos", f"--output={tmp_path}/out")
    assert "No face was found in the one image of the test split" in refused(tool("prepare_folder"), *flags)
    assert not finished_files(tmp_path / "out")


@pytest.mark.parametrize("kind", ["cut off", "a text", "huge"])
def test_a_bad_photo_is_named_and_passed_over(
    kind: str, tool: Tool, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(photos, tmp_path / "photos")
    spoil(tmp_path / "photos" / "2" / "03.png", kind)
    shutil.copytree(photos / "10", tmp_path / "photos" / "bob")
    for number in (2, 3, 4):
        (tmp_path / "photos" / "bob" / f"{number:02d}.png").unlink()
    module = tool("prepare_folder")
    run(module.main, module.Config, ["script", f"--images={tmp_path}/photos", f"--output={tmp_path}/out"])
    expected = {"cut off": "truncated", "a text": "is not an image that is known here", "huge": "60000 x 50000 pixels"}
    notes = [line for line in capsys.readouterr().err.splitlines() if line.startswith("note: ")]
    (bad,) = [line for line in notes if line.startswith("note: 2/03.png is passed over: ")]
    assert expected[kind] in bad
    few = "Each person needs 3 photos, to test, to validate and to train; these have fewer and are dropped: bob (2)."
    assert f"note: {few}" in notes
    assert [item["image"] for item in read_json(tmp_path / "out" / "bad_images.json")] == ["2/03.png"]
    assert read_json(tmp_path / "out" / "manifest.json")["images"] == {"train": 11, "val": 4, "test": 4}


def test_more_than_three_bad_photos_and_more_than_one_in_twenty_are_an_error(
    tool: Tool, refused: Refused, photos: Path, tmp_path: Path
) -> None:
    shutil.copytree(photos, tmp_path / "photos")
    for number in range(1, 5):
        spoil(tmp_path / "photos" / "2" / f"{number:02d}.png", "a text")
    output = tmp_path / "out"
    for name in ("prepare_folder", "prepare_aligned"):
        message = refused(tool(name), f"--images={tmp_path}/photos", f"--output={output / name}")
        told = "4 of 20 images cannot be found or read (more than 5% and more than 3), for example 2/01.png"
        assert told in message
        assert len(read_json(output / name / "bad_images.json")) == 4
        assert not finished_files(output / name)


def spoil(photo: Path, kind: str) -> None:
    if kind == "cut off":
        photo.write_bytes(photo.read_bytes()[:-200])
    elif kind == "a text":
        photo.write_text("not an image")
    else:
        write_header_of_a_huge_png(photo)


def test_a_huge_image_among_many_is_left_out_and_named(tool: Tool, tmp_path: Path) -> None:
    images, identities = write_celeba(tmp_path, identities=10, images=12)
    write_header_of_a_huge_png(images / "000050.png")
    module = tool("prepare_celeba")
    run(module.main, module.Config, [
        "script", f"--images={images}", f"--identities={identities}", f"--output={tmp_path}/tree",
    ])  # fmt: skip
    manifest = read_json(tmp_path / "tree" / "manifest.json")
    (bad,) = manifest["bad_images"]
    assert bad["image"] == "000050.png"
    assert "60000 x 50000 pixels, more than the 40,000,000 that are allowed" in bad["reason"]
    assert sum(manifest["images"].values()) == 119


def test_celeba_in_the_wrong_files(tool: Tool, refused: Refused, tmp_path: Path) -> None:
    prepare, output = tool("prepare_celeba"), tmp_path / "out"
    images, identities = write_celeba(tmp_path, identities=3, images=4)

    def with_list(path: Path) -> str:
        return refused(prepare, f"--images={images}", f"--identities={path}", f"--output={output}")

    assert "nowhere.txt cannot be read" in with_list(tmp_path / "nowhere.txt")
    assert "000001.png cannot be read as identity_CelebA.txt: it is no text" in with_list(images / "000001.png")
    attributes = tmp_path / "list_attr_celeba.txt"
    attributes.write_text("12\n5_o_Clock_Shadow Arched_Eyebrows\n000001.png -1 1\n")
    assert f"{attributes}, line 2: '5_o_Clock_Shadow Arched_Eyebrows' is not '<image file> <" in with_list(attributes)
    twice = tmp_path / "twice.txt"
    twice.write_text("000001.png 1\n000002.png 2\n000001.png 3\n")
    assert f"{twice}, line 3: 000001.png is named twice" in with_list(twice)
    others = tmp_path / "others.txt"
    others.write_text("900001.jpg 1\n900002.jpg 1\n")
    assert f"Of 2 images of the identity list (the first is 900001.jpg) none is in {images}" in with_list(others)
    more = tmp_path / "more.txt"
    more.write_text(identities.read_text() + "000013.png 1\n")
    assert "1 of 13 images cannot be found or read" in with_list(more)
    assert not finished_files(output)
    page = tmp_path / "img_align_celeba.zip"
    page.write_text("<!DOCTYPE html><title>Google Drive - Quota exceeded</title>")
    message = refused(prepare, f"--images={page}", f"--identities={identities}", f"--output={tmp_path}/other")
    assert f"{page} is not a readable zip file; a web page saved in its place" in message
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("flag", ["--scale=0", "--scale=nan", "--high_size=0", "--low_size=0"])
def test_numbers_that_make_no_sense_are_refused_in_preparing(
    flag: str, tool: Tool, refused: Refused, photos: Path, tmp_path: Path
) -> None:
    message = refused(tool("prepare_folder"), f"--images={photos}", f"--output={tmp_path}/out", flag)
    assert flag.split("=")[0] in message


def test_an_output_that_is_a_file_is_refused(tool: Tool, refused: Refused, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    message = refused(tool("prepare_folder"), f"--images={photos}", f"--output={tmp_path}/out")
    assert f"{tmp_path}/out" in message


def test_photos_of_one_name_in_two_folders_of_a_person_are_both_kept(
    portrait: np.ndarray, tool: Tool, tmp_path: Path
) -> None:
    for place in ("home", "work"):
        write_people(tmp_path / "photos" / place, portrait, {"ann": 4})
    prepare = tool("prepare_folder")
    prepare.main(prepare.Config(images=str(tmp_path / "photos"), output=str(tmp_path / "tree")))
    assert sum(read_json(tmp_path / "tree" / "manifest.json")["images"].values()) == 8


def test_a_zip_writes_nothing_beside_the_splits(tool: Tool, refused: Refused, photos: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for path in sorted((photos / "1").iterdir()):
            archive.write(path, f"../{path.name}")
    refused(tool("prepare_folder"), f"--images={tmp_path}/photos.zip", f"--output={tmp_path}/tree")
    assert not list(tmp_path.glob("tree/*/*.png"))

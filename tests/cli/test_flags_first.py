"""Flags are checked before TensorFlow is loaded, whichever way a command is called."""

import dataclasses
import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from lrfr_tf.benchmarks.registry import BENCHMARKS
from lrfr_tf.config import INPUT_FLAGS, NAME_OR_PATH_FLAGS
from lrfr_tf.stand_ins import LARGE_PACKAGES, light_module
from tests.conftest import ROOT

OF_BENCHMARKS = {f"evaluate_{entry.name}" for entry in BENCHMARKS}
TOOLS = sorted(path.stem for path in (ROOT / "tools").glob("*.py"))
# A command as the name of its module, or as "evaluate_benchmark:lfw".
COMMANDS = [name.replace("evaluate_", "evaluate_benchmark:") if name in OF_BENCHMARKS else name for name in TOOLS]
TRAININGS = sorted(path.stem for path in (ROOT / "lrfr_tf").glob("train_*.py"))

# Each of these scripts runs in one fresh process for all commands, as starting Python takes longer than the rest.
DESCRIBE = """
import dataclasses, json, sys
from lrfr_tf.stand_ins import light_module
found = {}
for name in sys.argv[1:]:
    module, _, part = name.partition(":")
    module = light_module(f"lrfr_tf.cli.{module}", part)
    assert module is not None, f"{name} cannot be imported with stand-ins"
    fields = [(field.name, str(field.type), "" if field.default is dataclasses.MISSING else repr(field.default),
               repr(field.metadata)) for field in dataclasses.fields(module.Config)]
    found[name] = [getattr(module, "description", module.__doc__), fields]
print(json.dumps(found))
"""
CALL = """
import contextlib, io, json, runpy, sys
from lrfr_tf.cli.command import main
from lrfr_tf.stand_ins import LARGE_PACKAGES
answers = []
for script, *words in json.loads(sys.argv[1]):
    error = io.StringIO()
    code = 0
    with contextlib.redirect_stderr(error):
        try:
            if script == "lrfr":
                main(words)
            else:
                sys.argv = [script, *words]
                by = runpy.run_path if script.endswith(".py") else runpy.run_module
                by(script, run_name="__main__")
        except SystemExit as stopped:
            code = stopped.code
    answers.append([code, error.getvalue(), sorted(LARGE_PACKAGES & sys.modules.keys())])
print(json.dumps(answers))
"""


def in_fresh_process(script: str, *arguments: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def command_called(name: str) -> Any:
    """What has the `Config` of one of `COMMANDS`."""
    name, _, part = name.partition(":")
    module = importlib.import_module(f"lrfr_tf.cli.{name}")
    return module.command_of(part) if part else module


def refusals(calls: list[list[str]]) -> list[str]:
    """The sentence of each refused call; none of them loads a large package."""
    sentences = []
    for call, (code, error, loaded) in zip(calls, in_fresh_process(CALL, json.dumps(calls)), strict=True):
        assert (call, code, loaded) == (call, 2, [])
        assert error.startswith("error: ")
        assert error.count("\n") == 1
        sentences.append(error.removeprefix("error: ").rstrip())
    return sentences


def test_flags_are_the_same_with_and_without_the_large_packages() -> None:
    found = in_fresh_process(DESCRIBE, *COMMANDS, *TRAININGS, "models")
    for name, (text, fields) in found.items():
        module = command_called(name)
        assert text == getattr(module, "description", module.__doc__)
        for field, described in zip(dataclasses.fields(module.Config), fields, strict=True):
            default = "" if field.default is dataclasses.MISSING else repr(field.default)
            assert described == [field.name, str(field.type), default, repr(field.metadata)]


def test_a_bad_flag_loads_nothing_large() -> None:
    ways = [[f"tools/{name}.py"] for name in TOOLS] + [[f"lrfr_tf.{name}"] for name in TRAININGS]
    ways += [["lrfr", "models"], ["lrfr", "identify"], ["lrfr", "train", "siamese"]]
    for sentence in refusals([[*way, "--nosuch=1"] for way in ways]):
        assert "nosuch" in sentence


def test_what_else_is_wrong_with_flags_loads_nothing_large(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no image")
    nowhere = f"{tmp_path}/nowhere"
    expected = {
        ("lrfr", "train", "srcnn", "--output=x"): "--data is missing: ",
        ("lrfr_tf.train_siamese", "--data=x"): "--output is missing: ",
        ("tools/prepare_folder.py", f"--images={nowhere}", "--output=x"): f"--images={nowhere} does not exist.",
        ("lrfr", "train", "srgan", f"--data={nowhere}", "--output=x"): f"--data={nowhere} does not exist.",
        ("lrfr", "evaluate", "people", f"--model={nowhere}", "--people=.", "--output=x"): f"--model={nowhere} does",
        ("lrfr", "calibrate", "--model=siamese", f"--people=.:{nowhere}"): f"--people=.:{nowhere} does not exist.",
        ("lrfr", "detect", "--images=.", "--output=x", "--min_face_size=ten"): "flag --min_face_size=ten: ",
        ("lrfr", "train", "srcnn", "--data=.", "--output=x", "--variant=1"): "--variant=1 is not known; ",
        ("lrfr", "identify", "--gallery=."): "Give one of --image, --folder, --video, and one only.",
        ("lrfr", "identify", "--gallery=.", "--folder=.", "--every=0"): "--every=0 is out of range; ",
        ("lrfr", "identify", "--gallery=.", f"--image={tmp_path}"): f"{tmp_path} ",
        ("lrfr", "identify", "--gallery=.", f"--image={tmp_path}/text.jpg"): f"{tmp_path}/text.jpg is not an image",
        ("lrfr", "identify", f"--gallery={nowhere}", "--folder=."): f"--gallery={nowhere} does not exist.",
        ("lrfr", "identify", "--gallery=.", f"--video={nowhere}"): f"--video={nowhere} does not exist.",
        ("lrfr", "identify", "--gallery=.", "--folder=.", "--embedder=siames"): "The embedding model 'siames' is not",
        ("lrfr", "gallery", "create", "--gallery=x.db", "--embedder=siames"): "The embedding model 'siames' is not",
        ("lrfr", "gallery", "migrate", "--gallery=x.db", "--model=siames"): "The embedding model 'siames' is not",
        ("lrfr", "gallery", "enroll", "--gallery=x.db", "--person=a"): "Give --folder, or --person with --image.",
        ("lrfr", "evaluate", "lfw", "--model=x", "--data=.", "--pairs=.", "--output=x"): "The embedding model 'x' is",
        ("lrfr", "evaluate", "tinyface", "--model=siamese", "--data=.", f"--output={tmp_path}"): "--output=",
        ("tools/convert_model.py", "--model=.", "--output=x", "--to=tflite_int8"): "--to=tflite_int8 needs ",
    }  # fmt: skip
    sentences = refusals([list(call) for call in expected])
    for sentence, begin in zip(sentences, expected.values(), strict=True):
        assert sentence.startswith(begin)


def test_every_flag_that_is_read_is_looked_for() -> None:
    """A new flag for a file is either known as input or named here."""
    others = {"output", "save_landmarks", "contact_sheet", "teacher_cache"}  # written
    others |= {"gallery", "methods"}  # looked for by the command; names in a folder
    words = ("folder", "file", "zip", "list of", "table of", "tree", "photo", "video")
    for name in [*COMMANDS, *TRAININGS]:
        for field in dataclasses.fields(command_called(name).Config):
            text = field.metadata["help"]
            if "str" in str(field.type) and text.startswith((*words, *(f"a {word}" for word in words))):
                assert field.name in INPUT_FLAGS | NAME_OR_PATH_FLAGS | others, f"{name} --{field.name}: {text}"


def test_large_packages_that_are_there_are_used() -> None:
    assert LARGE_PACKAGES & sys.modules.keys()  # here they are loaded
    assert light_module("lrfr_tf.cli.identify") is None

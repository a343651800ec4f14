"""Command-line flags -> one frozen dataclass, and the record of a run (`run.json`).

A script describes its settings as a frozen dataclass whose fields are made with `option` or `required`. `parse` turns
the command line (and any `--flagfile`) into an instance of it. Nothing below an entry script sees a flag.
"""

import dataclasses
import importlib.metadata
import os
import platform
import re
import subprocess
import sys
import typing
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, TypeVar

from absl import flags

from lrfr_tf.errors import UserError
from lrfr_tf.files import write_json

Config = TypeVar("Config")

SETTING = re.compile(r"`(\w+)`")  # how texts of the library name a setting
# What is given by flags of these names is read, in every command: it must be there.
INPUT_FLAGS = frozenset({
    "against", "baseline", "calibration_faces", "checkpoint", "data", "data_root", "document", "embeddings", "exclude",
    "exclude_names", "faces", "facenet_weights", "folder", "heads", "identities", "identity_meta", "image",
    "images", "levels", "pairs", "people", "photos", "pixels", "siamese_embeddings", "siamese_heads", "teacher_weights",
    "test_images", "test_subjects", "vgg_weights", "video", "without_tests_of",
})  # fmt: skip
# These take a name ("siamese", "detect") or a path, which is told by the slash in it.
NAME_OR_PATH_FLAGS = frozenset({
    "embedder", "identity_embedder", "initial_generator", "initial_weights", "landmarks", "model", "models", "siamese",
    "srcnn", "srgan", "srresnet", "super_resolver",
})  # fmt: skip
NAMED_FLAGS = frozenset({"models"})  # of these, a path may come behind the name that a comparison gives it: NAME=PATH

PACKAGES = ("tensorflow", "keras", "numpy", "pillow", "mtcnn", "keras-facenet", "scikit-learn", "scipy", "h5py")


def option(
    default: Any,
    help: str,
    choices: Sequence[str] | None = None,
    *,
    at_least: float | None = None,
    above: float | None = None,
) -> Any:
    """A setting with a default.

    Args:
        choices: the values that a string, or each item of a tuple of strings, may have.
        at_least, above: bounds of a number; a value that is not a number (NaN) is outside of them.
    """
    metadata = {"help": help, "choices": choices, "at_least": at_least, "above": above}
    return dataclasses.field(default=default, metadata=metadata)


def required(help: str, choices: Sequence[str] | None = None) -> Any:
    """A setting that the user must give."""
    return dataclasses.field(metadata={"help": help, "choices": choices, "at_least": None, "above": None})


def with_default(base: type[Any], name: str, default: Any) -> Any:
    """The setting `name` of the dataclass `base` with another default; its help, choices and bounds stay."""
    fields = {field.name: field for field in dataclasses.fields(base)}
    return dataclasses.field(default=default, metadata=fields[name].metadata)


def parse(config_class: type[Config], arguments: Sequence[str], description: str = "") -> Config:
    """Reads `arguments` (the command line; the first item is the program's name) into `config_class`.

    A field is a str, int, float, bool, `T | None`, or a tuple of str, int or float (given as a comma-separated list).

    Raises:
        UserError: an unknown flag, a value of the wrong type, one outside its choices, a required flag left out, or a
            flagfile that cannot be read.
        SystemExit: `--help` was given; the text is on stdout.
    """
    values = flags.FlagValues()
    flags.DEFINE_bool("help", False, "show this text", short_name="h", flag_values=values)
    flags.DEFINE_bool("verbose", False, "leave TensorFlow's own log on, and show tracebacks", flag_values=values)
    kinds = typing.get_type_hints(config_class)
    fields = dataclasses.fields(config_class)  # type: ignore[arg-type]
    for field in fields:
        _define(field, kinds[field.name], values)
    try:
        rest = values(list(arguments))
    except flags.Error as error:
        raise UserError(_one_line(error)) from None
    if values["help"].value:
        text = f"{description.strip()}\n\n{_help_text(fields, kinds)}"
        print(with_flags(text, flags_of(config_class)))
        raise SystemExit(0)
    if len(rest) > 1:
        raise UserError(f"{rest[1]!r} is not a flag; settings are given as --name=value (see --help).")
    settings = {}
    for field in fields:
        value = values[field.name].value
        if value is None and field.default is dataclasses.MISSING:
            raise UserError(f"--{field.name} is missing: {field.metadata['help']}.")
        settings[field.name] = _checked(field, kinds[field.name], value)
    return config_class(**settings)


def check_inputs(config: Any) -> None:
    """Looks whether what a command is to read is there, by the names of its settings.

    Raises:
        UserError: it is not.
    """
    for field in dataclasses.fields(config):
        _check_is_there(field.name, getattr(config, field.name))


def flags_of(config_class: type) -> set[str]:
    """The names of the flags that a command with this configuration has."""
    return {"verbose", *(field.name for field in dataclasses.fields(config_class))}


def with_flags(text: str, flags: Collection[str]) -> str:
    """A text of the library as users of a command read it: `batch_size` -> --batch_size, if there is such a flag."""
    return SETTING.sub(lambda name: f"--{name[1]}" if name[1] in flags else name[0], text)


def write_run_record(folder: str | Path, config: Any, **more: Any) -> None:
    """Writes `run.json` into a run folder: effective settings, command line, git commit, versions of what ran."""
    record = {
        "config": dataclasses.asdict(config),
        "command": [*_started_as(), *sys.argv[1:]],
        "git_commit": git_commit(),
        "versions": versions(),
        **more,
    }
    write_json(Path(folder) / "run.json", record)


def _started_as() -> list[str]:
    """What followed `python` on the command line: ["-m", "lrfr_tf.train_srcnn"], or the path of a tool."""
    spec = sys.modules["__main__"].__spec__
    return ["-m", spec.name] if spec is not None else [sys.argv[0]]


def versions() -> dict[str, str]:
    """The versions of this project, of Python and of the packages that decide the figures."""
    found = {"python": platform.python_version()}
    for package in ("lrfr-tf", *PACKAGES):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def git_commit() -> str:
    """The commit of the checkout that runs, with "+changes" where the tree differs from it, or "unknown"."""
    try:
        root = Path(__file__).parent
        commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=True)
        dirty = subprocess.run(["git", "status", "--porcelain"], cwd=root, capture_output=True, text=True, check=True)
        return commit.stdout.strip() + ("+changes" if dirty.stdout.strip() else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _define(field: Any, kind: Any, values: flags.FlagValues) -> None:
    default = None if field.default is dataclasses.MISSING else field.default
    text = field.metadata["help"]
    kind = _without_none(kind)
    if typing.get_origin(kind) is tuple:
        shown = None if default is None else [str(item) for item in default]
        flags.DEFINE_list(field.name, shown, text, flag_values=values)
    elif kind is bool:
        flags.DEFINE_bool(field.name, default, text, flag_values=values)
    elif kind is int:
        flags.DEFINE_integer(field.name, default, text, flag_values=values)
    elif kind is float:
        flags.DEFINE_float(field.name, default, text, flag_values=values)
    else:
        flags.DEFINE_string(field.name, default, text, flag_values=values)


def _without_none(kind: Any) -> Any:
    kept = [item for item in typing.get_args(kind) if item is not type(None)]
    if type(None) in typing.get_args(kind) and len(kept) == 1:
        return kept[0]
    return kind


def _checked(field: Any, kind: Any, value: Any) -> Any:
    kind = _without_none(kind)
    if value is None:
        return None
    if typing.get_origin(kind) is tuple:
        item_kind = typing.get_args(kind)[0]
        try:
            value = tuple(item_kind(item.strip() if isinstance(item, str) else item) for item in value)
        except ValueError:
            raise UserError(f"--{field.name}={','.join(value)} is not a list of {item_kind.__name__}.") from None
        if not value and field.default != ():
            raise UserError(f"--{field.name} is empty: {field.metadata['help']}.")
    if field.metadata["choices"] is not None:
        for item in value if isinstance(value, tuple) else (value,):
            if item not in field.metadata["choices"]:
                allowed = ", ".join(field.metadata["choices"])
                raise UserError(f"--{field.name}={item} is not known; it takes {allowed}.")
    at_least, above = field.metadata["at_least"], field.metadata["above"]
    if at_least is not None and not value >= at_least:
        raise UserError(f"--{field.name}={value} is out of range; it must be at least {at_least}.")
    if above is not None and not value > above:
        raise UserError(f"--{field.name}={value} is out of range; it must be above {above}.")
    return value


def _check_is_there(name: str, value: Any) -> None:
    paths = [item for item in (value if isinstance(value, tuple) else (value,)) if isinstance(item, str) and item]
    if name in NAME_OR_PATH_FLAGS:
        paths = [path for path in paths if "/" in path or os.sep in path]
    elif name not in INPUT_FLAGS:
        return
    for path in paths:
        there = os.path.exists(path) or (name in NAMED_FLAGS and os.path.exists(path.partition("=")[2]))
        if not there and not all(map(os.path.exists, path.split(":"))):  # PHOTOS:LIST
            raise UserError(f"--{name}={path} does not exist.")


def _help_text(fields: Sequence[Any], kinds: dict[str, Any]) -> str:
    lines = ["Flags (or lines of a file given as --flagfile=FILE):"]
    for field in fields:
        if field.default is dataclasses.MISSING:
            default = "required"
        elif isinstance(field.default, tuple):
            default = "default " + (",".join(str(item) for item in field.default) or "none")
        elif field.default in (None, ""):
            default = ""  # what happens without the flag, its help says
        else:
            default = f"default {field.default}"
        choices = f"one of {', '.join(field.metadata['choices'])}" if field.metadata["choices"] else ""
        behind = "; ".join(filter(None, (default, choices)))
        lines.append(f"  --{field.name}: {field.metadata['help']}" + (f" ({behind})" if behind else ""))
    lines.append("  --verbose: leave TensorFlow's own log on, and show tracebacks")
    return "\n".join(lines)


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if text.endswith(".") else text + "."

"""TensorFlow without its own lines on stderr: for command lines, which print what is theirs."""

import contextlib
import importlib.abc
import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType


def silence_tensorflow() -> None:
    """Mutes TensorFlow's log, and what it prints while it is imported; to be called before anything imports it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "tensorflow" not in sys.modules:
        sys.meta_path.insert(0, _SilentTensorFlow())


class _SilentTensorFlow(importlib.abc.MetaPathFinder):
    """Lets TensorFlow be imported with stderr closed at the level of the operating system.

    TensorFlow 2.21 prints six lines of its own while it is imported, whatever TF_CPP_MIN_LOG_LEVEL says. What every
    command prints is ours, so they are muted when somebody first imports it; to import this package alone stays quick.
    `--verbose` keeps them.
    """

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_silently(module: ModuleType) -> None:
                with without_stderr():
                    load(module)

            spec.loader.exec_module = load_silently  # type: ignore[method-assign]
        return spec


@contextlib.contextmanager
def without_stderr() -> Iterator[None]:
    """Mutes what libraries write to stderr past Python."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)

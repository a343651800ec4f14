"""Low-resolution face recognition in TensorFlow / Keras 3."""

import contextlib
import os
import sys

__version__ = "0.1.0"


def _import_tensorflow_silently() -> None:
    """Imports TensorFlow with stderr closed at the level of the operating system.

    TensorFlow 2.21 prints six lines of its own while it is imported, whatever TF_CPP_MIN_LOG_LEVEL says. What every
    command prints is ours, so they are muted here, where the first line of the project runs. `--verbose` keeps them.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        with contextlib.suppress(ModuleNotFoundError):  # models/ and losses/ also run under another Keras backend
            import tensorflow  # noqa: F401
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


if "--verbose" not in sys.argv and os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow":
    _import_tensorflow_silently()

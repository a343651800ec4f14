"""Small exports that are checked in this process: a new one takes five seconds of CPU time, and shows nothing new.

The first export of each kind, in tests/export, starts its process; so do large ones, which need gigabytes while they
are compared, and give them back only when the process ends.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.export import servable
from lrfr_tf.export.check import check_export


@contextlib.contextmanager
def checked_here() -> Iterator[None]:
    """Within the block, exports are loaded and compared in this process."""

    def check(saved_model: Path, expected: Path) -> dict[str, Any]:
        try:
            return check_export(saved_model, expected)
        except UserError as error:
            raise servable.ExportError(f"The export failed its check: {error}") from None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(servable, "check_in_a_new_process", check)
        yield

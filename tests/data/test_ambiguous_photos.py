"""Photos with two faces of about one size: their names outlive a killed run."""

from pathlib import Path

import pytest

from lrfr_tf.data.ambiguous_photos import AmbiguousPhotos
from lrfr_tf.errors import UserError


def test_names_outlive_a_killed_run_and_count_once(tmp_path: Path) -> None:
    names = ["b/2.jpg", 'a/"odd"\nname.jpg', "a/\udce9.jpg"]  # the last is a file name that is no UTF-8
    AmbiguousPhotos(tmp_path).add(names[:2])
    (file,) = tmp_path.iterdir()
    file.write_text(file.read_text() + '\n"half of a na')  # where the run was killed
    resumed = AmbiguousPhotos(tmp_path)
    resumed.add([])
    resumed.add(names[1:])
    assert resumed.names() == sorted(names)
    resumed.forget()
    assert resumed.names() == [] == list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be written"):
        AmbiguousPhotos(tmp_path / "none").add(["a"])

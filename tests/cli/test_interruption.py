"""Stopping and starting again: what was begun is finished, and nothing half-made counts."""

import json
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.files import read_json
from lrfr_tf.main import run
from tests.cli.conftest import Refused, Tool
from tests.faces_by_code import write_people
from tests.tools.small_runs import (
    files_below,
    finish_script,
    finished_files,
    lines_beside_progress,
    small_embedder,
    start_script,
    write_celeba,
)


@pytest.mark.slow
def test_a_killed_preparation_goes_on_and_ends_the_same(portrait: np.ndarray, tool: Tool, tmp_path: Path) -> None:
    photos, killed, whole = tmp_path / "photos", tmp_path / "killed", tmp_path / "whole"
    write_people(photos, portrait, {str(person): 40 for person in range(1, 5)}, size=80)
    module = tool("prepare_folder")
    module.main(module.Config(images=str(photos), output=str(whole)))
    with start_script("tools/prepare_folder.py", f"--images={photos}", f"--output={killed}") as process:
        deadline = time.monotonic() + 120
        while not list(killed.glob("hr/*/*/[!.]*.png")):
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
    # A half-written image may lie about under its temporary name; whether it is counted, another test says.
    before, after = files_below(whole), {n: d for n, d in files_below(killed).items() if "/.part-" not in n}
    manifests = [json.loads(files.pop("manifest.json")) for files in (before, after)]
    assert after == before
    assert len([name for name in after if name.startswith("hr/")]) == 160
    for manifest in manifests:
        del manifest["images"]
    assert manifests[0] == manifests[1]


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


def test_half_written_images_of_a_killed_run_are_not_counted(tool: Tool, photos: Path, tmp_path: Path) -> None:
    prepare = tool("prepare_folder")
    left_behind = tmp_path / "tree" / "hr" / "train" / "1" / ".part-abc-02.png"
    prepare.main(prepare.Config(images=str(photos), output=str(tmp_path / "tree")))
    (tmp_path / "tree" / "manifest.json").unlink()
    left_behind.write_bytes(b"half an image")
    prepare.main(prepare.Config(images=str(photos), output=str(tmp_path / "tree")))
    assert read_json(tmp_path / "tree" / "manifest.json")["images"] == {"train": 12, "val": 4, "test": 4}


def test_mended_images_are_no_longer_named_as_bad(tool: Tool, refused: Refused, photos: Path, tmp_path: Path) -> None:
    shutil.copytree(photos, tmp_path / "photos")
    for number in range(5):
        (tmp_path / "photos" / "2" / f"{number:02d}.png").write_text("not an image")
    flags = (f"--images={tmp_path}/photos", f"--output={tmp_path}/tree")
    refused(tool("prepare_folder"), *flags)
    for number in range(1, 5):
        shutil.copy(photos / "2" / f"{number:02d}.png", tmp_path / "photos" / "2")
    run(tool("prepare_folder").main, tool("prepare_folder").Config, ["script", *flags])
    assert [bad["image"] for bad in read_json(tmp_path / "tree" / "manifest.json")["bad_images"]] == ["2/00.png"]
    shutil.copy(photos / "2" / "00.png", tmp_path / "photos" / "2")  # one that a finished tree was made without
    run(tool("prepare_folder").main, tool("prepare_folder").Config, ["script", *flags])
    assert read_json(tmp_path / "tree" / "manifest.json")["bad_images"] == []
    assert not (tmp_path / "tree" / "bad_images.json").exists()


def test_an_unfinished_super_resolved_folder_is_not_embedded(
    tool: Tool, refused: Refused, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(prepared, tmp_path / "tree")
    resolve, extract = tool("super_resolve"), tool("extract_embeddings")
    resolve.main(resolve.Config(data=str(tmp_path / "tree"), model=("bicubic",)))
    (tmp_path / "tree" / "bicubic" / "manifest.json").unlink()
    (tmp_path / "tree" / "bicubic" / "train" / "1" / "02.png").unlink()
    monkeypatch.setattr(extract, "load_embedder", small_embedder)
    flags = (f"--data={tmp_path}/tree", f"--output={tmp_path}/out", "--methods=bicubic")
    assert f"{tmp_path}/tree/bicubic" in refused(extract, *flags)

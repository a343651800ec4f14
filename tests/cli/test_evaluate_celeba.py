"""The study at a camera level, and beside the clean one: from trees and embeddings to both reports."""

from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.data.embeddings import EmbeddingSet, shard_path, write_shard
from lrfr_tf.data.folders import list_faces, write_classes
from lrfr_tf.data.photographed_tree import photograph_tree
from lrfr_tf.errors import UserError
from lrfr_tf.evaluation.image_quality import psnr
from lrfr_tf.files import read_json, sha256, write_json
from lrfr_tf.images.decode import read_image, write_png
from lrfr_tf.images.resize import resize
from lrfr_tf.networks.classifier import Classifier
from lrfr_tf.networks.heads import make_templates
from tests.cli.conftest import Tool
from tests.tools.held_out_tree import write_held_out_tree

PERSONS = (5, 6, 10)
METHODS = ("hr", "bicubic")
DIVISOR = 5


def write_experiment(data: Path, output: Path, seen: np.ndarray) -> dict[str, object]:
    """Bicubic images, embeddings of the test images, of which bicubic ones show the persons `seen`, and a head."""
    faces = list_faces(data / "lr", "test")
    for face in faces:
        write_png(data / "bicubic" / "test" / face.path, resize(read_image(data / "lr" / "test" / face.path), 64, 64))
    count = len(faces)
    for method in METHODS:
        write_classes(output / "embeddings" / method, [str(person) for person in PERSONS])
        manifest = {
            "schema": 1, "embedder": "a", "detector": {"name": "mtcnn", "thresholds": [0.6]}, "policy": "miss",
            "source": sha256(data / "manifest.json"), "splits": {"test": {"images": count, "shards": 1}},
        }  # fmt: skip
        write_json(output / "embeddings" / method / "manifest.json", manifest)
        rows = EmbeddingSet(
            paths=[face.path for face in faces],
            labels=np.arange(count),
            embeddings=np.eye(count, dtype=np.float32)[np.arange(count) if method == "hr" else seen],
            detected=np.ones(count, bool),
            usable=np.ones(count, bool),
            boxes=np.tile(np.array([10, 8, 50, 60], np.float32), (count, 1)),
            landmarks=np.tile(np.arange(10, dtype=np.float32).reshape(5, 2), (count, 1, 1)),
            scores=np.ones(count, np.float32),
            crops=["detected"] * count,
        )
        write_shard(shard_path(output / "embeddings" / method, "test", 0), rows)
    head = make_templates(np.eye(count, dtype=np.float32), np.arange(count), count)
    Classifier("cosine", [str(person) for person in PERSONS], "a", head).save(output / "heads" / "hr" / "cosine")
    return {
        "data": str(data), "embeddings": str(output / "embeddings"), "heads": str(output / "heads"),
        "output": str(output / "report"), "methods": METHODS, "held_out_divisor": DIVISOR,
    }  # fmt: skip


@pytest.fixture
def trees(portrait: np.ndarray, tmp_path: Path) -> tuple[Path, Path]:
    """A prepared tree, and the same faces through harsh cameras."""
    data = write_held_out_tree(tmp_path / "data", portrait, PERSONS, train_images=1)
    told = {
        "data_set": "made up", "framing": "by code", "identities": 3, "images": {"test": 3}, "dropped_identities": [],
        "images_without_face": [], "resize_kernel": "bicubic",
    }  # fmt: skip
    write_json(data / "manifest.json", {"schema": 1, **told})
    photograph_tree(data, "harsh", tmp_path / "harsh" / "faces")
    return data, tmp_path / "harsh" / "faces"


def test_a_camera_level_stands_beside_the_clean_one(trees: tuple[Path, Path], tool: Tool, tmp_path: Path) -> None:
    script, (data, photographed) = tool("evaluate_celeba"), trees
    level = write_experiment(photographed, tmp_path / "harsh", np.array([1, 1, 2]))
    script.main(script.Config(**level))
    clean = write_experiment(data, tmp_path / "clean", np.array([0, 1, 2]))
    given = str(tmp_path / "harsh" / "report" / "result.json")
    script.main(script.Config(**clean, levels=(given,)))
    result, harsh = read_json(tmp_path / "clean" / "report" / "result.json"), read_json(Path(given))
    assert result["levels"] == {"harsh": {"blocks": harsh["blocks"]}}
    assert "camera" not in result["data"]
    assert harsh["data"]["camera"] == "harsh"
    assert harsh["data"]["framing"].endswith("LR as a camera makes it, level harsh")
    for block, shares in (("held_out", (1.0, 0.5)), ("all", (1.0, 2 / 3))):
        for blocks, share in zip((result["blocks"], result["levels"]["harsh"]["blocks"]), shares, strict=True):
            (row,) = (row for row in blocks[block]["recognition"] if row["method"] == "bicubic")
            assert row["all"]["top_1"]["mean"] == pytest.approx(share)
    report = (tmp_path / "clean" / "report" / "report.md").read_text(encoding="utf-8")
    assert "## By camera" in report
    assert "| Bicubic | harsh |" in report

    # PSNR is against HR in the colors of the photo.
    paths = [face.path for face in list_faces(data / "hr", "test")]
    seen, target, high = (
        np.stack([read_image(photographed / kind / "test" / path) for path in paths])
        for kind in ("bicubic", "target", "hr")
    )
    measured = harsh["blocks"]["all"]["quality"]["bicubic"]["psnr_rgb"]["mean"]
    assert measured == pytest.approx(np.mean(psnr(seen, target)))
    assert measured > np.mean(psnr(seen, high))


def test_levels_that_do_not_fit_are_refused(trees: tuple[Path, Path], tool: Tool, tmp_path: Path) -> None:
    script, (data, photographed) = tool("evaluate_celeba"), trees
    block = {"quality": dict.fromkeys(METHODS)}
    about = {"camera": "harsh", "data_sha256": sha256(data / "manifest.json")}
    result = {"data": about, "blocks": {"all": block}, "held_out_divisor": DIVISOR}
    path = tmp_path / "level.json"

    def read(**more: object) -> dict[str, object]:
        write_json(path, {**result, **more})
        return script.read_levels([str(path)], data, METHODS, DIVISOR)

    assert read() == {"harsh": {"blocks": {"all": block}}}
    for change, reason in (
        ({"data": {}}, "is no result of lrfr evaluate celeba of faces through a camera"),
        ({"data": {**about, "data_sha256": sha256(photographed / "manifest.json")}}, "is about other faces than those"),
        ({"blocks": {"all": {"quality": {"hr": {}, "srgan": {}}}}}, "compares other methods than --methods=hr,bicubic"),
        ({"held_out_divisor": 0}, "has another --held_out_divisor, 0"),
    ):
        with pytest.raises(UserError, match=reason):
            read(**change)

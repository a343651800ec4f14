"""Accuracy against pixels: what a probe is, who is left out, and the figures; the whole is tested end to end."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

from lrfr_tf.data.embeddings import EmbeddingSet, shard_path, write_shard
from lrfr_tf.data.folders import write_classes
from lrfr_tf.errors import UserError
from lrfr_tf.files import sha256, write_json
from lrfr_tf.images.camera_numpy import photograph
from lrfr_tf.images.probes import shrink_to_probe
from lrfr_tf.images.resize import resize
from lrfr_tf.networks.embedders import KerasEmbedder
from lrfr_tf.networks.embedding import Embedder
from lrfr_tf.networks.super_resolution import SuperResolutionNetwork, bicubic
from lrfr_tf.study.evaluate_pixels import PixelCurve, check_embedder, pixel_blocks, protocol, resize_probes
from lrfr_tf.study.stored_embeddings import StoredEmbeddings, blocks_of_images, read_stored_embeddings

# Four persons, each of one color; in each split a photo of each.
COLORS = np.array([[200, 40, 40], [40, 200, 40], [40, 40, 200], [180, 180, 40]], np.uint8)
POINTS = np.array([[20, 24], [44, 26], [32, 36], [24, 48], [41, 47]], np.float32)


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    images = keras.Input((16, 16, 3))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255, offset=-0.4)(images))
    return KerasEmbedder(keras.Model(images, keras.layers.UnitNormalization()(x)), "color")


def faces() -> np.ndarray:
    return np.broadcast_to(COLORS[:, None, None], (4, 64, 64, 3)).copy()


def write_hr(folder: Path, data: Path, network: Embedder, not_found: dict[str, list[int]], **more: Any) -> None:
    """The HR embeddings of both splits; nothing was found in the rows `not_found`."""
    splits = {split: {"images": 4, "shards": 1} for split in ("train", "test")}
    common = {"schema": 1, "embedder": network.name, "detector": {"name": "mtcnn"}, "policy": "whole"}
    write_json(
        folder / "hr" / "manifest.json", {**common, "source": sha256(data / "manifest.json"), "splits": splits, **more}
    )
    write_classes(folder / "hr", ["1", "2", "5", "10"])
    for split in splits:
        detected = ~np.isin(np.arange(4), not_found.get(split, []))
        landmarks, boxes = np.tile(POINTS, (4, 1, 1)), np.tile(np.array([9.5, 8, 50, 60], np.float32), (4, 1))
        landmarks[~detected], boxes[~detected] = np.nan, np.nan
        rows = EmbeddingSet(
            paths=[f"{name}/0.png" for name in ("1", "2", "5", "10")],
            labels=np.arange(4),
            embeddings=network.embed(faces()),
            detected=detected,
            usable=np.ones(4, bool),  # the policy "whole" embeds what was not found, too
            boxes=boxes,
            landmarks=landmarks,
            scores=detected.astype(np.float32),
            crops=["detected"] * 4,
        )
        write_shard(shard_path(folder / "hr", split, 0), rows)


def stored(root: Path, network: Embedder, not_found: dict[str, list[int]], **more: Any) -> StoredEmbeddings:
    write_json(root / "data" / "manifest.json", {"schema": 1})
    write_hr(root / "embeddings", root / "data", network, not_found, **more)
    return read_stored_embeddings(root / "embeddings", root / "data", ("hr",))


def test_a_probe_loses_its_pixels_once(portrait: np.ndarray) -> None:
    def pillow(image: np.ndarray, size: int) -> np.ndarray:
        wide = Image.fromarray(image).resize((size, image.shape[0]), Image.Resampling.BICUBIC)
        return np.asarray(wide.resize((size, size), Image.Resampling.BICUBIC))

    high = pillow(portrait[30:180, 160:310], 64)

    def probe(size: int, resolver: SuperResolutionNetwork | None = None) -> np.ndarray:
        return resize_probes(shrink_to_probe(high[None], size, form="small"), 64, resolver)[0]

    assert np.array_equal(probe(64), high)
    assert np.array_equal(probe(12), pillow(pillow(high, 12), 64))
    # What takes 16 x 16 only is given that: the loss at 32 px is nearly that at 16.
    seen = probe(32, bicubic(16, 64))
    assert np.array_equal(seen, pillow(pillow(pillow(high, 32), 16), 64))
    assert np.abs(seen.astype(int) - high).mean() > 2 * np.abs(pillow(pillow(high, 32), 64).astype(int) - high).mean()


def test_images_without_a_face_in_hr_are_left_out_and_counted(embedder: Embedder, tmp_path: Path) -> None:
    curve = PixelCurve(stored(tmp_path, embedder, {"train": [1], "test": [0]}), None, faces())
    # Person 1 has no face in the probe, person 2 none in the gallery, though both have an embedding.
    assert curve.chosen.tolist() == [False, False, True, True]
    assert curve.counts == {
        "test_images": 4,
        "gallery_images": 3,
        "gallery_identities": 3,
        "gallery_images_without_face_in_hr": 1,
        "probes": 2,
        "probes_without_face_in_hr": 1,
        "probes_without_gallery_face": 1,
    }
    right = curve.correct_answers([8, 64], {"net": bicubic(16, 64)}, embedder, None)
    assert {method: list(sizes) for method, sizes in right.items()} == {"bicubic": [8, 64], "net": [8, 64]}
    assert all(answers.tolist() == [True, True] for sizes in right.values() for answers in sizes.values())
    with pytest.raises(UserError, match="No test image is left"):
        PixelCurve(stored(tmp_path / "none", embedder, {"test": [0, 1, 2, 3]}), None, faces())


def test_wrong_answers_are_counted_where_they_belong(embedder: Embedder, tmp_path: Path) -> None:
    high = faces()
    high[0] = COLORS[1]  # person 1 looks like person 2, and person 10 like person 5
    high[3] = COLORS[2]
    siamese = stored(tmp_path, embedder, {}, aligned={"template": "lai", "size": 128})
    curve = PixelCurve(stored(tmp_path / "facenet", embedder, {}), siamese, high)
    right = curve.correct_answers([16], {}, embedder, embedder)
    assert {method: sizes[16].tolist() for method, sizes in right.items()} == {
        "bicubic": [False, True, True, False],
        "siamese": [False, True, True, False],
    }
    names = ["1", "2", "5", "10"]
    blocks = pixel_blocks({"clean": right}, names, blocks_of_images(names, 5))
    assert [(block["images"], block["identities"]) for block in blocks.values()] == [(2, 2), (4, 4)]
    for block in blocks.values():
        (point,) = block["curves"]["siamese"]
        assert point == {"pixels": 16, "top_1": {"mean": 0.5, "interval_95": [0.0, 1.0]}}


def test_a_gallery_of_another_embedder_is_refused(embedder: Embedder, tmp_path: Path) -> None:
    embeddings = stored(tmp_path, embedder, {})
    check_embedder(embedder, embeddings)
    with pytest.raises(UserError, match="embeddings are by other, not color"):
        check_embedder(embedder, stored(tmp_path / "other", embedder, {}, embedder="other"))


def test_probes_by_a_camera_are_its_photos_of_the_hr_faces(
    embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored_embeddings = stored(tmp_path, embedder, {"test": [0]})
    random = np.random.default_rng(0)
    high = np.clip(faces() + random.normal(0, 30, (4, 64, 64, 3)), 0, 255).astype(np.uint8)
    curve = PixelCurve(stored_embeddings, None, high)
    seen: list[np.ndarray] = []
    whole = embedder.embed

    def embed(crops: list[np.ndarray]) -> np.ndarray:
        seen.extend(crops)
        return whole(crops)

    monkeypatch.setattr(embedder, "embed", embed)
    right = {
        camera: curve.correct_answers([12, 64], {"net": bicubic(16, 64)}, embedder, None, camera=camera)
        for camera in ("clean", "harsh")
    }
    # Three probes, two methods, two sizes, first clean, then harsh; a seed is the place among the probes.
    assert len(seen) == 2 * 2 * 2 * 3
    for size, start in ((12, 12), (64, 18)):
        for probe in range(3):
            small = photograph(high[probe + 1], size, "harsh", probe)
            box = np.s_[8:60, 9:50]
            assert np.array_equal(seen[start + probe], resize(small, 64, 64)[box])
            by_network = resize(resize(small, 16, 16), 64, 64)
            assert np.array_equal(seen[start + 3 + probe], by_network[box])
    names = ["2", "5", "10"]
    block = pixel_blocks(right, names, blocks_of_images(names, 0))["all"]
    clean = pixel_blocks({"clean": right["clean"]}, names, blocks_of_images(names, 0))["all"]
    for method, points in block["curves"].items():
        # What is clean is called nothing, and is what it was without cameras.
        assert [(point.get("camera"), point["pixels"]) for point in points] == [
            (None, 12), (None, 64), ("harsh", 12), ("harsh", 64),
        ]  # fmt: skip
        assert points[:2] == clean["curves"][method]
    assert "camera model" not in protocol(16, 64, ("clean",))
    assert "docs/camera.md" in protocol(16, 64, ("clean", "harsh"))

"""Embeddings on disk: shards, order, damage."""

from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.data.embeddings import EmbeddingSet, load_embeddings, read_manifest, shard_path, write_shard
from lrfr_tf.errors import UserError
from lrfr_tf.files import write_json


def some_rows(count: int, seed: int) -> EmbeddingSet:
    random = np.random.default_rng(seed)
    return EmbeddingSet(
        paths=[f"{seed}/{i}.png" for i in range(count)],
        labels=random.integers(0, 9, count),
        embeddings=random.normal(size=(count, 4)).astype(np.float32),
        detected=random.random(count) < 0.5,
        usable=random.random(count) < 0.5,
        boxes=random.random((count, 4)).astype(np.float32),
        landmarks=random.random((count, 5, 2)).astype(np.float32),
        scores=random.random(count).astype(np.float32),
        crops=["detected"] * count,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_json(tmp_path / "manifest.json", {"schema": 1, "splits": {"test": {"images": 5, "shards": 2}}})
    write_shard(shard_path(tmp_path, "test", 0), some_rows(3, 0))
    write_shard(shard_path(tmp_path, "test", 1), some_rows(2, 1))
    return tmp_path


def test_shards_come_back_in_order(folder: Path) -> None:
    rows = load_embeddings(folder, "test")
    assert rows.paths == ["0/0.png", "0/1.png", "0/2.png", "1/0.png", "1/1.png"]
    for name in ("labels", "embeddings", "detected", "usable", "boxes", "landmarks", "scores"):
        expected = np.concatenate([getattr(some_rows(3, 0), name), getattr(some_rows(2, 1), name)])
        assert np.array_equal(getattr(rows, name), expected)
    chosen = rows.rows(np.array([True, False, False, True, False]))
    assert chosen.paths == ["0/0.png", "1/0.png"]
    assert np.array_equal(chosen.labels, rows.labels[[0, 3]])


def test_missing_and_damaged_parts_are_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no 'train' split; it has test"):
        load_embeddings(folder, "train")
    second = shard_path(folder, "test", 1)
    second.write_bytes(second.read_bytes()[:200])
    with pytest.raises(UserError, match=r"shard-00001.npz is damaged"):
        load_embeddings(folder, "test")
    second.unlink()
    with pytest.raises(UserError, match=r"shard-00001.npz is missing; run the same"):
        load_embeddings(folder, "test")
    with pytest.raises(UserError, match="holds no embeddings"):
        read_manifest(tmp_path / "none")


def test_pickled_arrays_are_refused(folder: Path) -> None:
    path = shard_path(folder, "test", 0)
    np.savez(path, paths=np.array([{"an": "object"}], dtype=object), allow_pickle=True)
    with pytest.raises(UserError, match="damaged"):
        load_embeddings(folder, "test")

"""Networks as one compiled call, stored and loaded; trees of faces."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.data.prepare import Sizes, earlier_files, prepare_tree
from lrfr_tf.data.splits import split_by_name
from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json, sha256, write_json
from lrfr_tf.images.resize import resize
from lrfr_tf.models.srcnn import srcnn
from lrfr_tf.models.srgan import generator_paper
from lrfr_tf.networks.super_resolution import bicubic, load_super_resolver, save_super_resolver
from lrfr_tf.networks.super_resolvers import Bicubic, KerasSuperResolver
from lrfr_tf.sources.image_source import FolderSource, images_by_identity
from lrfr_tf.study.super_resolve_tree import super_resolve_tree
from tests.faces_by_code import write_people


@pytest.fixture
def low() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, 16, 16, 3), dtype=np.uint8)


def test_bicubic_is_pillows(low: np.ndarray) -> None:
    for image, result in zip(low, bicubic().super_resolve(low), strict=True):
        assert np.array_equal(result, np.asarray(Image.fromarray(image).resize((64, 64), Image.Resampling.BICUBIC)))


def test_srcnn_is_fed_the_enlarged_image_and_rounds(low: np.ndarray) -> None:
    network = srcnn("9-1-5")
    resolver = KerasSuperResolver("srcnn", network, enlarge_first=True)
    by_hand = np.asarray(network(resize(low, 64, 64).astype(np.float32)))
    assert np.array_equal(resolver.super_resolve(low), np.clip(np.round(by_hand), 0, 255).astype(np.uint8))


def test_more_images_than_a_batch_and_none(low: np.ndarray) -> None:
    many = np.tile(low, (15, 1, 1, 1))
    result = bicubic().super_resolve(many)
    assert np.array_equal(result[70:], result[:5])
    assert bicubic().super_resolve(low[:0]).shape == (0, 64, 64, 3)


def test_other_sizes_and_types_are_refused(low: np.ndarray) -> None:
    for wrong in (low.astype(np.float32), low[:, :8], low[0]):
        with pytest.raises(ValueError, match=r"takes uint8 \[N, 16, 16, 3\]"):
            bicubic().super_resolve(wrong)


@pytest.mark.parametrize("kind", ["srcnn", "srgan"])
def test_stored_networks_give_the_same_images(kind: str, low: np.ndarray, tmp_path: Path) -> None:
    if kind == "srcnn":
        resolver = KerasSuperResolver("srcnn", srcnn("9-1-5"), enlarge_first=True)
    else:
        resolver = KerasSuperResolver("srgan", generator_paper(16, blocks=1, filters=8))
    save_super_resolver(tmp_path / "model", resolver)
    save_super_resolver(tmp_path / "model", resolver)  # replacing leaves nothing behind
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    loaded = load_super_resolver(tmp_path / "model")
    assert (loaded.name, loaded.enlarge_first) == (kind, kind == "srcnn")
    assert np.array_equal(loaded.super_resolve(low), resolver.super_resolve(low))


def test_missing_and_changed_models_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no super-resolution model"):
        load_super_resolver(tmp_path / "none")
    save_super_resolver(tmp_path / "model", KerasSuperResolver("srgan", generator_paper(16, blocks=1, filters=4)))
    file = tmp_path / "model" / "network.keras"
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(UserError, match="sha256 differs"):
        load_super_resolver(tmp_path / "model")


class Counts(Bicubic):
    """Counts the images that it is given."""

    images = 0

    def super_resolve(self, images: np.ndarray) -> np.ndarray:
        self.images += len(images)
        return super().super_resolve(images)


def prepare(photos: Path, tree: Path) -> None:
    source = FolderSource(photos)
    prepare_tree(
        source,
        split_by_name(images_by_identity(source), earlier=earlier_files(tree)),
        lambda names, photos: [resize(photo, 64, 64) for photo in photos],
        tree,
        sizes=Sizes(),
        settings={},
    )


def test_what_was_added_to_a_tree_is_super_resolved_and_only_that(portrait: np.ndarray, tmp_path: Path) -> None:
    photos, tree, counts = tmp_path / "photos", tmp_path / "tree", Counts()
    write_people(photos, portrait, {"a": 3, "b": 4})
    prepare(photos, tree)
    super_resolve_tree(tree, ("train", "val", "test"), counts, tree / "bicubic")
    before = sha256(tree / "bicubic" / "manifest.json")
    write_people(photos, portrait, {"aa": 3})
    prepare(photos, tree)
    super_resolve_tree(tree, ("train", "val", "test"), counts, tree / "bicubic")
    assert counts.images == 7 + 3
    manifest = read_json(tree / "bicubic" / "manifest.json")
    assert manifest["images"] == {"train": 4, "val": 3, "test": 3}
    assert manifest["data_sha256"] == sha256(tree / "manifest.json")
    assert manifest["grown_from"] == [before]


def test_a_tree_is_super_resolved_once_and_only_by_one_model(portrait: np.ndarray, tmp_path: Path) -> None:
    write_people(tmp_path / "photos", portrait, {"a": 3, "b": 4})
    tree = tmp_path / "tree"
    prepare(tmp_path / "photos", tree)
    splits = ("train", "val", "test")
    super_resolve_tree(tree, splits, bicubic(), tree / "bicubic")
    manifest = json.loads((tree / "bicubic" / "manifest.json").read_text())
    assert manifest["images"] == {"train": 3, "val": 2, "test": 2}
    with Image.open(tree / "lr" / "test" / "b" / "00.png") as low, Image.open(tree / "bicubic/test/b/00.png") as high:
        assert np.array_equal(np.asarray(low.resize((64, 64), Image.Resampling.BICUBIC)), np.asarray(high))

    counts = Counts()
    (tree / "bicubic" / "train" / "a" / "02.png").unlink()
    super_resolve_tree(tree, splits, counts, tree / "bicubic")
    assert counts.images == 1
    other = KerasSuperResolver("srgan", generator_paper(16, blocks=1, filters=4), checksum="of another model")
    with pytest.raises(UserError, match="other settings"):
        super_resolve_tree(tree, splits, other, tree / "bicubic")
    tree_manifest = json.loads((tree / "manifest.json").read_text())
    write_json(tree / "manifest.json", {**tree_manifest, "framing": "another"})
    with pytest.raises(UserError, match="bicubic was begun with other data"):
        super_resolve_tree(tree, splits, bicubic(), tree / "bicubic")
    settings = json.loads((tree / "bicubic" / "settings.json").read_text())
    settings.pop("data_sha256")  # as it was written before
    write_json(tree / "bicubic" / "settings.json", settings)
    super_resolve_tree(tree, splits, bicubic(), tree / "bicubic")
    assert "data_sha256" not in json.loads((tree / "bicubic" / "manifest.json").read_text())
    with pytest.raises(UserError, match="are 16 x 16 pixels, but bicubic takes 8 x 8"):
        super_resolve_tree(tree, splits, bicubic(8, 32), tree / "tiny")

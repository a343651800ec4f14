"""Where a network's name is looked up."""

from pathlib import Path

import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.files import write_json
from lrfr_tf.networks.embedding import load_embedder
from lrfr_tf.networks.model_lookup import find_model
from lrfr_tf.networks.saved_model import find_version
from lrfr_tf.networks.shipped import list_models


def write_export(folder: Path, version: int, kind: str = "embedder") -> None:
    (folder / str(version)).mkdir(parents=True)
    write_json(folder / str(version) / "model.json", {"kind": kind, "version": version})


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LRFR_TF_MODELS", f"{tmp_path / 'first'}:{tmp_path / 'second'}")
    write_export(tmp_path / "second" / "siamese", 7)
    write_export(tmp_path / "second" / "own", 1)
    return tmp_path


def test_a_path_goes_before_a_name(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_model("own") == models / "second" / "own"
    assert find_version(Path("own")) == models / "second" / "own" / "1"
    monkeypatch.chdir(models / "second")
    assert find_model("own") == Path("own")
    assert find_model(models / "second") == models / "second"


def test_folders_of_the_environment_go_before_the_checkout(models: Path) -> None:
    assert find_model("siamese") == models / "second" / "siamese"
    write_export(models / "first" / "siamese", 2)
    assert find_model("siamese") == models / "first" / "siamese"
    assert find_model("srgan").name == "srgan"
    assert find_model("srgan").is_dir()


def test_other_words_are_left_to_the_loader(models: Path) -> None:
    assert find_model("facenet") == Path("facenet")
    assert find_model("../second/own") == Path("../second/own")
    with pytest.raises(UserError, match="'nobody' is not known"):
        load_embedder("nobody")


def test_the_networks_that_can_be_named(models: Path) -> None:
    (models / "second" / "own" / "TERMS.txt").write_text("For\nnobody.\n", encoding="utf-8")
    found = {model.name: model for model in list_models()}
    assert list(found) == sorted(found)
    assert {"own", "siamese", "srcnn", "srgan", "srgan_camera", "srresnet", "srresnet_camera"} <= set(found)
    assert (found["own"].terms, found["own"].kind, found["own"].version) == ("For nobody.", "embedder", 1)
    assert found["siamese"].version == 7
    for name in ("srcnn", "srgan", "srgan_camera", "srresnet", "srresnet_camera"):
        assert "non-commercial" in found[name].terms
        assert found[name].kind == "super_resolution"
    (models / "second" / "own" / "1" / "model.json").write_text("[]")
    with pytest.raises(UserError, match="model.json is not the record"):
        list_models()

"""name=folder on a command line -> networks."""

from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.models.srcnn import srcnn
from lrfr_tf.networks.named_models import describe_models, load_named_models, super_resolve_all
from lrfr_tf.networks.super_resolution import bicubic, load_super_resolver, save_super_resolver
from lrfr_tf.networks.super_resolvers import KerasSuperResolver


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "srcnn"
    save_super_resolver(
        path, KerasSuperResolver("srcnn", srcnn("9-1-5"), low_size=16, high_size=64, enlarge_first=True)
    )
    return path


def test_bicubic_comes_first_and_names_are_the_users(folder: Path) -> None:
    models = (f"mine={folder}", f"again={folder}")
    resolvers = load_named_models(models, 16, 64)
    assert list(resolvers) == ["bicubic", "mine", "again"]
    low = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
    images = super_resolve_all(resolvers, low)
    assert np.array_equal(images["bicubic"], bicubic().super_resolve(low))
    assert np.array_equal(images["mine"], load_super_resolver(folder).super_resolve(low))
    described = describe_models(models, resolvers)
    assert list(described) == ["mine", "again"]
    assert described["mine"]["folder"] == str(folder)
    assert len(described["mine"]["sha256"]) == 64


def test_mistakes(folder: Path) -> None:
    for item in (str(folder), f"={folder}", "mine="):
        with pytest.raises(UserError, match="is not of the form name=folder"):
            load_named_models((item,), 16, 64)
    for models in ((f"mine={folder}", f"mine={folder}"), (f"hr={folder}",), (f"bicubic={folder}",)):
        with pytest.raises(UserError, match="twice; hr and bicubic are always there"):
            load_named_models(models, 16, 64)
    with pytest.raises(UserError, match="makes 64 px of 16 px, but the faces are 8 and 64 px"):
        load_named_models((f"mine={folder}",), 8, 64)
    with pytest.raises(UserError, match="/nowhere"):
        load_named_models(("mine=/nowhere",), 16, 64)

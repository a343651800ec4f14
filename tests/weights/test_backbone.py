"""Weight files of train_siamese: they load, or one sentence says why not."""

from pathlib import Path

import keras
import numpy as np
import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.files import sha256, write_json
from lrfr_tf.weights.backbone import load_weights, save_weights, template_of_weights, write_embedder_record


def network(units: int, layers: int = 2) -> keras.Model:
    x = inputs = keras.Input((3,))
    for number in range(layers):
        x = keras.layers.Dense(units, name=f"dense_{number}")(x)
    return keras.Model(inputs, x, name="small")


def test_weights_come_back(tmp_path: Path) -> None:
    one, other = network(4), network(4)
    one.save_weights(tmp_path / "a.weights.h5")
    load_weights(other, tmp_path / "a.weights.h5")
    assert all(np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True))


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    one, other = network(4), network(4)
    path = tmp_path / "a.weights.h5"
    save_weights(one, path)
    assert (tmp_path / "a.weights.h5.sha256").read_text() == f"{sha256(path)}  a.weights.h5\n"
    load_weights(other, path)
    network(4).save_weights(path)  # other weights of the same form
    with pytest.raises(UserError, match=r"a\.weights\.h5 was changed: its sha256 is not the one in a\.weights"):
        load_weights(other, path)
    assert all(np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True))


def test_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.weights.h5"
    with pytest.raises(UserError, match=r"a\.weights\.h5 is missing\.$"):
        load_weights(network(4), path)
    path.write_bytes(b"no")
    with pytest.raises(UserError, match="does not hold the weights of small: "):
        load_weights(network(4), path)
    path.unlink()
    network(4).save_weights(path)
    for wrong in (network(5), network(4, layers=3)):
        with pytest.raises(UserError, match="does not hold the weights of small: "):
            load_weights(wrong, path)


def test_the_template_is_what_a_record_beside_the_weights_says(tmp_path: Path) -> None:
    path = tmp_path / "dsn.weights.h5"
    with pytest.raises(UserError, match=r"No embedder\.json beside .*dsn\.weights\.h5 says on which template .* write"):
        template_of_weights(path)
    write_embedder_record(tmp_path, "centred", 112)
    assert template_of_weights(path) == "centred"
    write_json(tmp_path / "dsn.json", {"template": "lai"})  # of an imported checkpoint
    assert template_of_weights(path) == "lai"

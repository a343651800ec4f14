"""Checkpoints: whole or not there, a damaged one is passed over, NaN is not stored."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from lrfr_tf.errors import UserError
from lrfr_tf.training.checkpoint import CheckpointStore


def network() -> keras.Model:
    inputs = keras.Input((2,))
    return keras.Model(inputs, keras.layers.Dropout(0.5)(keras.layers.Dense(3)(inputs)))


def store(folder: Path, model: keras.Model) -> CheckpointStore:
    return CheckpointStore(folder, {"network": model, "average": None})


def write(folder: Path, steps: tuple[int, ...]) -> None:
    """Checkpoints in which every weight is the number of the step."""
    model = network()
    checkpoints = store(folder, model)
    for step in steps:
        model.set_weights([np.full(weight.shape, step) for weight in model.get_weights()])
        checkpoints.save(step)


def restored(folder: Path) -> tuple[int, float]:
    model = network()
    step = store(folder, model).restore()
    values = {float(value) for weight in model.get_weights() for value in np.ravel(weight)}
    return step, values.pop() if len(values) == 1 else float("nan")


def test_the_two_newest_are_kept_and_the_newest_is_restored(tmp_path: Path) -> None:
    write(tmp_path, (3, 6, 9))
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "checkpoint", "ckpt-6.data-00000-of-00001", "ckpt-6.index", "ckpt-9.data-00000-of-00001", "ckpt-9.index",
    ]  # fmt: skip
    assert restored(tmp_path) == (9, 9.0)
    assert tf.train.latest_checkpoint(str(tmp_path)) == str(tmp_path / "ckpt-9")
    assert restored(tmp_path / "elsewhere")[0] == 0


def test_the_state_of_random_layers_is_stored(tmp_path: Path) -> None:
    model = network()
    model(np.ones((1, 2)), training=True)
    (state,) = [variable for variable in model.variables if "seed" in variable.path]
    drawn = np.array(state)
    store(tmp_path, model).save(1)
    other = network()
    (other_state,) = [variable for variable in other.variables if "seed" in variable.path]
    assert not np.array_equal(other_state, drawn)
    store(tmp_path, other).restore()
    assert np.array_equal(other_state, drawn)


@pytest.mark.parametrize("damage", ["data cut off", "index cut off", "a bit of the data changed", "data missing"])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(
    damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, (4, 8))
    file = tmp_path / ("ckpt-8.index" if damage.startswith("index") else "ckpt-8.data-00000-of-00001")
    contents = bytearray(file.read_bytes())
    if "cut off" in damage:
        file.write_bytes(contents[: len(contents) // 2])
    elif "bit" in damage:
        contents[5] ^= 4
        file.write_bytes(contents)
    else:
        file.unlink()
    assert restored(tmp_path) == (4, 4.0)
    (line,) = caplog.messages
    assert line.startswith(f"{tmp_path}/ckpt-8 cannot be read (")
    assert line.endswith("trying the one before.")
    # The run goes on from there, and its next checkpoint is the newest, whatever the number of the damaged one.
    model = network()
    checkpoints = store(tmp_path, model)
    checkpoints.restore()
    checkpoints.save(6)
    assert restored(tmp_path)[0] == 6
    assert sorted(int(file.stem[5:]) for file in tmp_path.glob("*.index")) == [4, 6]


def test_no_checkpoint_that_can_be_read_is_no_new_beginning(tmp_path: Path) -> None:
    write(tmp_path, (4, 8))
    for file in tmp_path.glob("*.index"):
        file.write_bytes(b"not an index")
    with pytest.raises(UserError, match=f"None of the checkpoints in {tmp_path} can be read"):
        restored(tmp_path)


def test_half_a_checkpoint_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, (4,))
    model = network()
    checkpoints = store(tmp_path, model)

    def stop(source: Path, target: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("lrfr_tf.training.checkpoint.os.replace", stop)
        with pytest.raises(KeyboardInterrupt):
            checkpoints.save(8)
    assert restored(tmp_path) == (4, 4.0)
    checkpoints.save(8)
    assert sorted(file.name for file in tmp_path.iterdir() if file.name.startswith(".")) == []


def test_weights_that_are_not_finite_are_not_stored(tmp_path: Path) -> None:
    write(tmp_path, (4,))
    model = network()
    model.set_weights([np.full(weight.shape, np.nan) for weight in model.get_weights()])
    with pytest.raises(UserError, match="A weight is NaN or infinite after step 8"):
        store(tmp_path, model).save(8)
    assert restored(tmp_path) == (4, 4.0)

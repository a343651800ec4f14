"""Choice of devices and its refusals, without any second device."""

import json

import numpy as np
import pytest
import tensorflow as tf

from lrfr_tf.errors import UserError
from lrfr_tf.training import strategy
from lrfr_tf.training.strategy import (
    broadcast_from_chief,
    is_chief,
    is_multiworker,
    open_strategy,
    replica_share,
    uses_xla,
)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TF_CONFIG", raising=False)


@pytest.mark.parametrize("kind", ["auto", "one", "mirrored"])
def test_one_processor_is_one_replica_whatever_is_asked(kind: str) -> None:
    opened = open_strategy(kind, 3)
    assert opened.num_replicas_in_sync == 1
    assert is_chief(opened)
    assert not is_multiworker(opened)
    arrays = [np.arange(3), np.ones((2, 2), np.float32)]
    assert broadcast_from_chief(opened, arrays) is arrays
    batch = {"low": tf.zeros((3, 2))}
    assert opened.run(replica_share, (batch,))["low"].shape == (3, 2)


def test_several_workers_need_tf_config(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="`strategy`=multiworker needs TF_CONFIG"):
        open_strategy("multiworker", 4)
    alone = {"cluster": {"worker": ["localhost:1"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(alone))
    assert open_strategy("auto", 4).num_replicas_in_sync == 1
    with pytest.raises(UserError, match="`strategy`=multiworker needs TF_CONFIG"):
        open_strategy("multiworker", 4)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"cluster": {"worker": ["a:1", "b:1"]}}',
        '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 2}}',
        '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "chief", "index": 0}}',
        '{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type": "worker", "index": 0}}',
    ],
)
def test_a_wrong_tf_config_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(UserError, match="TF_CONFIG is not a cluster of workers"):
        open_strategy("auto", 4)


def test_when_xla_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    one = tf.distribute.get_strategy()
    assert uses_xla("on", one)
    assert not uses_xla("off", one)
    for avx512 in (True, False):
        monkeypatch.setattr(strategy, "_has_avx512", lambda avx512=avx512: avx512)
        assert uses_xla("auto", one) == (not avx512)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a GPU"])
    monkeypatch.setattr(strategy, "_has_avx512", lambda: True)
    assert uses_xla("auto", one)

    class Two:
        num_replicas_in_sync = 2

    assert not uses_xla("auto", Two())  # type: ignore[arg-type]
    with pytest.raises(UserError, match="`jit_compile`=on works on one device only"):
        uses_xla("on", Two())  # type: ignore[arg-type]

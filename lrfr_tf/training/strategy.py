"""Devices and workers: which of them train together, who writes, and who takes which share of a batch."""

import contextlib
import dataclasses
import json
import os
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from lrfr_tf.errors import UserError
from lrfr_tf.main import note
from lrfr_tf.training.settings import TrainingSettings

# What TensorFlow raises, out of a collective operation or on the way to it, when another worker is gone.
LOST_WORKER_ERRORS = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
    tf.errors.InternalError,
    tf.errors.UnknownError,
)


@dataclasses.dataclass(frozen=True)
class Devices:
    """What a run trains on: networks are built in the strategy's scope, and one process alone writes."""

    strategy: tf.distribute.Strategy
    writes: bool
    jit_compile: bool

    def note(self, sentence: str) -> None:
        """Tells the user one thing more, once for all workers."""
        if self.writes:
            note(sentence)


def set_up(settings: TrainingSettings) -> Devices:
    """Devices, precision and seed of a run.

    Raises:
        UserError: see `open_strategy` and `uses_xla`.
    """
    strategy = open_strategy(settings.strategy, settings.batch_size)
    keras.config.set_dtype_policy(settings.precision)
    keras.utils.set_random_seed(settings.seed)
    return Devices(strategy, is_chief(strategy), uses_xla(settings.jit_compile, strategy))


def open_strategy(kind: str, batch_size: int) -> tf.distribute.Strategy:
    """The devices that train together; call this before anything else is done with TensorFlow.

    Args:
        kind: "one" (the first device), "mirrored" (all GPUs of this host, or all logical CPUs where there is no GPU),
            "multiworker" (all devices of all hosts in TF_CONFIG), or "auto": multiworker where TF_CONFIG names more
            than one worker, mirrored where there is more than one GPU, else one.
        batch_size: of all replicas together.

    Raises:
        UserError: TF_CONFIG is missing or wrong, or the batch does not divide among the replicas.
    """
    workers = _workers()
    if kind == "auto":
        kind = (
            "multiworker" if workers > 1 else "one" if len(tf.config.list_physical_devices("GPU")) < 2 else "mirrored"
        )
    if kind == "multiworker":
        if workers < 2:
            raise UserError("`strategy`=multiworker needs TF_CONFIG to name two workers or more.")
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    elif kind == "mirrored":
        devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        strategy = tf.distribute.MirroredStrategy([device.name for device in devices])
    else:
        strategy = tf.distribute.get_strategy()
    if batch_size % strategy.num_replicas_in_sync:
        raise UserError(
            f"`batch_size`={batch_size} does not divide among {strategy.num_replicas_in_sync} replicas; the batch is "
            "that of all replicas together."
        )
    return strategy


def uses_xla(jit_compile: str, strategy: tf.distribute.Strategy) -> bool:
    """Whether the step is compiled with XLA: as the user says, or "auto".

    XLA made a GAN's step 1.8 times as fast on one CPU. On a CPU with AVX-512 TensorFlow's own kernels (oneDNN) were
    3 times as fast as XLA's (0.24 against 0.71 s for a step of a generator with 8 blocks and 48 filters, batch 16).

    Raises:
        UserError: "on" for several replicas, which exchange gradients in the middle of the step.
    """
    several = strategy.num_replicas_in_sync > 1
    if jit_compile == "on" and several:
        raise UserError("`jit_compile`=on works on one device only; with `strategy`=mirrored or multiworker use auto.")
    if jit_compile == "auto":
        return not several and (bool(tf.config.list_physical_devices("GPU")) or not _has_avx512())
    return jit_compile == "on"


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process writes files and progress: the only one, or the first worker."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.task_type:
        return True
    if "chief" in resolver.cluster_spec().jobs:
        return resolver.task_type == "chief"
    return resolver.task_id == 0


def is_multiworker(strategy: tf.distribute.Strategy) -> bool:
    """Whether other processes take part."""
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def replica_share(batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """This replica's equal share of a global batch {name: [B, ...]}; called in a replica."""
    replica = tf.distribute.get_replica_context()
    count = replica.num_replicas_in_sync
    if count == 1:
        return batch
    return {
        name: tf.reshape(value, (count, value.shape[0] // count, *value.shape[1:]))[replica.replica_id_in_sync_group]
        for name, value in batch.items()
    }


def share_batch_statistics(*networks: keras.Model) -> None:
    """Lets batch norm take mean and variance of the whole batch, not of a replica's share; called in the scope."""
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return
    for network in networks:
        for layer in network.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.synchronized = True


@contextlib.contextmanager
def report_lost_worker(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Turns what TensorFlow raises when another worker is gone into one sentence."""
    try:
        yield
    except LOST_WORKER_ERRORS as error:
        if not is_multiworker(strategy):
            raise
        raise UserError(
            f"Another worker stopped answering ({type(error).__name__}); start the same command again on all hosts to "
            "go on from the last checkpoint."
        ) from None


def broadcast_from_chief(strategy: tf.distribute.Strategy, arrays: list[np.ndarray]) -> list[np.ndarray]:
    """The chief's arrays, on every worker. All workers call this at the same time, with arrays of the same shapes."""
    if not is_multiworker(strategy):
        return arrays
    chief = is_chief(strategy)

    def sent(values: tf.Tensor) -> tf.Tensor:
        # The chief's plus nothing of the others'; as whole numbers, so that every bit arrives.
        replica = tf.distribute.get_replica_context()
        first = tf.cast(tf.equal(replica.replica_id_in_sync_group, 0), tf.int32)
        return replica.all_reduce(tf.distribute.ReduceOp.SUM, values * first)

    text = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)
    words = np.frombuffer(text + bytes(-len(text) % 4), np.int32)
    with report_lost_worker(strategy):
        summed = strategy.run(tf.function(sent), (tf.constant(words if chief else np.zeros_like(words)),))
    text = strategy.experimental_local_results(summed)[0].numpy().tobytes()
    received, start = [], 0
    for array in arrays:
        received.append(np.frombuffer(text[start : start + array.nbytes], array.dtype).reshape(array.shape))
        start += array.nbytes
    return received


def _has_avx512() -> bool:
    processor = Path("/proc/cpuinfo")  # on Linux only; Macs have no AVX-512
    return processor.is_file() and "avx512f" in processor.read_text(encoding="utf-8")


def _workers() -> int:
    """The number of workers that TF_CONFIG names; 0 without TF_CONFIG."""
    text = os.environ.get("TF_CONFIG", "")
    if not text:
        return 0
    try:
        cluster = json.loads(text).get("cluster", {})
        jobs = {job: len(hosts) for job, hosts in cluster.items()}
        task = json.loads(text).get("task", {})
        wrong = jobs.keys() - {"chief", "worker"} or not (0 <= int(task["index"]) < jobs[task["type"]])
    except (ValueError, TypeError, KeyError, AttributeError):
        wrong = True
    if wrong:
        raise UserError(
            "TF_CONFIG is not a cluster of workers; it should read "
            '{"cluster": {"worker": ["host1:port", "host2:port"]}, "task": {"type": "worker", "index": 0}}.'
        )
    return sum(jobs.values())

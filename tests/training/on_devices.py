"""Runs a train script as a user does, on a host that looks as if it had several devices.

python tests/training/on_devices.py 2 lrfr_tf.train_srcnn --strategy=mirrored ...

With DUMP=FILE.npz in the environment, the state at the end of the run is written there, by every worker.
"""

import importlib
import os
import sys

import numpy as np

from lrfr_tf.silence import silence_tensorflow

if __name__ == "__main__":
    silence_tensorflow()
    import tensorflow as tf

    from lrfr_tf.main import run
    from lrfr_tf.training.checkpoint import CheckpointStore

    save = CheckpointStore.save

    def save_and_dump(self: CheckpointStore, step: int) -> None:
        save(self, step)
        # The step counter is the chief's own.
        np.savez(os.environ["DUMP"], *[variable.numpy() for variable in self._all[1:]])

    if "DUMP" in os.environ:
        CheckpointStore.save = save_and_dump  # type: ignore[method-assign]
    processor = tf.config.list_physical_devices("CPU")[0]
    devices = [tf.config.LogicalDeviceConfiguration() for _ in range(int(sys.argv[1]))]
    tf.config.set_logical_device_configuration(processor, devices)
    script = importlib.import_module(sys.argv[2])
    run(script.main, script.Config, sys.argv[2:])

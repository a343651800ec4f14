"""The number of threads of TensorFlow, for peers that run on it."""

import tensorflow as tf


def set_threads(threads: int) -> None:
    """Within an operation, and operations side by side; before TensorFlow computes anything."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)

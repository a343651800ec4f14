"""A running average of a network's weights: what is evaluated and exported instead of the last, noisy ones."""

import keras
import tensorflow as tf


class AveragedNetwork:
    """An exponential moving average (EMA) of a network's weights, kept in a copy of the network.

    After n updates the decay is min(decay, (1 + n) / (10 + n)), so that the random initial weights are soon forgotten
    (the rule of `tf.train.ExponentialMovingAverage`).

    Args:
        network: the network that is trained.
        decay: share of the old average that is kept at each update, in [0, 1).
    """

    def __init__(self, network: keras.Model, decay: float) -> None:
        self.network = keras.models.clone_model(network)
        self.network.set_weights(network.get_weights())
        self.network.trainable = False
        self._source = network
        self._decay = decay
        self._updates = keras.Variable(0.0, dtype="float32", trainable=False, name="updates")

    @property
    def variables(self) -> list[keras.Variable]:
        """What a checkpoint must hold."""
        return [*self.network.variables, self._updates]

    def update(self) -> None:
        """Takes in the network's present weights; callable inside a graph."""
        self._updates.assign_add(1.0)
        decay = tf.minimum(self._decay, (1.0 + self._updates) / (10.0 + self._updates))
        for average, value in zip(self.network.variables, self._source.variables, strict=True):
            average.assign(average + (1.0 - decay) * (value - average))

"""Which weights of a network a run evaluates and stores: the last, their running average, or the best so far."""

from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from lrfr_tf.errors import UserError


class AveragedNetwork:
    """An exponential moving average (EMA) of a network's weights, kept in a copy of the network.

    After n updates the decay is min(decay, (1 + n) / (10 + n)), so that the random initial weights are soon forgotten
    (the rule of `tf.train.ExponentialMovingAverage`).

    Args:
        network: the network that is trained.
        decay: share of the old average that is kept at each update, in [0, 1).

    Raises:
        UserError: the decay is not below 1.
    """

    def __init__(self, network: keras.Model, decay: float) -> None:
        if decay >= 1:
            raise UserError(f"`average_decay`={decay} is out of range; it must be below 1.")
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
        """Takes in the network's present weights; also inside a graph; in a replica it happens once for all."""
        tf.distribute.get_replica_context().merge_call(lambda strategy: self._update())

    def _update(self) -> None:
        self._updates.assign_add(1.0)
        decay = tf.minimum(self._decay, (1.0 + self._updates) / (10.0 + self._updates))
        for average, value in zip(self.network.variables, self._source.variables, strict=True):
            average.assign(average + (1.0 - decay) * (value - average))


def averaged(network: keras.Model, decay: float) -> AveragedNetwork | None:
    """The network's running average; None for a decay of 0."""
    return AveragedNetwork(network, decay) if decay else None


class BestNetwork:
    """A copy of a network as it was when a validation figure was highest.

    It lies in the same checkpoint as the rest of the run, so a resumed run knows it too.

    Args:
        network: the network that is evaluated.
        metric: name of the figure.
    """

    def __init__(self, network: keras.Model, metric: str) -> None:
        self.network = keras.models.clone_model(network)
        self.network.trainable = False
        self.metric = metric
        self._source = network
        self._value = tf.Variable(-np.inf, trainable=False, dtype=tf.float64)

    @property
    def variables(self) -> list:
        """What a checkpoint must hold."""
        return [*self.network.variables, self._value]

    def update(self, figures: Mapping[str, float]) -> bool:
        """Takes in the network's present weights, if they are the best so far; says whether they are."""
        if not figures[self.metric] > float(self._value.numpy()):
            return False
        self._value.assign(figures[self.metric])
        for best, value in zip(self.network.variables, self._source.variables, strict=True):
            best.assign(np.asarray(value))
        return True


class Outcome:
    """What comes of a network that is trained.

    `evaluated` is the network whose validation figures are taken, and `stored` the one that is exported at the end.

    Args:
        network: the network that is trained.
        average: its running average, if there is one.
        best_metric: the figure whose best weights are stored, or "none" for the last weights.
    """

    def __init__(self, network: keras.Model, average: AveragedNetwork | None, best_metric: str) -> None:
        self.evaluated = average.network if average else network
        self.best = BestNetwork(self.evaluated, best_metric) if best_metric != "none" else None
        self.stored = self.best.network if self.best else self.evaluated

    def update(self, figures: Mapping[str, float]) -> None:
        """To be called after each evaluation, with its figures."""
        if self.best:
            self.best.update(figures)

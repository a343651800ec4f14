"""Which weights of a network a run evaluates and stores: the last, their running average, or the best so far."""

import keras
import numpy as np
import tensorflow as tf

from lrfr_tf.training.average import AveragedNetwork


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

    def consider(self, figures: dict[str, float]) -> bool:
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

    def consider(self, figures: dict[str, float]) -> None:
        """To be called after each evaluation, with its figures."""
        if self.best:
            self.best.consider(figures)

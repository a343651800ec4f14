"""Fitting the multi-layer perceptron head: AdamW, early stopping on the validation split, best epoch kept."""

import dataclasses

import keras
import numpy as np
from tqdm import tqdm

from lrfr_tf.errors import UserError
from lrfr_tf.models.heads import mlp_head


@dataclasses.dataclass(frozen=True)
class MlpFit:
    """A fitted perceptron.

    Attributes:
        model: the head with the weights of the best epoch.
        history: one dictionary an epoch: loss, top1, val_loss, val_top1 (loss and top1 with dropout on).
        best_epoch: the epoch whose weights were kept, counted from 1.
    """

    model: keras.Model
    history: list[dict[str, float]]
    best_epoch: int


def fit_mlp(
    train_embeddings: np.ndarray,
    train_labels: np.ndarray,
    validation_embeddings: np.ndarray,
    validation_labels: np.ndarray,
    *,
    classes: int,
    seed: int,
    epochs: int = 59,
    patience: int = 10,
    learning_rate: float = 1e-3,
    weight_decay: float = 1e-4,
    batch_size: int = 128,
) -> MlpFit:
    """Fits `mlp_head` with cross-entropy, and keeps the epoch with the highest validation top-1 accuracy.

    Epochs of equal top-1 are told apart by the lower validation loss: with one validation image a person the accuracy
    moves in coarse steps. Training stops after `patience` epochs without a better one. The test split plays no part.
    The same seed gives the same weights on the same machine; it is set for all of Keras, NumPy and Python.

    Args:
        train_embeddings, validation_embeddings: float32 [n, D], [m, D].
        train_labels, validation_labels: int64 [n], [m], in 0 .. classes - 1.
        classes: number of classes.
        epochs: limit on epochs. The default, like learning rate and weight decay, is the original system's.
        batch_size: the original system's 32 takes three times as long on a CPU.

    Raises:
        UserError: there is no training or no validation row.
    """
    for split, rows in (("training", train_embeddings), ("validation", validation_embeddings)):
        if len(rows) == 0:
            raise UserError(f"There is no usable {split} row; the mlp head needs both training and validation faces.")
    keras.utils.set_random_seed(seed)
    random = np.random.default_rng(seed)
    model = mlp_head(train_embeddings.shape[1], classes)
    model.compile(
        optimizer=keras.optimizers.AdamW(learning_rate, weight_decay=weight_decay),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="top1")],
        jit_compile=False,  # XLA took twice the processor time a step
    )
    history: list[dict[str, float]] = []
    best, best_epoch, best_weights = (-1.0, 0.0), 0, model.get_weights()
    with tqdm(range(1, epochs + 1), desc="mlp", unit="epoch", leave=False) as progress:
        for epoch in progress:
            order = random.permutation(len(train_labels))
            results = model.fit(
                train_embeddings[order],
                train_labels[order],
                batch_size=batch_size,
                shuffle=False,  # the rows are in a seeded order already
                validation_data=(validation_embeddings, validation_labels),
                validation_batch_size=1024,
                verbose=0,
            ).history
            figures = {name: float(values[-1]) for name, values in results.items()}
            history.append(figures)
            progress.set_postfix(loss=f"{figures['loss']:.4f}", val_top1=f"{figures['val_top1']:.4f}")
            score = (figures["val_top1"], -figures["val_loss"])
            if score > best or best_epoch == 0:
                best, best_epoch, best_weights = score, epoch, model.get_weights()
            elif epoch - best_epoch >= patience:
                break
    model.set_weights(best_weights)
    return MlpFit(model, history, best_epoch)

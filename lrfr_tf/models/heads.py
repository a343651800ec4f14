"""Classifier heads: an embedding in, one logit per class out."""

import keras


def mlp_head(dimensions: int, classes: int, dropout: float = 0.2) -> keras.Model:
    """Two hidden layers of 1024 and 2048 units, each with ReLU and dropout, then one logit per class.

    The sizes are those of the original system (nikiibayat/FaceRecognition), whose dropout was declared but bypassed.

    Args:
        dimensions: length D of the embeddings.
        classes: number of classes.
        dropout: share of hidden units dropped while training, in [0, 1).

    Returns:
        A model: float32 [N, D] -> float32 [N, classes], logits.
    """
    embeddings = keras.Input((dimensions,), name="embeddings")
    hidden = keras.layers.Dense(1024, activation="relu", name="hidden_1")(embeddings)
    hidden = keras.layers.Dropout(dropout, name="dropout_1")(hidden)
    hidden = keras.layers.Dense(2048, activation="relu", name="hidden_2")(hidden)
    hidden = keras.layers.Dropout(dropout, name="dropout_2")(hidden)
    logits = keras.layers.Dense(classes, dtype="float32", name="logits")(hidden)
    return keras.Model(embeddings, logits, name="mlp_head")


def linear_head(dimensions: int, classes: int) -> keras.Model:
    """One dense layer: the model of softmax regression.

    Args:
        dimensions: length D of the embeddings.
        classes: number of classes.

    Returns:
        A model: float32 [N, D] -> float32 [N, classes], logits.
    """
    embeddings = keras.Input((dimensions,), name="embeddings")
    logits = keras.layers.Dense(classes, dtype="float32", name="logits")(embeddings)
    return keras.Model(embeddings, logits, name="linear_head")

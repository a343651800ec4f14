"""Writes addons.json: what tensorflow-addons 0.23.0 computes for the losses that it has, and their gradients.

TensorFlow Addons is no longer maintained and needs an old TensorFlow, so it runs in an environment of its own, with
Python 3.11 (from the root of the checkout; one command):

    python3.11 -m venv ../addons_env && ../addons_env/bin/pip install tensorflow==2.15.1 tensorflow-addons==0.23.0 &&
        ../addons_env/bin/python tests/golden/make_addons_golden.py

The file holds values only; nothing of TensorFlow Addons (Apache-2.0) is in it.
"""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np

OUTPUT = Path(__file__).with_name("addons.json")

# Three persons with several images and two with one, in no order.
IDENTITIES = [3, 1, 4, 1, 3, 9, 2, 3, 4, 1]
DIMENSIONS = 5
TRIPLET_MARGINS = (0.3, 1.0)
CONTRASTIVE_MARGINS = (0.5, 1.0)


def main() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import tensorflow as tf
        import tensorflow_addons as tfa

    # RandomState's stream never changes.
    random = np.random.RandomState(0)
    directions = random.standard_normal((len(IDENTITIES), DIMENSIONS))
    # Images of one person are somewhat alike.
    directions += 0.8 * random.standard_normal((10, DIMENSIONS))[IDENTITIES]
    embeddings = np.round(directions / np.linalg.norm(directions, axis=1, keepdims=True), 4)
    distances = np.round(random.uniform(0, 1.6, 12), 4)
    same = random.randint(0, 2, 12)

    cases: list[dict[str, Any]] = []
    for distance in ("L2", "squared-L2", "angular"):
        for margin in TRIPLET_MARGINS:
            loss = tfa.losses.TripletSemiHardLoss(margin=margin, distance_metric=distance)
            cases.append({"loss": "semi_hard_triplet", "distance": distance, "margin": margin})
            cases[-1] |= value_and_gradient(tf, loss, IDENTITIES, embeddings)
    for margin in CONTRASTIVE_MARGINS:
        cases.append({"loss": "contrastive", "margin": margin})
        cases[-1] |= value_and_gradient(tf, tfa.losses.ContrastiveLoss(margin=margin), same, distances)
    golden = {
        "versions": {"tensorflow": tf.__version__, "tensorflow-addons": tfa.__version__},
        "identities": IDENTITIES,
        "embeddings": embeddings.tolist(),
        "distances": distances.tolist(),
        "same": same.tolist(),
        "cases": cases,
    }
    OUTPUT.write_text(json.dumps(golden) + "\n", encoding="utf-8")
    for case in cases:
        print(case["loss"], case.get("distance", ""), case["margin"], case["value"])


def value_and_gradient(tf: Any, loss: Any, labels: Any, inputs: np.ndarray) -> dict[str, Any]:
    inputs = tf.constant(inputs, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        value = loss(tf.constant(labels), inputs)
    gradient = tape.gradient(value, inputs).numpy().astype(np.float64)
    return {"value": round(float(value), 7), "gradient": np.round(gradient, 7).tolist()}


if __name__ == "__main__":
    main()

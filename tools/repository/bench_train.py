"""Measures one SRGAN training step, ours against the way Keras-GAN does it, and prints one JSON object.

    python tools/repository/bench_train.py --batches=1,16 --rounds=12

Both sides train the same networks on the same arrays: Keras-GAN's generator and discriminator, and VGG19 up to
block3_conv3 with random weights (speed does not depend on them). Keras-GAN's step is written anew from its description:
`predict` for the super-resolved images and for the HR features, then three `train_on_batch` calls. A further row is the
network that ships, with its own settings. Each case runs in a process of its own, in turn, so that its peak memory is
its own; use an idle machine.
"""

import dataclasses
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import lrfr_tf.quiet  # noqa: F401

import keras
import numpy as np
import tensorflow as tf

from lrfr_tf.config import option, versions
from lrfr_tf.losses import adversarial, pixel
from lrfr_tf.losses.perceptual import vgg_preprocess
from lrfr_tf.main import run
from lrfr_tf.models import srgan
from lrfr_tf.training.super_resolution import GeneratorLoss, adversarial_step

CASES = ("keras-gan", "ours", "ours mixed_bfloat16", "shipped settings")


@dataclasses.dataclass(frozen=True)
class Config:
    batches: tuple[int, ...] = option((1, 16), "faces in a step")
    rounds: int = option(12, "timed steps of each process; the median counts", at_least=1)
    repeats: int = option(2, "processes of each case, in turn; the faster median counts", at_least=1)
    case: str = option("all", "one case alone, in this process", ("all", *CASES))


def main(config: Config) -> None:
    if config.case != "all":
        print(json.dumps(measure(config.case, config.batches[0], config.rounds)))
        return
    rows = []
    for batch in config.batches:
        found: dict[str, list[dict]] = {case: [] for case in CASES}
        for _ in range(config.repeats):
            for case in CASES:
                command = [
                    sys.executable,
                    __file__,
                    f"--case={case}",
                    f"--batches={batch}",
                    f"--rounds={config.rounds}",
                ]
                output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                found[case].append(json.loads(output.strip().splitlines()[-1]))
        best = {case: max(results, key=lambda result: result["images_per_second"]) for case, results in found.items()}
        for case in CASES:
            ratio = best[case]["images_per_second"] / best["keras-gan"]["images_per_second"]
            rows.append({"case": case, "batch": batch, **best[case], "times_keras_gan": round(ratio, 2)})
    print(
        json.dumps(
            {"benchmark": "SRGAN training step", "rows": rows, "cpu_cores": os.cpu_count(), "versions": versions()}
        )
    )


def measure(case: str, batch: int, rounds: int) -> dict[str, float]:
    """Times one case in this process."""
    random = np.random.default_rng(0)
    high = random.integers(0, 256, (batch, 64, 64, 3), dtype=np.uint8)
    low = random.integers(0, 256, (batch, 16, 16, 3), dtype=np.uint8)
    step = keras_gan_step(low, high) if case == "keras-gan" else own_step(case, low, high)
    for _ in range(3):
        step()
    wall, cpu = [], []
    for _ in range(rounds):
        started, cpu_started = time.perf_counter(), time.process_time()
        step()
        wall.append(time.perf_counter() - started)
        cpu.append(time.process_time() - cpu_started)
    return {
        "images_per_second": round(batch / statistics.median(wall), 2),
        "cpu_seconds_per_image": round(statistics.median(cpu) / batch, 4),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def own_step(case: str, low: np.ndarray, high: np.ndarray) -> Callable[[], float]:
    """One step of ours, compiled."""
    if case != "ours":
        keras.config.set_dtype_policy("mixed_bfloat16")
    layer = "block3_conv3"
    if case == "shipped settings":
        generator = srgan.generator_paper(16, 8, 96, batch_norm=False, upsampling_filters=32, outer_kernel=3)
        discriminator = srgan.discriminator_paper(64, 32)
        layer = "block2_conv2"
    else:
        generator, discriminator = srgan.generator_keras_gan(), srgan.discriminator_keras_gan()
    loss = GeneratorLoss(
        pixel=pixel.mean_squared_error,
        pixel_weight=1.0 if case == "shipped settings" else 0.0,
        adversarial=adversarial.binary_cross_entropy_generator,
        adversarial_weight=1e-3,
        features=vgg_with_random_weights(layer),
        perceptual_weight=1.0,
    )
    step = adversarial_step(
        generator,
        discriminator,
        generator_optimizer=keras.optimizers.Adam(2e-4, beta_1=0.5),
        discriminator_optimizer=keras.optimizers.Adam(2e-4, beta_1=0.5),
        loss=loss,
        discriminator_loss=adversarial.least_squares_discriminator,
    )
    compiled = tf.function(step)
    batch = {"low": tf.constant(low), "high": tf.constant(high)}
    return lambda: float(compiled(batch)["total"])


def keras_gan_step(low: np.ndarray, high: np.ndarray) -> Callable[[], float]:
    """One iteration as Keras-GAN's `train` does it."""
    generator, logits = srgan.generator_keras_gan(), srgan.discriminator_keras_gan()
    discriminator = keras.Model(logits.input, keras.layers.Activation("sigmoid")(logits.output))
    discriminator.compile(optimizer=keras.optimizers.Adam(2e-4, beta_1=0.5), loss="mse")
    features = vgg_with_random_weights("block3_conv3")
    images = keras.Input((16, 16, 3))
    enlarged = generator(images)
    outputs = [discriminator(enlarged), features(keras.layers.Rescaling(1 / 127.5, offset=-1.0)(enlarged))]
    combined = keras.Model(images, outputs)
    weights = [1e-3, 1.0]
    combined.compile(
        optimizer=keras.optimizers.Adam(2e-4, beta_1=0.5), loss=["binary_crossentropy", "mse"], loss_weights=weights
    )
    real, fake = np.ones((len(low), 4, 4, 1), np.float32), np.zeros((len(low), 4, 4, 1), np.float32)
    low, high = low.astype(np.float32), high.astype(np.float32)
    preprocessed = np.asarray(vgg_preprocess(high))

    def step() -> float:
        super_resolved = generator.predict(low, verbose=0)
        discriminator.trainable = True
        discriminator.train_on_batch(high, real)
        discriminator.train_on_batch(super_resolved, fake)
        discriminator.trainable = False
        target_features = features.predict(preprocessed, verbose=0)
        return float(combined.train_on_batch(low, [real, target_features])[0])

    return step


def vgg_with_random_weights(layer: str) -> keras.Model:
    network = keras.applications.VGG19(include_top=False, weights=None)
    features = keras.Model(network.input, network.get_layer(layer).output)
    features.trainable = False
    return features


if __name__ == "__main__":
    run(main, Config)

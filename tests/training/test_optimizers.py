"""Steps down: gradients, clipping and loss scales by hand; every model and every loss under every precision."""

from collections.abc import Callable, Iterator

import keras
import numpy as np
import pytest
import tensorflow as tf

from lrfr_tf.losses import adversarial, distillation, margin, pixel, triplet
from lrfr_tf.losses.identity import identity
from lrfr_tf.losses.perceptual import perceptual
from lrfr_tf.models import srgan
from lrfr_tf.models.facenet import WhitenEach, facenet
from lrfr_tf.models.heads import linear_head, mlp_head
from lrfr_tf.models.spherenet import spherenet
from lrfr_tf.models.srcnn import srcnn
from lrfr_tf.training.optimizers import apply_gradients, build_optimizer
from lrfr_tf.training.settings import PRECISIONS, TrainingSettings

RANDOM = np.random.default_rng(0)


@pytest.fixture(params=PRECISIONS)
def precision(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each precision in turn, for all networks that are built in the test."""
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy("float32")


def linear() -> keras.Model:
    """Two weights and no bias, at (1, 2)."""
    inputs = keras.Input((2,))
    network = keras.Model(inputs, keras.layers.Dense(1, use_bias=False)(inputs))
    network.set_weights([np.array([[1.0], [2.0]], np.float32)])
    return network


def built(rate: float, precision: str, clip_norm: float = 0.0) -> keras.optimizers.Optimizer:
    settings = TrainingSettings(data=("tree",), output="run", precision=precision, clip_norm=clip_norm)
    return build_optimizer(settings, rate, steps=10)


def one_step(optimizer: keras.optimizers.Optimizer, network: keras.Model, factor: float = 1.0) -> float:
    """A step down 3 w1 + 4 w2, whose gradient (3, 4) has the norm 5."""
    optimizer.build(network.trainable_variables)

    @tf.function
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = factor * tf.reduce_sum(network(tf.constant([[3.0, 4.0]])))
        return apply_gradients(optimizer, network.trainable_variables, loss, tape)

    return float(step())


def weights(network: keras.Model) -> np.ndarray:
    return network.get_weights()[0][:, 0]


def test_a_step_without_clipping() -> None:
    network = linear()
    assert one_step(keras.optimizers.SGD(0.5), network) == pytest.approx(5.0)
    assert weights(network) == pytest.approx([1 - 1.5, 2 - 2.0])


@pytest.mark.parametrize(("limit", "share"), [(1.0, 0.2), (5.5, 1.0)])
@pytest.mark.parametrize("scaled", [False, True])
def test_long_gradients_are_shortened(limit: float, share: float, scaled: bool) -> None:
    network = linear()
    optimizer: keras.optimizers.Optimizer = keras.optimizers.SGD(1.0, global_clipnorm=limit)
    if scaled:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    # The norm is that before.
    assert one_step(optimizer, network) == pytest.approx(5.0)
    assert weights(network) == pytest.approx([1 - 3 * share, 2 - 4 * share])


def test_a_loss_scale_changes_nothing_but_skips_what_overflows() -> None:
    network = linear()
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.5), dynamic_growth_steps=2)
    assert one_step(optimizer, network) == pytest.approx(5.0)
    assert weights(network) == pytest.approx([-0.5, 0.0])
    assert float(optimizer.dynamic_scale) == 2.0**15
    # A gradient of 4e37 is in float32's range, but not 32,768 times as large: the scale is halved, nothing moves.
    assert one_step(optimizer, network, 1e37) == 0.0
    assert weights(network) == pytest.approx([-0.5, 0.0])
    assert float(optimizer.dynamic_scale) == 2.0**14
    for _ in range(2):
        one_step(optimizer, network)
    assert float(optimizer.dynamic_scale) == 2.0**15


def test_float16_alone_has_a_scale_and_it_is_stored_with_the_optimizer() -> None:
    for precision in PRECISIONS:
        optimizer = built(1e-3, precision, clip_norm=2.0)
        optimizer.build(linear().trainable_variables)
        scales = [variable for variable in optimizer.variables if "dynamic_scale" in variable.path]
        assert len(scales) == (1 if precision == "mixed_float16" else 0)


def test_without_loss_scale_a_bad_gradient_is_reported() -> None:
    assert not np.isfinite(one_step(keras.optimizers.SGD(0.5), linear(), float("inf")))


MODELS: dict[str, tuple[Callable[[], keras.Model], tuple[int, ...]]] = {
    "srcnn": (lambda: srcnn("9-1-5"), (16, 16, 3)),
    "generator_paper": (lambda: srgan.generator_paper(4, blocks=1, filters=8), (4, 4, 3)),
    "generator_paper without batch norm": (lambda: srgan.generator_paper(4, 1, 8, batch_norm=False), (4, 4, 3)),
    "generator_keras_gan": (lambda: srgan.generator_keras_gan(4), (4, 4, 3)),
    "discriminator_paper": (lambda: srgan.discriminator_paper(16, 8), (16, 16, 3)),
    "discriminator_keras_gan": (lambda: srgan.discriminator_keras_gan(16), (16, 16, 3)),
    "linear_head": (lambda: linear_head(8, 5), (8,)),
    "mlp_head": (lambda: mlp_head(8, 5), (8,)),
    "facenet": (lambda: facenet(16, WhitenEach), (160, 160, 3)),
    "spherenet": (lambda: spherenet(4, embedding_size=8), (128, 128, 3)),
}


LARGE = ("facenet", "generator_keras_gan", "discriminator_keras_gan")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in LARGE else []) for name in MODELS]
)
def test_every_model_gives_float32_and_learns(name: str, precision: str) -> None:
    build, shape = MODELS[name]
    keras.utils.set_random_seed(1)
    network = build()
    inputs = tf.constant(RANDOM.uniform(0, 255 if len(shape) == 3 else 1, (3, *shape)), tf.float32)
    optimizer = built(1e-2, precision)
    optimizer.build(network.trainable_variables)
    before = [np.array(variable) for variable in network.trainable_variables]
    # Inside, the layers compute in what the policy says.
    assert any(layer.compute_dtype == precision.removeprefix("mixed_") for layer in network.layers)
    white = 255.0 if network.output_shape[-1] == 3 else 1.0
    moved, taken = [False], 0
    # float16 skips steps until its scale fits.
    while not any(moved):
        with tf.GradientTape() as tape:
            output = network(inputs, training=True)
            loss = tf.reduce_mean(tf.square(output / white - 0.3))
        assert output.dtype == tf.float32
        assert np.isfinite(output).all()
        assert np.isfinite(loss)
        if name == "facenet" and precision == "mixed_float16":
            return  # one step down takes a minute on a CPU
        assert np.isfinite(apply_gradients(optimizer, network.trainable_variables, loss, tape))
        pairs = zip(network.trainable_variables, before, strict=True)
        moved = [np.abs(np.array(variable) - old).max() > 0 for variable, old in pairs]
        taken += 1
        assert taken <= (10 if precision == "mixed_float16" else 1)
    assert all(variable.dtype == "float32" for variable in network.trainable_variables)
    # A bias before batch norm has no gradient but rounding.
    assert np.mean(moved) > 0.6
    assert all(np.isfinite(np.array(variable)).all() for variable in network.variables)


def small_features(size: int, outputs: int) -> keras.Model:
    """In the place of VGG19 and FaceNet."""
    images = keras.Input((size, size, 3))
    x = keras.layers.Conv2D(4, 3, strides=2)(images)
    x = keras.layers.Dense(outputs)(keras.layers.Flatten()(x))
    return keras.Model(images, keras.layers.UnitNormalization()(x))


PIXEL_LOSSES = [pixel.mean_squared_error, pixel.mean_absolute_error, pixel.charbonnier]
VERDICT_LOSSES = [
    adversarial.binary_cross_entropy_generator,
    adversarial.binary_cross_entropy_discriminator,
    adversarial.least_squares_generator,
    adversarial.least_squares_discriminator,
    adversarial.linear_least_squares_discriminator,
    adversarial.relativistic_generator,
    adversarial.relativistic_discriminator,
]


LABELS = np.array([0, 1, 1, 2, 0, 0])
# Losses on embeddings; where a second array is taken, it holds class rows, or the embeddings of a teacher.
EMBEDDING_LOSSES: list[Callable[..., tf.Tensor]] = [
    lambda rows: triplet.batch_hard_triplet(rows, LABELS),
    lambda rows: triplet.semi_hard_triplet(rows, LABELS),
    lambda rows: triplet.contrastive(tf.abs(rows[:, 0]), LABELS == 1),
]
CLASS_LOSSES: list[Callable[..., tf.Tensor]] = [
    *(
        lambda rows, classes, head=head: tf.reduce_mean(
            margin.cross_entropies(margin.margin_logits(rows, classes, LABELS, head=head), LABELS)
        )
        for head in margin.HEADS
    ),
    lambda rows, teacher: tf.reduce_mean(distillation.cosine_distillations(rows, teacher)),
]


def test_every_loss_is_float32_and_finite(precision: str) -> None:
    kind = precision.removeprefix("mixed_")
    high = tf.constant(RANDOM.uniform(0, 255, (2, 16, 16, 3)), tf.float32)
    images = tf.cast(RANDOM.uniform(0, 255, (2, 16, 16, 3)), kind)
    # Logits at which a sigmoid, or its square, leaves half precision.
    real, fake = (tf.constant(values, kind) for values in ([[300.0], [-40.0]], [[-300.0], [40.0]]))
    # Their squared lengths leave half precision, and each is its own class row.
    embeddings = tf.cast(RANDOM.normal(0, 200, (6, 8)), kind)
    cases: list[tuple[Callable[..., tf.Tensor], tuple[tf.Tensor, ...]]] = [
        *((loss, (images, high)) for loss in PIXEL_LOSSES),
        (pixel.total_variation, (images,)),
        *((loss, (real, fake)) for loss in VERDICT_LOSSES),
        *((loss, (embeddings,)) for loss in EMBEDDING_LOSSES),
        *((loss, (embeddings, embeddings)) for loss in CLASS_LOSSES),
    ]
    for build, loss in ((small_features, perceptual), (small_features, identity)):
        network = build(16, 8)
        cases.append((lambda one, other, loss=loss, network=network: loss(network, one, other), (images, high)))
    for loss, arguments in cases:
        with tf.GradientTape() as tape:
            tape.watch(arguments)
            value = loss(*arguments)
        assert value.dtype == tf.float32
        assert value.shape == ()
        assert np.isfinite(value)
        assert all(np.isfinite(gradient).all() for gradient in tape.gradient(value, arguments) if gradient is not None)

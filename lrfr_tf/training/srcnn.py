"""What a run of SRCNN is made of: its flags and its plan."""

import dataclasses

import tensorflow as tf

from lrfr_tf.config import option, with_default
from lrfr_tf.images.resize import resize_in_graph
from lrfr_tf.losses.pixel import mean_squared_error
from lrfr_tf.models.srcnn import VARIANTS, srcnn
from lrfr_tf.training.optimizers import build_optimizer
from lrfr_tf.training.outcome import Outcome, averaged
from lrfr_tf.training.run import Plan
from lrfr_tf.training.strategy import Devices
from lrfr_tf.training.super_resolution import pixel_step
from lrfr_tf.training.super_resolution_run import SuperResolutionSettings, load_run_faces, super_resolution_phase


@dataclasses.dataclass(frozen=True, kw_only=True)
class SrcnnSettings(SuperResolutionSettings):
    """The flags of train_srcnn."""

    variant: str = option("9-1-5", "kernel sizes", tuple(VARIANTS))
    steps: int = option(20_000, "training steps", at_least=1)
    learning_rate: float = option(1e-3, "Adam's highest learning rate", above=0)
    rate_schedule: str = with_default(SuperResolutionSettings, "rate_schedule", "steps")
    evaluate_every: int = with_default(SuperResolutionSettings, "evaluate_every", 2_000)


def plan_srcnn(config: SrcnnSettings, devices: Devices) -> Plan:
    """One phase on the squared error.

    Raises:
        UserError: see `load_run_faces`.
    """
    faces = load_run_faces(config, devices)
    network = srcnn(config.variant)
    average = averaged(network, config.average_decay)
    outcome = Outcome(network, average, config.best_metric)
    optimizer = build_optimizer(config, config.learning_rate, config.steps)
    step = pixel_step(network, optimizer, mean_squared_error, average)

    def enlarged(first_step: int) -> tf.data.Dataset:
        size = faces.high_size
        return faces.batches(first_step).map(
            lambda batch: {"low": resize_in_graph(batch["low"], size, size), "high": batch["high"]}, tf.data.AUTOTUNE
        )

    parts = {"network": network, "optimizer": optimizer, "average": average, "best": outcome.best}
    return Plan(
        parts,
        faces.counts,
        lambda: [
            super_resolution_phase(
                "srcnn",
                faces,
                devices,
                step,
                batches=enlarged,
                outcome=outcome,
                optimizer=optimizer,
                enlarge_first=True,
            )
        ],
    )

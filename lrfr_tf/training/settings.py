"""The settings that every train script has: data, folder, devices, precision, intervals, what is kept."""

import dataclasses

from lrfr_tf.config import option, required

STRATEGIES = ("auto", "one", "mirrored", "multiworker")
PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
RATE_SCHEDULES = ("constant", "cosine", "steps", "tenth_at_half", "tenths")
METRICS = ("psnr", "ssim", "identity_similarity")

# These may change when a run is resumed: they do not change what is learned (other devices round differently).
SETTINGS_FREE_TO_CHANGE = (
    "output", "strategy", "jit_compile", "steps_per_call", "log_every", "evaluate_every", "save_every", "profile",
    "identity_similarity", "allow_unmatched_exclusions", "faces_in", "eval_benchmarks", "data_root", "teacher_weights",
    "draw_back",
)  # fmt: skip


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """The base of a train script's Config, which may give a field another default (`lrfr_tf.config.with_default`)."""

    data: tuple[str, ...] = required("prepared trees to learn from")
    output: str = required("folder of the run; a run that was stopped goes on there")
    held_out_divisor: int = option(0, "leave out identities whose number is divisible by this (0: nobody)", at_least=0)
    exclude: str | None = option(None, "a file that names further identities to leave out, one a line")
    allow_unmatched_exclusions: bool = option(
        False, "`exclude` is of more data than is here: entries that match nobody are counted, not refused"
    )
    batch_size: int = option(32, "images a step, over all replicas together", at_least=1)
    seed: int = option(0, "seed of weights, order and augmentation", at_least=0)
    strategy: str = option(
        "auto", "devices: auto takes all workers of TF_CONFIG, or all GPUs, or the one device there is", STRATEGIES
    )
    precision: str = option("float32", "number format of the layers; weights and losses stay float32", PRECISIONS)
    jit_compile: str = option(
        "auto", "compile the step with XLA; auto: where it is faster and one device trains", ("auto", "on", "off")
    )
    rate_schedule: str = option(
        "constant",
        "all learning rates, over each phase of the run: constant, falling to a fiftieth along a cosine, halved at 1/2 "
        "and again at 3/4 (steps), or divided by ten at 1/2, or at 2/5, 3/5 and 4/5 (tenths)",
        RATE_SCHEDULES,
    )
    warm_up_steps: int = option(0, "steps over which the learning rate rises from nothing", at_least=0)
    clip_norm: float = option(0.0, "largest global norm of a gradient; longer ones are shortened (0: none)", at_least=0)
    average_decay: float = option(
        0.0, "decay of the running average of the weights, which then is what is evaluated and stored (0: no average)",
        at_least=0,
    )  # fmt: skip
    best_metric: str = option(
        "none", "store the weights that were best on the validation faces by this, not the last", ("none", *METRICS)
    )
    steps_per_call: int = option(10, "most steps inside one graph call; SIGTERM is heard after each call", at_least=1)
    log_every: int = option(100, "steps between two lines of TensorBoard", at_least=1)
    evaluate_every: int = option(1_000, "steps between two evaluations on the validation faces", at_least=1)
    save_every: int = option(1_000, "steps between two checkpoints", at_least=1)
    profile: bool = option(False, "record a few steps for TensorBoard's profiler")

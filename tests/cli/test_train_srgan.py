"""The whole script on a few faces: both phases, going on after a stop in either, refusals, the other preset.

The faces go through all levels of the camera model, and the generator has attention.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from lrfr_tf.cli.train_srgan import main
from lrfr_tf.errors import UserError
from lrfr_tf.export.servable import export_saved_model
from lrfr_tf.export.super_resolution import servable_super_resolver
from lrfr_tf.files import read_json
from lrfr_tf.images.decode import read_image, write_png
from lrfr_tf.images.resize import resize
from lrfr_tf.main import run
from lrfr_tf.models import srgan
from lrfr_tf.networks.super_resolution import load_super_resolver
from lrfr_tf.networks.super_resolvers import KerasSuperResolver
from lrfr_tf.training.checkpoint import CheckpointStore
from lrfr_tf.training.initial_generator import initialize_from
from lrfr_tf.training.srgan import SrganSettings as Config
from lrfr_tf.training.srgan import build_generator
from lrfr_tf.training.tensorboard import Monitor
from tests.small_convertible import write_small_backbone
from tests.tools.small_runs import read_checkpoint, read_events, times_below, write_small_tree

CAMERA = ("clean", "moderate", "moderate", "harsh")
PIXEL_LOSSES = {"loss/pixel"}
ADVERSARIAL_LOSSES = {"loss/total", "loss/pixel", "loss/adversarial", "loss/discriminator"}


def small_discriminator(size: int = 64, filters: int = 64) -> keras.Model:
    """In the place of the paper's discriminator, whose 14 million weights would be most of each checkpoint."""
    images = keras.Input((size, size, 3))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(images)
    x = keras.layers.Conv2D(8, 5, strides=4)(x)
    x = keras.layers.LeakyReLU(0.2)(keras.layers.BatchNormalization()(x))
    return keras.Model(images, keras.layers.Dense(1)(keras.layers.Flatten()(x)))


@pytest.fixture(scope="module", autouse=True)
def _small_discriminator() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(srgan, "discriminator_paper", small_discriminator)
        yield


@pytest.fixture(scope="module")
def tree(portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_tree(tmp_path_factory.mktemp("tree"), portrait, {"train": 6, "val": 2})


def settings(tree: Path, output: Path, **changes: Any) -> Config:
    values: dict[str, Any] = {
        "data": (str(tree),), "output": str(output), "blocks": 1, "filters": 4, "pixel_steps": 4,
        "adversarial_steps": 4, "batch_size": 4, "pixel_weight": 1.0, "perceptual_weight": 0.0, "log_every": 1,
        "evaluate_every": 2, "save_every": 2, "jit_compile": "off", "identity_similarity": "off",
        "attention": True, "camera": CAMERA,
    }  # fmt: skip
    return Config(**{**values, **changes})


@pytest.fixture(scope="module")
def whole(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four steps on pixels and four against the discriminator, not stopped."""
    output = tmp_path_factory.mktemp("whole") / "run"
    # As in a process of its own: TensorFlow orders some sums by the names of layers, and Keras goes on counting them.
    keras.utils.clear_session()
    main(settings(tree, output))
    return output


def test_both_phases_leave_a_model(whole: Path) -> None:
    pixel, adversarial = load_super_resolver(whole / "pixel_model"), load_super_resolver(whole / "model")
    assert (pixel.name, adversarial.name) == ("srresnet", "srgan")
    assert pixel.checksum != adversarial.checksum
    assert not pixel.enlarge_first
    faces = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
    assert adversarial.super_resolve(faces).shape == (3, 64, 64, 3)
    assert pixel.network is not None
    assert adversarial.network is not None
    pairs = zip(pixel.network.get_weights(), adversarial.network.get_weights(), strict=True)
    assert all(not np.array_equal(before, after) for before, after in pairs)
    record = read_json(whole / "run.json")
    assert record["config"]["adversarial_steps"] == 4
    assert (record["training_faces"], record["validation_faces"]) == (12, 4)
    assert read_json(whole / "validation.json")[-1]["step"] == 8


def test_tensorboard_shows_the_losses_of_each_phase(whole: Path) -> None:
    events = read_events(whole / "tensorboard")
    assert {name for name in events if name.startswith("loss/")} == PIXEL_LOSSES | ADVERSARIAL_LOSSES
    assert sorted(events["loss/pixel"]) == [1, 2, 3, 4, 5, 6, 7, 8]
    for name in ADVERSARIAL_LOSSES - PIXEL_LOSSES:
        assert sorted(events[name]) == [5, 6, 7, 8]
    for step in (5, 6, 7, 8):
        values = {name: float(events[name][step]) for name in ADVERSARIAL_LOSSES}
        assert values["loss/total"] == pytest.approx(values["loss/pixel"] + 1e-3 * values["loss/adversarial"], rel=1e-5)
        # An untrained discriminator is near two times ln 2.
        assert 0 < values["loss/discriminator"] < 5
    rates = events["learning_rate"]
    assert float(rates[1]) > float(rates[3]) > float(rates[4]) == pytest.approx(2e-6)
    # Each phase has its own cosine, from 1e-4 down to a fiftieth.
    assert 1e-4 > float(rates[5]) > float(rates[6]) > float(rates[8]) == pytest.approx(2e-6)
    for step in (2, 4, 6, 8):
        png = events["validation/low_bicubic_output_high"][step][2]
        assert tf.io.decode_png(png).shape == (4 * 64, 4 * 64, 3)
        assert np.isfinite(float(events["validation/psnr"][step]))


@pytest.mark.parametrize(
    ("saved", "reported", "goes_on_with"),
    [
        pytest.param(None, 3, [3, 4, 5, 6, 7, 8], id="inside the pixel phase"),
        pytest.param(4, None, [5, 6, 7, 8], id="after the pixel phase", marks=pytest.mark.slow),
        pytest.param(None, 5, [5, 6, 7, 8], id="in the first adversarial steps", marks=pytest.mark.slow),
        pytest.param(6, None, [7, 8], id="inside the adversarial phase"),
    ],
)
def test_a_stopped_run_ends_with_the_same_weights(
    saved: int | None, reported: int | None, goes_on_with: list[int], whole: Path, tree: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    save, report = CheckpointStore.save, Monitor.report

    def save_and_stop(self: CheckpointStore, step: int) -> None:
        save(self, step)
        if step == saved:
            raise KeyboardInterrupt

    def report_and_stop(self: Monitor, step: int, values: dict[str, float]) -> None:
        report(self, step, values)
        if step == reported:
            raise KeyboardInterrupt

    output = tmp_path / "run"
    keras.utils.clear_session()
    with monkeypatch.context() as patch:
        patch.setattr(CheckpointStore, "save", save_and_stop)
        patch.setattr(Monitor, "report", report_and_stop)
        with pytest.raises(KeyboardInterrupt):
            main(settings(tree, output))
    assert not (output / "model").exists()
    assert (output / "pixel_model").exists() == (reported == 5 or saved == 6)

    steps = []
    monkeypatch.setattr(Monitor, "report", lambda self, step, values: (steps.append(step), report(self, step, values)))
    keras.utils.clear_session()
    main(settings(tree, output))
    assert steps == goes_on_with
    one, other = read_checkpoint(whole / "checkpoints"), read_checkpoint(output / "checkpoints")
    parts = {name.split("/")[0] for name in one}
    assert {"step", "generator", "discriminator", "pixel_optimizer", "generator_optimizer"} <= parts
    assert one.keys() == other.keys()
    assert [name for name in one if not np.array_equal(one[name], other[name])] == []
    for folder in ("pixel_model", "model"):
        first, second = load_super_resolver(whole / folder).network, load_super_resolver(output / folder).network
        assert first is not None
        assert second is not None
        for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
            assert np.array_equal(a, b)


def test_a_finished_run_is_left_as_it_is(whole: Path, tree: Path) -> None:
    before = {pattern: times_below(whole, pattern) for pattern in ("*model/*", "checkpoints/*", "validation.json")}
    main(settings(tree, whole))
    assert {pattern: times_below(whole, pattern) for pattern in before} == before


@pytest.mark.parametrize(
    ("flag", "name"),
    [
        ("--adversarial_rate=0.5", "adversarial_rate"),
        ("--batch_norm", None),
        ("--nobatch_norm", "batch_norm"),
        ("--preset=keras_gan", "preset"),
        ("--pixel_steps=3", "pixel_steps"),
        ("--noattention", "attention"),
        ("--camera=clean,moderate", "camera"),
        ("--vgg_layer=block3_conv3", "vgg_layer"),
    ],
)
def test_other_settings_are_refused_by_name(
    flag: str, name: str | None, whole: Path, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--blocks=1", "--filters=4", "--pixel_steps=4", "--adversarial_steps=4", "--batch_size=4"]
    flags += ["--pixel_weight=1", "--perceptual_weight=0", "--jit_compile=off", "--identity_similarity=off"]
    flags += ["--attention", f"--camera={','.join(CAMERA)}", flag]
    arguments = ["train_srgan", f"--data={tree}", f"--output={whole}", *flags]
    if name is None:  # a setting's own default changes nothing
        run(main, Config, arguments)
        return
    with pytest.raises(SystemExit) as stopped:
        run(main, Config, arguments)
    assert stopped.value.code == 2
    assert f"{whole} was begun with other settings ({name})" in capsys.readouterr().err


@pytest.fixture(scope="module")
def plain(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a step on pixels without attention, and its network as an export."""
    output = tmp_path_factory.mktemp("plain") / "run"
    main(settings(tree, output, attention=False, batch_norm=False, pixel_steps=1, adversarial_steps=0))
    export_saved_model(servable_super_resolver(output / "pixel_model"), output.parent, "srresnet", 1)
    return output.parent


@pytest.mark.parametrize("attention", [False, True])
@pytest.mark.parametrize("stored", ["run/pixel_model", "srresnet"])
def test_a_run_begins_with_a_generator(stored: str, attention: bool, plain: Path, tree: Path) -> None:
    config = settings(tree, plain / "unused", attention=attention, batch_norm=False)
    generator = build_generator(config)
    without = build_generator(settings(tree, plain / "unused", attention=False, batch_norm=False))
    initialize_from(generator, plain / stored, without if attention else None)
    faces = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
    begun, first = (resolver.super_resolve(faces) for resolver in (
        KerasSuperResolver("srresnet", generator), load_super_resolver(plain / "run" / "pixel_model")
    ))  # fmt: skip
    assert np.abs(begun.astype(int) - first).max() <= 1


def test_a_generator_of_another_form_is_refused(plain: Path, whole: Path, tree: Path) -> None:
    for stored, changes in (
        (plain / "run" / "pixel_model", {"filters": 8}),
        (plain / "srresnet", {"filters": 8, "batch_norm": False}),
        (whole / "pixel_model", {"attention": False}),
    ):
        config = settings(tree, plain / "unused", **changes)
        with pytest.raises(UserError, match="has another form"):
            initialize_from(build_generator(config), stored)


@pytest.mark.slow
def test_a_pixel_phase_alone_and_an_adversarial_phase_alone(tree: Path, tmp_path: Path) -> None:
    main(settings(tree, tmp_path / "pixel", pixel_steps=1, adversarial_steps=0))
    network = load_super_resolver(tmp_path / "pixel" / "model").network
    pixel_network = load_super_resolver(tmp_path / "pixel" / "pixel_model").network
    assert network is not None
    assert pixel_network is not None
    for one, other in zip(network.get_weights(), pixel_network.get_weights(), strict=True):
        assert np.array_equal(one, other)
    main(settings(tree, tmp_path / "adversarial", pixel_steps=0, adversarial_steps=1))
    assert load_super_resolver(tmp_path / "adversarial" / "model").network is not None
    assert sorted(read_events(tmp_path / "adversarial" / "tensorboard")["loss/discriminator"]) == [1]


@pytest.mark.slow
def test_the_keras_gan_preset_takes_a_step(tree: Path, tmp_path: Path) -> None:
    main(settings(tree, tmp_path / "run", preset="keras_gan", pixel_steps=0, adversarial_steps=1))
    resolver = load_super_resolver(tmp_path / "run" / "model")
    assert resolver.network is not None
    assert resolver.network.count_params() == 2_042_691
    events = read_events(tmp_path / "run" / "tensorboard")
    # Squares of probabilities, averaged over the patches: no more than 1 for each of the two kinds of images.
    assert 0 < float(events["loss/discriminator"][1]) <= 2
    assert {name for name in events if name.startswith("loss/")} == ADVERSARIAL_LOSSES


def test_the_validation_figures_of_both_phases_are_kept(whole: Path) -> None:
    history = read_json(whole / "validation.json")
    found = [(item["network"], item["step"]) for item in history]
    assert found == [("srresnet", 2), ("srresnet", 4), ("srgan", 6), ("srgan", 8)]
    # By the camera as well, and there bicubic's error is another.
    for item in history:
        gains = [item["psnr_gain"], item["psnr_gain_moderate"], item["psnr_gain_harsh"]]
        assert np.isfinite(gains).all()
        assert len(set(gains)) == 3
    assert "psnr_gain_clean" not in history[0]


@pytest.mark.slow
def test_an_embedder_of_aligned_faces_judges_framed_ones(portrait: np.ndarray, tmp_path: Path) -> None:
    model = write_small_backbone(tmp_path / "embedder" / "model")
    changes: dict[str, Any] = {
        "identity_weight": 0.5, "identity_embedder": str(model), "pixel_steps": 0, "adversarial_steps": 1,
    }  # fmt: skip
    stored = write_small_tree(tmp_path / "stored", portrait, {"train": 2, "val": 1})
    with pytest.raises(UserError, match="give `framing`=random"):
        main(settings(stored, tmp_path / "refused", **changes))
    assert not (tmp_path / "refused").exists()
    tree = write_small_tree(tmp_path / "tree", portrait, {"train": 2, "val": 1})
    for path in tree.glob("hr/*/*/*.png"):
        write_png(path, resize(read_image(path), 109, 89))
    main(settings(tree, tmp_path / "run", framing="random", **changes))
    events = read_events(tmp_path / "run" / "tensorboard")
    identity = float(events["loss/identity"][1])
    assert 0 < identity < 2
    parts = float(events["loss/pixel"][1]) + 0.5 * identity + 1e-3 * float(events["loss/adversarial"][1])
    assert float(events["loss/total"][1]) == pytest.approx(parts, rel=1e-5)

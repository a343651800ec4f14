"""The distillation: what learns, weights drawn back, and a small run that is stopped and goes on."""

from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from lrfr_tf.cli import train_distillation
from lrfr_tf.errors import UserError
from lrfr_tf.files import write_json
from lrfr_tf.models.mobilefacenet import mobilefacenet
from lrfr_tf.training import distillation
from lrfr_tf.training.aligned_faces import list_run_faces
from lrfr_tf.training.distillation import DistillationSettings, distillation_step, plan_distillation
from lrfr_tf.training.loop import Schedule
from lrfr_tf.training.run import Plan, Training
from lrfr_tf.training.strategy import set_up
from lrfr_tf.training.teacher import compute_targets, mean_rows
from lrfr_tf.weights.backbone import load_weights
from tests.faces_by_code import person
from tests.tools.small_runs import read_checkpoint

FLAGS = {
    "batch_size": 2, "groups": ("clean:20", "clean:112"), "log_every": 1, "evaluate_every": 2, "save_every": 1,
    "jit_compile": "off", "steps_per_call": 1, "warm_up_steps": 0, "average_decay": 0.5, "learning_rate": 1e-3,
}  # fmt: skip


@pytest.fixture(scope="module")
def tree(portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("aligned") / "tree"
    for identity, name in enumerate(("1", "2", "5")):
        (root / name).mkdir(parents=True)
        for photo in range(2):
            Image.fromarray(person(portrait, identity, photo, 120)).save(root / name / f"{photo}.jpg")
    write_json(root / "manifest.json", {"template": "centred", "size": 112, "left_margin": 0, "margin": 4})
    return root


@pytest.fixture(autouse=True)
def published(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random weights in the place of the published ones, the same in every call."""

    def load(path: Path | None = None) -> keras.Model:
        keras.utils.set_random_seed(1)
        return mobilefacenet()

    monkeypatch.setattr(distillation, "load_w600k_mbf", load)


def settings(tree: Path, output: Path, **changed: object) -> DistillationSettings:
    return DistillationSettings(data=(str(tree),), output=str(output), **(FLAGS | {"steps": 2} | changed))  # type: ignore[arg-type]


def weights_of(path: Path) -> list[np.ndarray]:
    network = mobilefacenet()
    load_weights(network, path)
    return network.get_weights()


def plan(config: DistillationSettings) -> Plan:
    return plan_distillation(config, set_up(config))


@pytest.mark.slow
def test_a_stopped_run_goes_on_and_is_drawn_back(tree: Path, tmp_path: Path) -> None:
    train_distillation.main(settings(tree, tmp_path / "whole", steps=3))
    # Two of three steps, then the third: as if the first process had been stopped after its second checkpoint.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Training, "_schedule", lambda self, last: Schedule(2, 1, 2, 1, 1))
        train_distillation.main(settings(tree, tmp_path / "parts", steps=3))
    (tmp_path / "parts" / "model").rename(tmp_path / "early")
    train_distillation.main(settings(tree, tmp_path / "parts", steps=3))
    first, second = (read_checkpoint(tmp_path / name / "checkpoints") for name in ("whole", "parts"))
    assert {name.split("/")[0] for name in first} == {"step", "network", "optimizer", "average"}
    assert max(np.abs(first[name] - second[name]).max(initial=0.0) for name in first) == 0.0

    file = Path("model") / "mobilefacenet.weights.h5"
    train_distillation.main(settings(tree, tmp_path / "back", steps=3, draw_back=0.25))
    start, end, back = (
        distillation.load_w600k_mbf().get_weights(), weights_of(tmp_path / "whole" / file),
        weights_of(tmp_path / "back" / file),
    )  # fmt: skip
    for a, b, c in zip(start, end, back, strict=True):
        np.testing.assert_allclose(c, a + 0.75 * (b - a), atol=1e-6)
    assert max(np.abs(a - b).max() for a, b in zip(start, end, strict=True)) > 1e-3
    assert (tmp_path / "whole" / "latest" / "mobilefacenet.weights.h5").is_file()

    # A run that goes on from another is drawn back to the teacher, too, not to where it began.
    begin = str(tmp_path / "whole" / file)
    train_distillation.main(settings(tree, tmp_path / "on", steps=1, initial_weights=begin, draw_back=1.0))
    for a, b in zip(start, weights_of(tmp_path / "on" / file), strict=True):
        np.testing.assert_allclose(b, a, atol=1e-6)


def test_a_run_that_tells_persons_apart_lowers_their_cross_entropy(tree: Path, tmp_path: Path) -> None:
    config = settings(tree, tmp_path / "run", person_weight=0.5, groups=("clean:112",))
    devices = set_up(config)
    made = plan_distillation(config, devices)
    (phase,) = made.phases()
    network = made.parts["network"]
    assert isinstance(network, keras.Model)
    files, _ = list_run_faces(config, devices)
    photos = compute_targets(files, config.data, tmp_path / "run" / "teacher", mobilefacenet, devices=devices)
    persons = mean_rows(photos, files.identities)
    assert persons.shape == (2, 512)
    np.testing.assert_allclose(np.linalg.norm(persons, axis=1), 1, atol=1e-5)
    step = distillation_step(
        network, keras.optimizers.SGD(1e-2), config.groups, average=None, persons=persons, person_weight=0.5
    )
    batch = next(iter(phase.batches(0)))
    losses = [{name: float(value) for name, value in step(batch).items()} for _ in range(4)]
    for values in losses:
        assert values["total"] == pytest.approx(values["distillation_clean:112"] + 0.5 * values["persons"], abs=1e-5)
    # Random weights are steep where they begin; the first step leads away from there.
    assert losses[-1]["persons"] < losses[1]["persons"]


def test_some_layers_learn_and_the_others_do_not(tree: Path, tmp_path: Path) -> None:
    config = settings(tree, tmp_path / "run", trained=("entry", "pairs"))
    network = plan(config).parts["network"]
    assert isinstance(network, keras.Model)
    learning = {variable.path.split("/")[0] for variable in network.trainable_variables}
    assert learning == {"entry_convolution", "entry_prelu", "pairs_own_convolution", "pairs_partner_convolution",
                        "pairs_prelu"}  # fmt: skip
    config = settings(tree, tmp_path / "run", trained=("stage9",))
    with pytest.raises(UserError, match="`trained`=stage9: no layer has such a name"):
        plan(config)


def test_nobody_who_is_held_out_learns(tree: Path, tmp_path: Path) -> None:
    config = settings(tree, tmp_path / "run")
    assert plan(config).facts["training_identities"] == 2
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"shares": (1.0, 2.0)}, "`shares` takes one number of at least 0 for each tree"),
        ({"shares": (0.0,)}, "`shares` takes one number"),
        ({"draw_back": 1.5}, "`draw_back`=1.5 is out of range"),
        ({"groups": ("clean",)}, "'clean' is no <level>"),
    ],
)
def test_wrong_flags_are_named(tree: Path, tmp_path: Path, changed: dict, message: str) -> None:
    config = settings(tree, tmp_path / "run", **changed)
    with pytest.raises(UserError, match=message):
        plan(config)

"""Commands in a row: shown, timed, recorded, stopped at the first failure."""

from pathlib import Path

import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.experiment import RECOGNITION_STEPS, Experiment, in_checkout, recognition_steps
from lrfr_tf.files import read_json


def test_commands_are_shown_and_recorded(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    experiment = Experiment(tmp_path / "steps.json", 2)
    experiment.run("say the path", "-m os.path")
    experiment.run("list the flags", "tools/show_face.py", "--help")
    shown = capfd.readouterr().out
    assert "[1/2] say the path\n    python -m os.path" in shown
    assert "[2/2] list the flags" in shown
    assert "Shows what the networks make of the faces in one photo" in shown
    steps = read_json(tmp_path / "steps.json")
    assert [step["command"][0] for step in steps] == ["-m", in_checkout("tools/show_face.py")]
    assert all(step["seconds"] >= 0 for step in steps)


def test_a_failed_command_stops_the_experiment(tmp_path: Path) -> None:
    experiment = Experiment(tmp_path / "steps.json", 2)
    with pytest.raises(UserError, match=r"Step 1 \(do what cannot be done\) failed"):
        experiment.run("do what cannot be done", "-m no_such_module_anywhere")
    assert not (tmp_path / "steps.json").exists()


def test_the_recognition_steps_are_as_many_as_announced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[tuple[str, tuple[str, ...]]] = []
    monkeypatch.setattr(Experiment, "run", lambda self, text, script, *arguments: steps.append((script, arguments)))
    models = {"srcnn": "runs/srcnn/model", "srresnet": "saved_models/srresnet"}
    recognition_steps(Experiment(tmp_path / "steps.json", 5), "data", "out", models, ("--title=x",))
    assert len(steps) == RECOGNITION_STEPS
    assert steps[0] == (
        "tools/super_resolve.py", ("--data=data", "--model=bicubic,runs/srcnn/model,saved_models/srresnet"),
    )  # fmt: skip
    for script, arguments in steps[1:]:
        hr = "" if script == "tools/compare_detection.py" else "hr,"
        assert f"--methods={hr}bicubic,srcnn,srresnet" in arguments
    assert steps[-1][0] == "tools/evaluate_celeba.py"
    assert steps[-1][1][-1] == "--title=x"

"""Commands in a row: shown, timed, recorded, stopped at the first failure."""

from pathlib import Path

import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json, write_json
from lrfr_tf.study.experiment import (
    Experiment,
    check_levels,
    count_recognition_steps,
    find_siamese,
    path_in_checkout,
    recognition_steps,
)


def test_commands_are_shown_and_recorded(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    experiment = Experiment(tmp_path / "steps.json", 2, print)
    experiment.run("say the path", "-m os.path")
    experiment.run("list the flags", "tools/show_face.py", "--help")
    shown = capfd.readouterr().out
    assert "[1/2] say the path\n    python -m os.path" in shown
    assert "[2/2] list the flags" in shown
    assert "Shows what the networks make of the faces in one photo" in shown
    steps = read_json(tmp_path / "steps.json")
    assert [step["command"][0] for step in steps] == ["-m", path_in_checkout("tools/show_face.py")]
    assert all(step["seconds"] >= 0 for step in steps)


def test_a_failed_command_stops_the_experiment(tmp_path: Path) -> None:
    experiment = Experiment(tmp_path / "steps.json", 2, print)
    with pytest.raises(UserError, match=r"Step 1 \(do what cannot be done\) failed"):
        experiment.run("do what cannot be done", "-m no_such_module_anywhere")
    assert not (tmp_path / "steps.json").exists()


@pytest.mark.parametrize("siamese", [None, "saved_models/siamese/1"])
def test_the_recognition_steps_are_as_many_as_announced(
    siamese: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[tuple[str, tuple[str, ...]]] = []
    monkeypatch.setattr(Experiment, "run", lambda self, text, script, *arguments: steps.append((script, arguments)))
    models = {"srcnn": "runs/srcnn/model", "srresnet": "saved_models/srresnet"}
    recognition_steps(
        Experiment(tmp_path / "steps.json", 8, print),
        "data",
        "out",
        models,
        siamese=siamese,
        held_out_divisor=5,
        title="x",
        note="a note",
    )
    assert len(steps) == count_recognition_steps(siamese)
    assert steps[0] == (
        "tools/super_resolve.py", ("--data=data", "--model=bicubic,runs/srcnn/model,saved_models/srresnet"),
    )  # fmt: skip
    ours = [step for step in steps if "--methods=hr,bicubic" in step[1]]
    assert [script for script, _ in ours] == (
        [] if siamese is None else ["tools/extract_embeddings.py", "-m lrfr_tf.train_classifier"]
    )
    for script, arguments in steps[1:]:
        if script != "tools/evaluate_pixels.py" and (script, arguments) not in ours:
            hr = "" if script == "tools/compare_detection.py" else "hr,"
            assert f"--methods={hr}bicubic,srcnn,srresnet" in arguments
    (pixels, on_pixels), (table, on_table) = steps[-2:]
    assert (pixels, table) == ("tools/evaluate_pixels.py", "tools/evaluate_celeba.py")
    assert "--models=srcnn=runs/srcnn/model,srresnet=saved_models/srresnet" in on_pixels
    assert "--output=out/pixels/result.json" in on_pixels
    assert "--pixels=out/pixels/result.json" in on_table
    for arguments in (on_pixels, on_table):
        assert {"--held_out_divisor=5", "--title=x"} <= set(arguments)
        assert ("--siamese_embeddings=out/siamese_embeddings" in arguments) == (siamese is not None)
    assert on_table[-1] == "--note=a note"


@pytest.mark.parametrize("siamese", [None, "saved_models/siamese/1"])
def test_each_camera_level_is_a_whole_experiment_and_the_clean_report_shows_it(
    siamese: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[tuple[str, tuple[str, ...]]] = []
    monkeypatch.setattr(Experiment, "run", lambda self, text, script, *arguments: steps.append((script, arguments)))
    experiment, models = Experiment(tmp_path / "steps.json", 8, print), {"srgan": "runs/srgan/model"}
    recognition_steps(experiment, "data", "out", models, siamese=siamese, held_out_divisor=5, title="x")
    clean = list(steps)
    steps.clear()
    levels = check_levels(("clean", "moderate", "harsh", "moderate"))
    recognition_steps(experiment, "data", "out", models, siamese=siamese, held_out_divisor=5, title="x", levels=levels)
    assert len(steps) == count_recognition_steps(siamese, levels)
    own = (len(steps) - len(clean)) // 2
    for level, part in (("moderate", steps[:own]), ("harsh", steps[own : 2 * own])):
        photographed, *done, table = part
        assert photographed == (
            "tools/photograph_tree.py", ("--data=data", f"--camera={level}", f"--output=out/{level}/faces"),
        )  # fmt: skip
        # What is done with a level's faces is what is done with the clean ones.
        there = [(script, tuple(word.replace("=out/", f"=out/{level}/") for word in words)) for script, words in clean]
        there = [
            (script, tuple(word.replace("=data", f"=out/{level}/faces") for word in words)) for script, words in there
        ]
        assert done == there[: len(done)]
        assert table[0] == "tools/evaluate_celeba.py"
        assert table[1][-1] == f"--title=x, camera level {level}"
        assert f"--output=out/{level}/report" in table[1]
    *same, pixels, report = steps[2 * own :]
    assert same == clean[:-2]
    assert set(pixels[1]) - set(clean[-2][1]) == {"--camera=clean,moderate,harsh"}
    assert set(report[1]) - set(clean[-1][1]) == {
        "--levels=out/moderate/report/result.json,out/harsh/report/result.json"
    }
    with pytest.raises(UserError, match="`camera`=harsh lacks clean"):
        check_levels(("harsh",))


def test_the_siamese_network_is_found_or_a_line_says_that_it_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "lrfr_tf")
    default = tmp_path / "saved_models" / "siamese"
    assert find_siamese(None, default) is None
    assert caplog.messages == [f"The rows of the Siamese network are left out, as {default} holds no export."]
    caplog.clear()
    write_json(default / "2" / "model.json", {})
    assert find_siamese(None, default) == str(default / "2")
    assert find_siamese(str(default), tmp_path / "elsewhere") == str(default / "2")
    assert not caplog.messages
    assert find_siamese("", default) is None
    assert "left out, as `siamese` is empty" in caplog.text
    with pytest.raises(UserError, match="holds no export"):
        find_siamese(str(tmp_path / "elsewhere"), default)

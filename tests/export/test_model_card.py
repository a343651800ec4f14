"""What all model cards share."""

from pathlib import Path

from lrfr_tf.export.model_card import draw_training, joined_history, wrap_paragraphs
from lrfr_tf.files import write_json
from lrfr_tf.images.decode import read_image


def test_paragraphs_are_wrapped_and_nothing_else() -> None:
    kept = "# A heading " + "x" * 120 + "\n\n| a | table |\n| of | rows |\n\n- a list " + "y " * 80 + "\n- of two"
    code = "```sh\npython " + "--flag " * 30 + "\n```"
    paragraph = "Words-with-hyphens and `code` " * 20
    text = wrap_paragraphs(f"{kept}\n\n{paragraph}\nragged\n\n{code}\n")
    assert text.startswith(kept)
    assert text.endswith(code + "\n")
    lines = text.removeprefix(kept).removesuffix(code + "\n").strip().split("\n")
    assert 90 < min(len(line) for line in lines[:-1]) <= max(len(line) for line in lines) <= 120
    assert " ".join(lines).split() == [*paragraph.split(), "ragged"]


def test_a_run_that_goes_on_counts_on(tmp_path: Path) -> None:
    write_json(tmp_path / "first" / "validation.json", [{"step": 5, "ssim": 0.1}, {"step": 10, "ssim": 0.2}])
    write_json(tmp_path / "second" / "validation.json", [{"step": 5, "ssim": 0.3}])
    history = joined_history([tmp_path / "first", tmp_path / "second"])
    assert [(entry["step"], entry["ssim"]) for entry in history] == [(5, 0.1), (10, 0.2), (15, 0.3)]


def test_each_panel_takes_its_room(tmp_path: Path) -> None:
    history = [{"step": 1, "a": 0.1, "b": 0.2}, {"step": 2, "a": 0.3, "b": 0.1}]
    draw_training(tmp_path / "one.png", history, {"left": {"a": "A"}})
    draw_training(tmp_path / "two.png", history, {"left": {"a": "A"}, "right": {"a": "A", "b": "B"}})
    one, two = (read_image(tmp_path / name).shape for name in ("one.png", "two.png"))
    assert two == (one[0], 2 * one[1], 3)

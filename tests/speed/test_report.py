"""Result files and the document: the figures of the rows, the targets judged correctly, and nothing invented."""

from pathlib import Path
from typing import Any

import pytest

from lrfr_tf.errors import UserError
from lrfr_tf.speed.interleaved import Times
from lrfr_tf.speed.profile import milliseconds_by_kind
from lrfr_tf.speed.record import read_result, row_of, write_csv, write_result
from lrfr_tf.speed.targets import BATCHED, ratios, targets
from tests.speed.rows_by_hand import row, write_detect_result
from tools.repository.write_performance import commits_of, document


@pytest.fixture
def detect(tmp_path: Path) -> Path:
    return write_detect_result(tmp_path / "detect.json")


def test_a_result_file_holds_what_was_measured(tmp_path: Path) -> None:
    times = Times(wall=[0.4, 0.2, 0.9], cpu=[0.8, 0.4, 0.6])
    measured = row_of("embed", "batch 4", "lrfr-tf", 2, batch=4, times=times, units=4)
    write_result(tmp_path / "embed.json", "embed", [measured], {"weights": "random"})
    result = read_result(tmp_path / "embed.json")
    assert result["rows"] == [measured]
    assert (measured.calls, measured.cpu_ms_median, measured.wall_ms_min) == (3, 150.0, 50.0)
    assert result["facts"] == {"weights": "random"}
    assert result["machine"]["processors"] >= 1
    assert set(result["versions"]) >= {"tensorflow", "numpy"}


def test_other_files_are_refused(tmp_path: Path) -> None:
    for text in ("{}", '{"schema": 1, "rows": [{"stage": "x"}]}', "no json"):
        (tmp_path / "x.json").write_text(text)
        with pytest.raises(UserError, match=r"x\.json"):
            read_result(tmp_path / "x.json")


def test_the_least_ratio_counts(detect: Path) -> None:
    rows = read_result(detect)["rows"]
    assert ratios(rows, "mtcnn", "cpu") == {("photos", 1, 1): 2.9, (BATCHED, 1, 64): 2.0}
    assert ratios(rows, "mtcnn", "wall")[("photos", 1, 1)] == 18.0
    torch, package, batch = targets({"detect": read_result(detect)})
    assert (torch.reached, torch.held) == ("2.50 times", True)  # the batch is not among what is compared with torch
    assert (package.reached, package.held) == ("2.90 times", False)
    assert (batch.reached, batch.held) == ("2.00 times", True)


def test_a_bar_that_was_not_measured_is_neither_held_nor_missed(tmp_path: Path) -> None:
    rows = [row("embed", "batch 1", "lrfr-tf", 30, 30)]
    facts = {"same_embeddings": {}, "weights": "random", "peers": {}, "profile": {}, "peak_memory_mb": {"1": {}}}
    write_result(tmp_path / "embed.json", "embed", rows, facts)
    for bar in targets({"embed": read_result(tmp_path / "embed.json")}):
        assert (bar.reached, bar.held) == ("not measured", None)
    assert "facenet-pytorch was not installed" in document({"embed": read_result(tmp_path / "embed.json")})


def test_stages_of_different_commits_are_told_apart() -> None:
    one, other = {"git_commit": "a" * 40}, {"git_commit": "b" * 40 + "+changes"}
    assert commits_of({"detect": one, "embed": one}) == "commit `aaaaaaaaaaaa`"
    both = commits_of({"detect": one, "embed": other, "start": one})
    assert both == "commits `aaaaaaaaaaaa` (detect, start), `bbbbbbbbbbbb` (embed)"


def test_what_computes_in_bfloat16_has_a_bar_of_its_own(tmp_path: Path) -> None:
    times = {"lrfr-tf": 30, "lrfr-tf, bfloat16": 20, "facenet-pytorch": 42, "facenet-pytorch, bfloat16": 30}
    times["facenet-pytorch, channels last"] = 36
    rows = [row("embed", "batch 1", name, time, time) for name, time in times.items()]
    agreement = {"facenet-pytorch": {"largest_difference": 3e-7}, "x": {"smallest_cosine": 0.9997}}
    facts = {
        "same_embeddings": {"batch 1": agreement}, "weights": "random", "peers": {"facenet-pytorch": {}}, "profile": {},
        "peak_memory_mb": {"1": {}}, "gflop_a_face": 2.8,
        "matrix_product_gflop_per_cpu_second": {"1": {"batch 1": 140.0}},
    }  # fmt: skip
    write_result(tmp_path / "embed.json", "embed", rows, facts)
    result = read_result(tmp_path / "embed.json")
    exact, rounded = targets({"embed": result})
    assert (exact.reached, exact.held) == ("1.40 times", False)
    assert (rounded.reached, rounded.held) == ("2.10 times", True)
    text = document({"embed": result})
    assert "the embeddings of x have a cosine of at least 0.99970 to ours in float32" in text
    assert "theirs needs 1.50 to 1.50 times our CPU time then" in text
    assert "lrfr-tf 67% (batch 1, threads: 1), facenet-pytorch 48% (batch 1, threads: 1)." in " ".join(text.split())


@pytest.mark.parametrize(("late", "held"), [(1010.0, True), (1100.0, False)])
def test_memory_and_rate_of_many_crops(tmp_path: Path, late: float, held: bool) -> None:
    facts = {
        "crops": 2000, "embedder": "facenet", "memory_mb": {"1000": 1000.0, "2000": late},
        "crops_per_second": 72.0, "network_alone_crops_per_second": 80.0,
    }  # fmt: skip
    write_result(tmp_path / "extract.json", "extract", [], facts)
    rate, growth = targets({"extract": read_result(tmp_path / "extract.json")})
    assert (rate.held, rate.reached) == (True, "72.0 crops/s, 90.0% of the network alone")
    assert growth.held is held
    assert f"{late - 1000:+.0f} MB" in growth.reached


def test_super_resolution_is_held_against_the_matrix_product(tmp_path: Path) -> None:
    rows = [
        row("super_resolve", "srgan", "lrfr-tf", 6, 5), row("super_resolve", "srgan", "model.predict", 50, 21),
        row("super_resolve", "srgan", "lrfr-tf", 6, 3, 32), row("super_resolve", "srgan", "model.predict", 9, 4, 32),
    ]  # fmt: skip
    facts: dict[str, Any] = {"gflop_a_face": {"srgan": 0.6}, "matrix_size": 2048}
    facts["matrix_product_gflop_per_second"] = {"srgan, batch 1": 300.0, "srgan, batch 32": 320.0}
    write_result(tmp_path / "super_resolve.json", "super_resolve", rows, facts)
    predict, product = targets({"super_resolve": read_result(tmp_path / "super_resolve.json")})
    assert (predict.reached, predict.held) == ("4.20 times", True)
    assert (product.reached, product.held) == ("62%", False)  # 0.6 GFLOP in 3 ms are 200 a second, of 320


def test_onednn_log() -> None:
    log = """what a library prints
onednn_verbose,v1,info,cpu,runtime:threadpool
onednn_verbose,v1,primitive,create:cache_miss,cpu,convolution,brg,forward,a,b,c,mb1,9.0
onednn_verbose,v1,primitive,exec,cpu,convolution,brg,forward,a,b,c,mb1,1.5
onednn_verbose,v1,primitive,exec,cpu,reorder,jit,undef,a,b,c,1x3,0.5
onednn_verbose,v1,primitive,exec,cpu,convolution,brg,forward,a,b,c,mb1,2.5"""
    assert milliseconds_by_kind(log, calls=2) == {"convolution": 2.0, "reorder": 0.25}


def test_csv_of_several_results(detect: Path, tmp_path: Path) -> None:
    write_csv(tmp_path / "all.csv", [read_result(detect)] * 2)
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 13

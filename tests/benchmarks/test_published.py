"""Published rows are whole and marked."""

import pytest

from lrfr_tf.benchmarks.published import BENCHMARKS, ROWS, published_lines, published_rows, published_table


def test_rows_are_percentages_with_a_source() -> None:
    for row in ROWS:
        assert row.benchmark in BENCHMARKS
        assert row.figures
        assert all(0 < figure <= 100 for figure in row.figures.values())
        assert all((row.method, row.protocol, row.source))
    assert len({(row.benchmark, row.method, row.protocol) for row in ROWS}) == len(ROWS)


def test_the_papers_rows() -> None:
    lfw = next(row for row in published_rows("lfw") if "paper" in row.method)
    assert list(lfw.figures.values()) == [94.8, 97.6, 98.2, 98.1, 99.1]
    rerun = {row.benchmark: list(row.figures.values()) for row in ROWS if "rerun" in row.method}
    assert rerun["scface"] == [79.85, 96.62, 98.15]
    assert rerun["survface"] == [77.56, 56.37, 28.71, 11.88, 82.17]


def test_rows_of_the_same_protocol_come_first() -> None:
    for benchmark in BENCHMARKS:
        marks = [row.same_protocol for row in published_rows(benchmark)]
        assert marks == sorted(marks, reverse=True)
        assert marks[0]
    with pytest.raises(ValueError, match="'casia' is none of"):
        published_rows("casia")


def test_lines_hold_only_rows_with_a_wanted_column() -> None:
    lines = published_lines("lfw", ["8", "128"])
    assert lines[0].split()[:2] == ["94.80", "99.10"]
    assert not any("SKD" in line for line in lines)
    (skd,) = (line for line in published_lines("lfw", ["16"]) if "SKD" in line)
    assert "other protocol: both images at S px" in skd


def test_the_table_holds_every_row_and_marks_other_protocols() -> None:
    for benchmark in BENCHMARKS:
        lines = published_table(benchmark)
        assert len(lines) == 2 + len(published_rows(benchmark))
        assert all(line.count("|") == 5 for line in lines)
    lines = published_table("scface")
    assert (
        "| Lai & Lam, deep Siamese network, paper | distance 1: 79.7, distance 2: 95.7, distance 3: 98.2 |" in lines[2]
    )
    assert "other protocol" not in lines[2]
    assert "| other protocol: fine-tuned on 50 SCface persons, 80-way | DDL |" in lines[-1]

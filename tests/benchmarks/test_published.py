"""Published rows are whole and marked."""

from lrfr_tf.benchmarks.published import ours_first, published_lines, published_table
from lrfr_tf.benchmarks.registry import registered

ROWS = {name: benchmark.published for name, benchmark in registered().items()}


def test_rows_are_percentages_with_a_source() -> None:
    for rows in ROWS.values():
        for row in rows:
            assert row.figures
            assert all(0 < figure <= 100 for figure in row.figures.values())
            assert all((row.method, row.protocol, row.source))
        assert len({(row.method, row.protocol) for row in rows}) == len(rows)


def test_the_papers_rows() -> None:
    lfw = next(row for row in ours_first(ROWS["lfw"]) if "paper" in row.method)
    assert list(lfw.figures.values()) == [94.8, 97.6, 98.2, 98.1, 99.1]
    rerun = {name: list(row.figures.values()) for name, rows in ROWS.items() for row in rows if "rerun" in row.method}
    assert rerun["scface"] == [79.85, 96.62, 98.15]
    assert rerun["survface"] == [77.56, 56.37, 28.71, 11.88, 82.17]


def test_rows_of_the_same_protocol_come_first() -> None:
    for rows in ROWS.values():
        marks = [row.same_protocol for row in ours_first(rows)]
        assert marks == sorted(marks, reverse=True)
        assert marks[0]


def test_lines_hold_only_rows_with_a_wanted_column() -> None:
    lines = published_lines(ROWS["lfw"], ["8", "128"])
    assert lines[0].split()[:2] == ["94.80", "99.10"]
    assert not any("SKD" in line for line in lines)
    (skd,) = (line for line in published_lines(ROWS["lfw"], ["16"]) if "SKD" in line)
    assert "other protocol: both images at S px" in skd


def test_the_table_holds_every_row_and_marks_other_protocols() -> None:
    for rows in ROWS.values():
        lines = published_table(rows)
        assert len(lines) == 2 + len(rows)
        assert all(line.count("|") == 5 for line in lines)
    lines = published_table(ROWS["scface"])
    assert (
        "| Lai & Lam, deep Siamese network, paper | distance 1: 79.7, distance 2: 95.7, distance 3: 98.2 |" in lines[2]
    )
    assert "other protocol" not in lines[2]
    assert "| other protocol: fine-tuned on 50 SCface persons, 80-way | DDL |" in lines[-1]

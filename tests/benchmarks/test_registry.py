"""The registry: each line leads to a benchmark of its name."""

import dataclasses

import pytest

from lrfr_tf.benchmarks.registry import BENCHMARKS, Entry, load_benchmark, registered


@pytest.mark.parametrize("entry", BENCHMARKS, ids=[entry.name for entry in BENCHMARKS])
def test_a_line_leads_to_its_benchmark(entry: Entry) -> None:
    benchmark = load_benchmark(entry.name)
    assert benchmark.name == entry.name
    assert dataclasses.is_dataclass(benchmark.settings)
    assert benchmark.settings.__doc__
    assert (entry.name in registered()) == entry.in_folder == hasattr(benchmark, "settings_in")

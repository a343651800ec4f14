"""The commands of single benchmarks: an embedder is measured, its result is written, drawn and printed."""

import dataclasses
import inspect
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lrfr_tf.benchmarks.benchmark_result import benchmark_result, embedder_of
from lrfr_tf.benchmarks.interface import Benchmark
from lrfr_tf.benchmarks.registry import load_benchmark
from lrfr_tf.files import check_result_file, write_json
from lrfr_tf.networks.embedding import check_embedder


def check_flags(settings: Any) -> None:
    """Refuses a result that cannot be written and an embedder that is not known, before anything is loaded."""
    check_result_file(settings.output)
    check_embedder(settings.model)


@dataclasses.dataclass(frozen=True)
class BenchmarkCommand:
    """The command of one benchmark: `main` and `Config`, as the modules of other commands have them."""

    main: Callable[[Any], None]
    Config: type
    description: str
    check_flags: Callable[[Any], None]


def command_of(name: str) -> BenchmarkCommand:
    """The command of a benchmark of the registry.

    Raises:
        KeyError: there is none of that name.
    """
    benchmark = load_benchmark(name)
    fields = dataclasses.fields(benchmark.settings)
    required = " ".join(f"--{field.name}=..." for field in fields if field.default is dataclasses.MISSING)
    description = f"{inspect.getdoc(benchmark.settings)}\n\n    lrfr evaluate {name} {required}"

    def main(config: Any) -> None:
        evaluate(benchmark, config)

    return BenchmarkCommand(main, benchmark.settings, description, check_flags)


def evaluate(benchmark: Benchmark[Any, Any, Any], settings: Any) -> dict[str, Any]:
    """Measures the embedder that the settings name, and returns the result.

    Raises:
        UserError: see `Benchmark`; or the embedder cannot be loaded.
    """
    started = time.monotonic()
    check_flags(settings)
    data = benchmark.read(settings, print_note)
    embedder = embedder_of(settings)
    measured = benchmark.evaluate(benchmark.prepare(data, embedder, settings, print_note), embedder, settings)
    result = benchmark_result(
        benchmark.name, measured.protocol, embedder, measured.figures, config=settings, started=started
    )
    benchmark.draw(Path(settings.output), embedder.name, measured.curves)
    write_json(settings.output, result)
    print("\n".join(benchmark.table(result)))
    print(f"result: {settings.output}")
    return result


def print_note(note: str) -> None:
    """Prints a note above the table."""
    print(f"note: {note}")

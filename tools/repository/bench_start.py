"""Measures a cold start: import, load, first answer, each in new processes; writes one JSON file.

python tools/repository/bench_start.py --model=saved_models/siamese
"""

import dataclasses
import statistics

import lrfr_tf.quiet  # noqa: F401

from tqdm import tqdm

from lrfr_tf.config import option
from lrfr_tf.files import check_result_file
from lrfr_tf.main import run
from lrfr_tf.speed.cold_start import STEP_NAMES, import_seconds, start
from lrfr_tf.speed.record import write_result


@dataclasses.dataclass(frozen=True)
class Config:
    output: str = option("runs/bench/start.json", "the result")
    model: str = option("saved_models/siamese", "the exported embedder, or a FaceNet by name")
    rounds: int = option(
        3, "new processes; one more comes first, so that the files are in the system's cache", at_least=1
    )


def main(config: Config) -> None:
    check_result_file(config.output)
    starts = [start(config.model) for _ in tqdm(range(config.rounds + 1), desc="start", unit="process")][1:]
    seconds = {step: [some["seconds"][step] for some in starts] for step in STEP_NAMES}
    facts = {
        "model": config.model,
        "rounds": config.rounds,
        "seconds_median": {step: round(statistics.median(values), 3) for step, values in seconds.items()},
        "seconds_min": {step: round(min(values), 3) for step, values in seconds.items()},
        "heavy_packages_of_import_lrfr_tf": starts[0]["heavy"],
        "import_seconds_by_package": import_seconds("import lrfr_tf.networks.embedding"),
    }
    write_result(config.output, "start", [], facts)
    print(config.output)


if __name__ == "__main__":
    run(main, Config)

"""Measures face detection against facenet-pytorch's MTCNN and the package mtcnn; writes one JSON file.

    python tools/repository/bench_detect.py --rounds=5

Images: the portrait that scikit-image ships, and where they are there the sample photos and CelebA at 178 x 218; scenes
of 640 x 480 pasted from these, and 64 images of 64 x 64 in one call. Each peer runs in a process of its own, on the
same arrays, in turns; before that, the faces that they find are compared.
"""

import dataclasses
import tempfile
from pathlib import Path
from typing import Any

import lrfr_tf.quiet  # noqa: F401

from tqdm import tqdm

from lrfr_tf.config import option
from lrfr_tf.files import check_result_file, write_json
from lrfr_tf.main import run
from lrfr_tf.speed.agreement import compare_faces
from lrfr_tf.speed.inputs import detection_inputs
from lrfr_tf.speed.interleaved import Peer, running_peers, time_interleaved
from lrfr_tf.speed.peers import OURS, peak_memory, programs
from lrfr_tf.speed.record import Row, row_of, write_result
from lrfr_tf.speed.worker import write_lists
from lrfr_tf.weights.mtcnn import mtcnn_nets, write_converted
from lrfr_tf.weights.sample_package import cached_sample_photos

TOGETHER = ("64 images of 64 x 64",)


@dataclasses.dataclass(frozen=True)
class Config:
    output: str = option("runs/bench/detect.json", "the result")
    rounds: int = option(5, "turns of each peer in each case", at_least=1)
    threads: tuple[int, ...] = option((1, 2), "how many threads each peer may use, one run for each")
    min_face_size: int = option(20, "the smallest face to search for, in pixels", at_least=5)
    thresholds: tuple[float, ...] = option((0.6, 0.7, 0.9), "the least scores of the three nets")
    celeba: str = option("../shared/data/celeba/img_align_celeba.zip", "CelebA; passed over where it is not there")
    peers_python: str = option(".venv-peers/bin/python", "the Python of tools/repository/make_peers_environment.sh")


def main(config: Config) -> None:
    check_result_file(config.output)
    celeba = Path(config.celeba) if Path(config.celeba).is_file() else None
    cases = detection_inputs(cached_sample_photos(), celeba)
    everybody = programs("detect", config.peers_python, {"mtcnn": "mtcnn_package"})
    rows: list[Row] = []
    facts: dict[str, Any] = {
        "images": {case: len(images) for case, images in cases.items()},
        "settings": {"thresholds": config.thresholds, "min_face_size": config.min_face_size, "together": TOGETHER},
        "same_faces": {},
        "peak_memory_mb": {},
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_lists(folder / "detect.npz", cases)
        write_json(folder / "detect.json", facts["settings"])
        write_converted(mtcnn_nets(), folder / "mtcnn.npz")
        with tqdm(total=len(cases) * len(config.threads), desc="detect", unit="case") as progress:
            for threads in config.threads:
                with running_peers(everybody, folder, threads) as peers:
                    facts["peers"] = {peer.name: peer.facts for peer in peers}
                    for case, images in cases.items():
                        batch = len(images) if case in TOGETHER else 1
                        found, facts["same_faces"][case] = faces_found(peers, case)
                        times = time_interleaved({peer.name: (peer, case) for peer in peers}, config.rounds)
                        for peer, some in times.items():
                            rows.append(
                                row_of(
                                    "detect",
                                    case,
                                    peer,
                                    threads,
                                    batch=batch,
                                    times=some,
                                    units=len(images),
                                    faces=found[peer],
                                )
                            )
                        facts["peak_memory_mb"][str(threads)] = peak_memory(times)
                        progress.update()
    write_result(config.output, "detect", rows, facts)
    print(config.output)


def faces_found(peers: list[Peer], case: str) -> tuple[dict[str, int], dict[str, Any]]:
    """How many faces each peer finds, and how those of the others compare with ours."""
    answers = {peer.name: peer.answer(case) for peer in peers}
    others = {name: answer for name, answer in answers.items() if name != OURS}
    compared = {name: compare_faces(answers[OURS], answer, name) for name, answer in others.items()}
    return {name: len(answer["boxes"]) for name, answer in answers.items()}, compared


if __name__ == "__main__":
    run(main, Config)

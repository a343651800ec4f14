"""Measures Inception-ResNet-v1 at 160 px against facenet-pytorch and keras-facenet's network; writes one JSON file.

    python tools/repository/bench_embed.py --rounds=5

All have the same weights: FaceNet 128-D if it is in the cache, else random ones, which are as fast. Ours is called
through its exports, one of which computes in bfloat16; facenet-pytorch's network with the channels first, as that
package does, with the channels last, and the latter in PyTorch's mixed precision of bfloat16; keras-facenet's with
`predict`, as that package does, and eagerly one face at a time, as deepface does. Each peer runs in a process of its
own, in turns; before that, embeddings are compared. A product of two float32 matrices, timed in the same turns, says
what the machine can do at best. Last, oneDNN's log tells where the time goes.
"""

import dataclasses
import statistics
import tempfile
from pathlib import Path
from typing import Any

import lrfr_tf.quiet  # noqa: F401

import numpy as np
from tqdm import tqdm

from lrfr_tf.config import option
from lrfr_tf.files import check_result_file
from lrfr_tf.main import run
from lrfr_tf.models.facenet import FACENET_SIZE
from lrfr_tf.speed.agreement import compare_embeddings, compare_rounded_embeddings
from lrfr_tf.speed.interleaved import Peer, running_peers, time_interleaved
from lrfr_tf.speed.matrix_product import GFLOP, gflop_a_face
from lrfr_tf.speed.networks import facenet_to_compare, store_as_saved_model, store_weights
from lrfr_tf.speed.peers import BFLOAT16, FACENET_PYTORCH, MATRIX_PRODUCT, OURS, peak_memory, programs
from lrfr_tf.speed.profile import onednn_profile
from lrfr_tf.speed.record import Row, row_of, write_result
from lrfr_tf.speed.worker import write_lists


@dataclasses.dataclass(frozen=True)
class Config:
    output: str = option("runs/bench/embed.json", "the result")
    rounds: int = option(5, "turns of each peer in each case", at_least=1)
    threads: tuple[int, ...] = option((1, 2), "how many threads each peer may use, one run for each")
    batches: tuple[int, ...] = option((1, 32), "faces in a call")
    peers_python: str = option(".venv-peers/bin/python", "the Python of tools/repository/make_peers_environment.sh")


def main(config: Config) -> None:
    check_result_file(config.output)
    everybody = programs("embed", config.peers_python, {"keras-facenet": "keras_facenet_embed"})
    generator = np.random.default_rng(0)
    shape = (FACENET_SIZE, FACENET_SIZE, 3)
    cases = {f"batch {n}": [generator.integers(0, 256, (n, *shape), np.uint8)] for n in config.batches}
    network, weights = facenet_to_compare()
    rows: list[Row] = []
    facts: dict[str, Any] = {"weights": weights, "same_embeddings": {}, "peak_memory_mb": {}}
    facts |= {"gflop_a_face": gflop_a_face(network), "matrix_product_gflop_per_cpu_second": {}}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_lists(folder / "embed.npz", cases)
        store_weights(network, folder / "weights.npz")
        store_as_saved_model(network, folder / "embedder")
        store_as_saved_model(network, folder / "embedder_bfloat16", compute="bfloat16")
        with tqdm(total=len(cases) * len(config.threads), desc="embed", unit="case") as progress:
            for threads in config.threads:
                with running_peers(everybody, folder, threads) as peers:
                    facts["peers"] = {peer.name: peer.facts for peer in peers}
                    for case, batch in zip(cases, config.batches, strict=True):
                        ways = ways_of(peers, case, batch)
                        facts["same_embeddings"][case] = differences(ways)
                        ours = next(peer for peer in peers if peer.name == OURS)
                        times = time_interleaved({**ways, MATRIX_PRODUCT: (ours, MATRIX_PRODUCT)}, config.rounds)
                        product_rate = GFLOP / statistics.median(times.pop(MATRIX_PRODUCT).cpu)
                        rates = facts["matrix_product_gflop_per_cpu_second"].setdefault(str(threads), {})
                        rates[case] = round(product_rate, 1)
                        rows += [
                            row_of("embed", case, way, threads, batch=batch, times=times[way], units=batch)
                            for way in ways
                        ]
                        facts["peak_memory_mb"][str(threads)] = peak_memory(times)
                        progress.update()
        smallest = next(iter(cases))
        measured = [program for program in everybody if program.name != "keras-facenet"]
        facts["profile"] = {program.name: onednn_profile(program, folder, smallest) for program in measured}
    write_result(config.output, "embed", rows, facts)
    print(config.output)


def ways_of(peers: list[Peer], case: str, batch: int) -> dict[str, tuple[Peer, str]]:
    """Name of a way -> the peer and its call; one face at a time is measured with one face only."""
    ways = {}
    for peer in peers:
        if peer.name == "keras-facenet":
            ways["keras-facenet, predict"] = (peer, f"{case}, predict")
            if batch == 1:
                ways["deepface's way, eager"] = (peer, f"{case}, eager")
            continue
        ways[peer.name] = (peer, case)
        if peer.name == FACENET_PYTORCH:
            ways[f"{FACENET_PYTORCH}, channels last"] = (peer, f"{case}, channels last")
        ways[f"{peer.name}{BFLOAT16}"] = (peer, f"{case}{BFLOAT16}")
    return ways


def differences(ways: dict[str, tuple[Peer, str]]) -> dict[str, Any]:
    """How far the embeddings of the others are from ours."""
    answers = {name: peer.answer(call)["embedding"] for name, (peer, call) in ways.items()}
    found = {}
    for name, answer in answers.items():
        compare = compare_rounded_embeddings if name.endswith(BFLOAT16) else compare_embeddings
        if name != OURS:
            found[name] = compare(answers[OURS], answer, name)
    return found


if __name__ == "__main__":
    run(main, Config)

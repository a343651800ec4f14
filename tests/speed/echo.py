"""A peer for tests: it answers with what it was given, and notes every call in a file."""

from pathlib import Path
from typing import Any

import numpy as np

from lrfr_tf.speed.worker import Call, serve


def prepare(folder: Path, threads: int) -> tuple[dict[str, Call], dict[str, Any]]:
    print("what a library prints")

    def echo() -> dict[str, np.ndarray]:
        print("more of it")
        with (folder / "calls.txt").open("a") as file:
            file.write("e")
        return {"input": np.load(folder / "input.npy")}

    def burn() -> dict[str, np.ndarray]:
        with (folder / "calls.txt").open("a") as file:
            file.write("b")
        values = np.arange(1_000_000)
        for _ in range(50):
            values = values * 3 % 1_000_003
        return {"input": values}

    def fail() -> dict[str, np.ndarray]:
        raise RuntimeError("this peer broke")

    return {"echo": echo, "burn": burn, "fail": fail}, {"threads": threads}


if __name__ == "__main__":
    serve(prepare)

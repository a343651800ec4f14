"""Identifies SCface's surveillance images among the mugshots: rank-1 for each distance and camera, and the CMC.

    python tools/evaluate_scface.py --model=saved_models/siamese --data=Datasets/SCface_database \\
        --landmarks=Datasets/landmarks --output=runs/scface/siamese.json

--landmarks is a folder with scface_mugshot.csv and scface_distance1.csv to scface_distance3.csv; without it MTCNN looks
for the faces. Beside the result lies a picture, result.cmc.png.
"""

import dataclasses
import time
from pathlib import Path

from lrfr_tf.benchmarks.benchmark_result import benchmark_result, embedder_of, template_to_measure
from lrfr_tf.benchmarks.scface import (
    PROTOCOLS,
    detect_scface_landmarks,
    differences,
    draw_scface,
    identify_scface,
    images_checksum,
    protocol,
    scface_lines,
)
from lrfr_tf.benchmarks.scface_files import (
    DISTANCES,
    check_landmarks,
    draw_test_subjects,
    find_scface,
    image_key,
    read_scface_landmarks,
    read_test_subjects,
)
from lrfr_tf.config import option, required
from lrfr_tf.faces.align import TEMPLATES
from lrfr_tf.files import check_result_file, read_json, write_json
from lrfr_tf.images.probes import PROBE_FORMS
from lrfr_tf.networks.embedding import BACKBONES
from lrfr_tf.sources.image_source import open_source

TEST_SUBJECTS = 80


@dataclasses.dataclass(frozen=True)
class Config:
    model: str = required("facenet, the folder of an exported embedder, or a file *.weights.h5 (with --backbone)")
    data: str = required("folder or zip of SCface_database")
    output: str = required("the result to write (JSON)")
    landmarks: str | None = option(None, "folder of the four landmark tables; without it MTCNN finds the faces")
    save_landmarks: str | None = option(None, "folder for the tables of what MTCNN found")
    protocol: str = option(
        "all", "all: everybody in one gallery; 80way: 80 persons, as papers that fine-tune", PROTOCOLS
    )
    test_subjects: str | None = option(None, "file with the numbers of the test persons; without it 80way draws 80")
    seed: int = option(0, "seed of that drawing", at_least=0)
    backbone: str = option("spherenet20", "network that a file of weights belongs to", BACKBONES)
    facenet_weights: str | None = option(None, "FaceNet's weight file; without it, the cache or a download")
    template: str | None = option(
        None,
        "where the landmarks of an aligned face lie; default: where the model was trained to see them",
        TEMPLATES,
    )
    probe_form: str = option("enlarged", "the model gets probes enlarged, or small, as aligned", PROBE_FORMS)
    flip: bool = option(False, "mean of the embeddings of a face and its mirror image")
    matched_gallery: bool = option(False, "mugshots are shrunk to the median size of the distance's probes")
    baseline: str | None = option(None, "another result on the same images, for the paired difference")


def main(config: Config) -> None:
    started = time.monotonic()
    check_result_file(config.output)
    baseline = read_json(config.baseline) if config.baseline else None
    source = open_source(Path(config.data))
    images = find_scface(source)
    landmarks = None
    if config.landmarks:
        landmarks, mugshot_folder = read_scface_landmarks(Path(config.landmarks), images.distances)
        images = find_scface(source, mugshot_folder)
        check_landmarks(images, landmarks, Path(config.landmarks))
    if config.test_subjects:
        images = images.of_subjects(read_test_subjects(Path(config.test_subjects), list(images.mugshots)))
    elif config.protocol == "80way":
        images = images.of_subjects(draw_test_subjects(list(images.mugshots), TEST_SUBJECTS, config.seed))
    absent = [distance for distance in DISTANCES if distance not in images.distances]
    if absent:
        print(f"note: there are no images of distance {', '.join(map(str, absent))}.")
    checksum = images_checksum(source, images)
    embedder = embedder_of(config)
    template = template_to_measure(embedder, config.template)
    if landmarks is None:
        landmarks = detect_scface_landmarks(source, images, config.save_landmarks)
    rows = identify_scface(embedder, source, images, landmarks, template, config.probe_form, config.matched_gallery)
    compared = None
    if baseline is not None:
        compared = differences(rows, len(images.mugshots), baseline, checksum, str(config.baseline))
    without = sum(image_key(name) not in landmarks for name in images.mugshots.values())
    probes_without = sum(row["probes_without_landmarks"] for row in rows.values())
    if without + probes_without > 0:
        print(f"note: {without} mugshots and {probes_without} probes have no landmarks; their middle is cut out.")
    measured = {
        "counts": {
            "persons": len(images.mugshots),
            "probes": len(images.probes),
            "mugshots_without_landmarks": without,
            "probes_without_landmarks": probes_without,
        },
        "subjects": list(images.mugshots),
        "distances": rows,
        "difference_to_baseline": compared,
        "images_sha256": checksum,
    }
    rules = protocol(config, template, embedder.aligned_size, len(images.mugshots))
    result = benchmark_result("scface", rules, embedder, measured, config, started)
    draw_scface(Path(config.output), embedder.name, rows)
    write_json(config.output, result)
    print("\n".join(scface_lines(result)))
    print(f"result: {config.output}")

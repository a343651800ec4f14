"""Makes a look-alike of SCface out of photos of persons: one mugshot and five small probes each.

    python -m lrfr_tf.cli.make_scface_lookalike --data=photos --landmarks=photos.csv --output=datasets/lookalike
    lrfr evaluate scface --model=facenet --data=datasets/lookalike/SCface_database \\
        --landmarks=datasets/lookalike/landmarks --output=runs/lookalike/facenet.json

--data is a folder or a zip of <person>/<photo>; of persons who are numbers, the held-out
ones are taken.
"""

import dataclasses
from pathlib import Path

from lrfr_tf.benchmarks.photo_landmarks import THRESHOLDS, landmarks_by_detector
from lrfr_tf.benchmarks.scface.files import DISTANCES
from lrfr_tf.benchmarks.scface_lookalike import choose_photos, write_scface_lookalike
from lrfr_tf.config import option, required
from lrfr_tf.data.folders import sorted_names
from lrfr_tf.data.held_out import HELD_OUT_DIVISOR, held_out_or_everybody
from lrfr_tf.data.landmarks import by_image, key_of, read_landmarks
from lrfr_tf.errors import UserError
from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.images.camera import LEVELS
from lrfr_tf.main import note, start
from lrfr_tf.plural import counted
from lrfr_tf.sources.image_source import images_by_identity, open_source


@dataclasses.dataclass(frozen=True)
class Config:
    data: str = required("folder or zip of <person>/<photo>")
    output: str = required("folder to write; it must not be there yet")
    landmarks: str | None = option(
        None, "table of the photos' landmarks (CSV, 11 columns); without it MTCNN finds them"
    )
    eye_distances: tuple[float, ...] = option((10.0, 17.0, 30.0), "pixels between the eyes at distance 1, 2 and 3")
    least_eye_distance: float = option(
        30.0,
        "photos whose eyes are closer, in pixels, become probes only where a person has too few others",
        at_least=0,
    )
    camera: str = option("clean", "how probes are shrunk, see docs/camera.md", tuple(LEVELS))
    persons: int = option(130, "the most persons to take, the first by number; 0: all", at_least=0)
    held_out_divisor: int | None = option(
        None,
        f"only persons whose number is divisible by this; 0: everybody; default: {HELD_OUT_DIVISOR}, but everybody "
        "where nobody is a number",
        at_least=0,
    )


def main(config: Config) -> None:
    if len(config.eye_distances) > len(DISTANCES) or any(not distance > 0 for distance in config.eye_distances):
        raise UserError(f"--eye_distances takes one to three numbers above 0, not {config.eye_distances}.")
    if Path(config.output).exists():
        raise UserError(f"{config.output} is there already and is not replaced; choose another --output.")
    source = open_source(Path(config.data))
    photos = images_by_identity(source, note)
    held_out = held_out_or_everybody(photos, config.held_out_divisor, note)
    photos = {person: photos[person] for person in sorted_names(held_out)}
    names = [name for person in photos.values() for name in person]
    if config.landmarks:
        table = by_image(read_landmarks(Path(config.landmarks)))
        landmarks = {name: table[key_of(name)] for name in names if key_of(name) in table}
    else:
        landmarks = landmarks_by_detector(
            source,
            names,
            FaceDetector(THRESHOLDS),
            note,
            pass_over=lambda name, error: note(f"{name} is passed over: {error}"),
        )
    chosen = choose_photos(photos, landmarks, config.least_eye_distance, config.persons)
    counts = write_scface_lookalike(
        Path(config.output), source, chosen, landmarks, eye_distances=config.eye_distances, level=config.camera
    )
    print(
        f"{config.output}: {counted(counts['persons'], 'person')}, {counted(counts['probes'], 'probe')}, of which "
        f"{counted(counts['probes_not_shrunk'], 'has', 'have')} eyes closer than wanted, and were left as they came."
    )


if __name__ == "__main__":
    start("lrfr_tf.cli.make_scface_lookalike")

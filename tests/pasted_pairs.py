"""Photos of two: a person's head crop and a smaller bystander's, pasted at random places of a grey canvas.

`python -m tests.pasted_pairs PEOPLE PAIRS` prints how often each way of choosing takes the person, where PEOPLE is a
folder or a zip of <person>/<photo> such as celeba_people.zip and the persons are the held-out ones.
"""

import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from lrfr_tf.data.folders import is_held_out
from lrfr_tf.faces.choose import main_face
from lrfr_tf.faces.detect import Detection, FaceDetector
from lrfr_tf.images.decode import decode_image
from lrfr_tf.sources.image_source import images_by_identity, open_source

SIDE = 480
TIMES_AS_HIGH = (1.3, 2.0)
THRESHOLDS = (0.6, 0.7, 0.8)  # those of enrolling and of preparing
AT_ONCE = 50

Choice = Callable[[Detection], int]


def pasted_pairs(people: Path, pairs: int, detector: FaceDetector, seed: int = 0) -> Iterator[tuple[np.ndarray, tuple]]:
    """(canvas uint8 [480, 480, 3], the rectangle x1, y1, x2, y2 of the person's crop).

    The height of a face is that of the detector's box in its own crop; only crops with exactly one face take part. The
    person's crop keeps its size, the bystander's is resized until the person's face is 1.3 to 2 times as high.
    """
    random = np.random.default_rng(seed)
    source = open_source(people)
    photos = {who: names for who, names in images_by_identity(source).items() if is_held_out(who, 5)}
    while pairs > 0:
        drawn = [random.choice(sorted(photos), 2, replace=False) for _ in range(AT_ONCE)]
        names = [str(random.choice(photos[who])) for two in drawn for who in two]
        crops = [decode_image(source.read(name), name) for name in names]
        found = detector.detect(crops)
        for person, bystander in zip(range(0, len(crops), 2), range(1, len(crops), 2), strict=True):
            if pairs == 0 or len(found[person].boxes) != 1 or len(found[bystander].boxes) != 1:
                continue
            heights = [float(found[one].boxes[0][3] - found[one].boxes[0][1]) for one in (person, bystander)]
            scale = heights[0] / heights[1] / random.uniform(*TIMES_AS_HIGH)
            small = Image.fromarray(crops[bystander])
            small = small.resize((round(small.width * scale), round(small.height * scale)), Image.Resampling.BICUBIC)
            yield _pasted(crops[person], np.asarray(small), random)
            pairs -= 1


def _pasted(person: np.ndarray, bystander: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, tuple]:
    """Both at random places that do not overlap."""
    canvas = np.full((SIDE, SIDE, 3), 128, np.uint8)
    while True:
        (left, top, right, bottom), other = (_place(crop, random) for crop in (person, bystander))
        if right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top:
            break
    canvas[top:bottom, left:right] = person
    canvas[other[1] : other[3], other[0] : other[2]] = bystander
    return canvas, (left, top, right, bottom)


def _place(crop: np.ndarray, random: np.random.Generator) -> tuple[int, int, int, int]:
    left, top = (int(random.integers(0, SIDE - side + 1)) for side in (crop.shape[1], crop.shape[0]))
    return left, top, left + crop.shape[1], top + crop.shape[0]


def surest(found: Detection) -> int:
    return 0  # they come most confident first


def nearest_to_the_middle(found: Detection) -> int:
    centers = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2
    return int(np.argmin(np.linalg.norm(centers - SIDE / 2, axis=1)))


def meant(found: Detection) -> int:
    return main_face(found.boxes, found.scores, SIDE, SIDE)


def share_right(people: Path, pairs: int, choices: dict[str, Choice]) -> dict[str, float]:
    """How often the chosen box lies, with its middle, in the person's crop; a photo without a face counts as wrong."""
    detector = FaceDetector(THRESHOLDS)
    right = dict.fromkeys(choices, 0)
    canvases = pasted_pairs(people, pairs, detector)
    while part := list(itertools.islice(canvases, AT_ONCE)):
        for found, (_, (left, top, right_edge, bottom)) in zip(
            detector.detect([canvas for canvas, _ in part]), part, strict=True
        ):
            for name, choose in choices.items():
                if found.found:
                    box = found.boxes[choose(found)]
                    x, y = (box[:2] + box[2:]) / 2
                    right[name] += bool(left <= x < right_edge and top <= y < bottom)
    return {name: count / pairs for name, count in right.items()}


if __name__ == "__main__":
    wanted = int(sys.argv[2])
    ways = {"surest": surest, "nearest to the middle": nearest_to_the_middle, "meant": meant}
    for way, share in share_right(Path(sys.argv[1]), wanted, ways).items():
        print(f"{way:<22} {share:7.2%} of {wanted} photos")

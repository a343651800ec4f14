"""Look-alikes of QMUL-SurvFace and TinyFace: the same folders, names, lists and sizes, with faces made by code."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import scipy.io
from PIL import Image

from tests.faces_by_code import person

SMALLEST, LARGEST = (7, 5), (117, 106)  # height, width of SurvFace's images

Faces = Callable[[int, int], np.ndarray]  # person, photo -> uint8 [H, W, 3]


def made_up(portrait: np.ndarray) -> Faces:
    """The persons of `faces_by_code`."""
    return lambda identity, photo: person(portrait, identity, photo, 64)


def cells(rows: Sequence[Sequence[str]]) -> np.ndarray:
    """A cell array of strings, as MATLAB writes it."""
    array = np.empty((len(rows), len(rows[0])), object)
    for place, row in enumerate(rows):
        array[place] = row
    return array


def write_face(path: Path, faces: Faces, identity: int, photo: int, scale: int = 1) -> None:
    """A face at a size of SurvFace's, or `scale` times as large; some are as small and as large as they come."""
    random = np.random.default_rng([identity, photo])
    height, width = int(random.integers(11, 36)), int(random.integers(9, 30))
    if photo % 5 == 2:
        height, width = SMALLEST
    if photo % 5 == 4:
        height, width = LARGEST
    path.parent.mkdir(parents=True, exist_ok=True)
    face = Image.fromarray(faces(identity, photo)).resize((scale * width, scale * height), Image.Resampling.BICUBIC)
    face.save(path, format="JPEG", quality=95)


def write_survface_verification(root: Path, faces: Faces, persons: int = 6, photos: int = 5, scale: int = 1) -> Path:
    """Every two photos of a person are a matched pair, as many others mismatched ones; persons have odd numbers."""
    tests = root / "Face_Verification_Test_Set"
    names = {}
    for identity in range(persons):
        for photo in range(photos):
            name = f"{2 * identity + 101}_cam{photo % 3 + 1}_{photo}.jpg"
            names[identity, photo] = name
            # The lists say .jpg; some of the files are called .JPG.
            on_disk = name if photo % 2 else name.replace(".jpg", ".JPG")
            write_face(tests / "verification_images" / on_disk, faces, identity, photo, scale)
    positive = [
        (names[identity, one], names[identity, other])
        for identity in range(persons)
        for one in range(photos)
        for other in range(one + 1, photos)
    ]
    random = np.random.default_rng(0)
    negative = []
    for one, _ in positive:
        identity, other = random.choice(persons, 2, replace=False)
        negative.append((one, names[identity if not one.startswith(f"{2 * identity + 101}_") else other, 0]))
    for kind, pairs in (("positive", positive), ("negative", negative)):
        scipy.io.savemat(tests / f"{kind}_pairs_names.mat", {f"{kind}_pairs_names": cells(pairs)})
    return root


def write_survface_identification(
    root: Path, faces: Faces, persons: int = 25, mated: int = 2, unmated: int = 30, scale: int = 1
) -> Path:
    """Two or three gallery images and `mated` probes a person, and strangers of whom nothing else is known."""
    tests = root / "Face_Identification_Test_Set"
    lists: dict[str, tuple[list[list[str]], list[list[int]]]] = {"gallery": ([], []), "mated_probe": ([], [])}
    for identity in range(persons):
        counts = {"gallery": 2 + identity % 2, "mated_probe": mated}
        photo = 0
        for folder, count in counts.items():
            for _ in range(count):
                photo += 1
                name = f"{identity + 5001}_cam1_{photo}.jpg"
                write_face(tests / folder / name, faces, identity, photo, scale)
                lists[folder][0].append([name])
                lists[folder][1].append([identity + 1])
    for number in range(unmated):
        write_face(tests / "unmated_probe" / f"{number + 9001}_cam2_1.jpg", faces, 1000 + number, number, scale)
    for folder, (names, identities) in lists.items():
        scipy.io.savemat(
            tests / f"{folder}_img_ID_pairs.mat",
            {f"{folder}_set": cells(names), f"{folder}_ids": np.array(identities, np.uint16)},
        )
    return root


def write_tinyface(root: Path, faces: Faces, persons: int = 8, distractors: int = 40) -> Path:
    """One or two gallery images and one or two probes a person, and distractors."""
    tests = root / "Testing_Set"
    lists: dict[str, tuple[list[list[str]], list[list[int]]]] = {"Probe": ([], []), "Gallery_Match": ([], [])}
    for identity in range(persons):
        photo = 0
        for folder, count in (("Gallery_Match", 1 + identity % 2), ("Probe", 2 - identity % 2)):
            for _ in range(count):
                photo += 1
                name = f"{identity + 1}_{photo}.jpg"
                write_face(tests / folder / name, faces, identity, photo)
                lists[folder][0].append([name])
                lists[folder][1].append([identity + 1])
    for number in range(distractors):
        # Their names begin with numbers too; they are nobody's match all the same.
        write_face(tests / "Gallery_Distractor" / f"{number + 1}_9.jpg", faces, 2000 + number, number)
    for folder, kind, variable in (
        ("Probe", "probe", "probe"),
        ("Gallery_Match", "gallery_match", "gallery"),
    ):
        names, identities = lists[folder]
        scipy.io.savemat(
            tests / f"{kind}_img_ID_pairs.mat",
            {f"{variable}_set": cells(names), f"{variable}_ids": np.array(identities, np.uint16)},
        )
    return root

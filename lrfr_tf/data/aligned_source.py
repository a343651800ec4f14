"""Which photos become aligned faces, and where the landmarks of each come from."""

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Protocol

import numpy as np

from lrfr_tf.data.ambiguous_photos import AmbiguousPhotos
from lrfr_tf.data.folders import identity_name, is_held_out, sorted_names
from lrfr_tf.data.landmarks import by_image, key_of
from lrfr_tf.data.name_list import some_of
from lrfr_tf.data.splits import MINIMUM_IMAGES
from lrfr_tf.errors import UserError
from lrfr_tf.faces.choose import only_main_face
from lrfr_tf.names import nfc
from lrfr_tf.plural import any_of, counted

# Names of photos and the photos, uint8 [H, W, 3] each -> for each the landmarks of its face, float [5, 2] in pixels, or
# None where there is no face.
FindLandmarks = Callable[[Sequence[str], Sequence[np.ndarray]], list[np.ndarray | None]]

CELEBA_WIDTH, CELEBA_HEIGHT = 178, 218
# Where the five landmarks lie in aligned CelebA, in pixels of its 178 x 218 images. Measured: the medians over what our
# detector finds in the first 8,000 images (7,968 with a face; shown to it at 178 x 218). The mean distance from the
# median is 1.4 px across and 1.0 px down for the eyes, 4.7 and 3.1 px for the nose (heads turn), 2.5 and 1.5 px for the
# corners of the mouth.
CELEBA_LANDMARKS = np.array([[69.1, 111.5], [108.0, 111.5], [88.2, 135.5], [71.5, 152.2], [105.5, 152.2]])


class Detector(Protocol):
    """Finds faces; `lrfr_tf.faces.detect.FaceDetector` is one."""

    def detect(self, images: Sequence[np.ndarray]) -> list:
        """For each image what was found, a `lrfr_tf.faces.detect.Detection`."""


@dataclasses.dataclass(frozen=True)
class Selection:
    """The photos to align, and what stays out.

    Attributes:
        images: identity -> names of its photos.
        excluded: identities that were left out on purpose.
        without_landmarks: photos that the list of landmarks does not name.
        missing: photos that a list names and that are not there.
    """

    images: dict[str, list[str]]
    excluded: tuple[str, ...] = ()
    without_landmarks: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    def without(self, excluded: Collection[str], held_out_divisor: int = 0) -> "Selection":
        """Leaves out identities by name (as `folders.identity_name` writes it) or by the rule of `is_held_out`.

        Raises:
            UserError: nobody is left.
        """
        out = {
            identity
            for identity in self.images
            if is_held_out(identity, held_out_divisor) or identity_name(identity) in excluded
        }
        if len(out) == len(self.images):
            raise UserError(
                f"Everybody ({counted(len(out), 'identity', 'identities')}) is excluded or held out, so no photo is "
                "left to align."
            )
        images = {identity: names for identity, names in self.images.items() if identity not in out}
        return dataclasses.replace(self, images=images, excluded=(*self.excluded, *sorted_names(out)))

    def without_tests(self, images: Mapping[str, Sequence[str]]) -> "Selection":
        """Leaves out the test and the validation photo of each identity, as `data.splits.split_by_name` deals them.

        Args:
            images: all photos, also those that this selection has left out already.
        """
        return self._without_photos(_tests(images), lambda name: name)

    def without_tests_of(self, images: Mapping[str, Sequence[str]]) -> "Selection":
        """Leaves out the test and validation photos of another data set that holds some of the same photos.

        Args:
            images: identity -> names of all photos of the other data set; photos are told by their file names.

        Raises:
            UserError: nobody is left, or the other data set has none of these photos.
        """
        listed = {nfc(PurePosixPath(name).name) for names in images.values() for name in names}
        tests = {nfc(PurePosixPath(name).name) for name in _tests(images)}
        if not any(nfc(PurePosixPath(name).name) in listed for names in self.images.values() for name in names):
            raise UserError(
                f"The list of another data set leaves nobody out: of its {counted(len(listed), 'photo')} none "
                f"({some_of(sorted(listed))}) is among these, by file name."
            )
        return self._without_photos(tests, lambda name: nfc(PurePosixPath(name).name))

    def _without_photos(self, out: Collection[str], called: Callable[[str], str]) -> "Selection":
        kept = {
            identity: [name for name in names if called(name) not in out] for identity, names in self.images.items()
        }
        if not any(kept.values()):
            raise UserError("All photos are test or validation photos, so none is left to align.")
        return dataclasses.replace(self, images={identity: names for identity, names in kept.items() if names})

    def with_landmarks(self, table: "LandmarkTable") -> "Selection":
        """Keeps the photos whose landmarks are in the table.

        A photo that the table names and that is not there counts as missing if its folder is there: that folder is
        damaged. Folders that are not there at all are passed over, since a table may cover more than was downloaded.

        Raises:
            UserError: the table names none of the photos.
        """
        images = {identity: [name for name in names if name in table] for identity, names in self.images.items()}
        out = sorted(name for names in self.images.values() for name in names if name not in table)
        kept = {identity: names for identity, names in images.items() if names}
        if not kept:
            raise UserError(
                f"The list of landmarks does not name {any_of(len(out), 'photo')}, for example not {out[0]}; it names "
                f"{table.example()}."
            )
        lost = table.lost_beside([name for names in self.images.values() for name in names])
        return dataclasses.replace(
            self,
            images=kept,
            without_landmarks=(*self.without_landmarks, *out),
            missing=(*self.missing, *lost),
        )


def _tests(images: Mapping[str, Sequence[str]]) -> set[str]:
    """The test and the validation photo of each identity, as `data.splits.split_by_name` deals them."""
    return {
        name
        for names in images.values()
        if len(names) >= MINIMUM_IMAGES
        for name in sorted(names)[: MINIMUM_IMAGES - 1]
    }


class LandmarkTable:
    """Landmarks by photo, wherever the photos have been moved to and whatever suffix they have.

    Args:
        rows: name -> float [5, 2], as `lrfr_tf.data.landmarks` reads them.
        by_file_name: photos are told apart by file name alone (aligned CelebA), not by folder and file name.

    Raises:
        UserError: two rows are of one photo.
    """

    def __init__(self, rows: Mapping[str, np.ndarray], by_file_name: bool = False) -> None:
        self._by_file_name = by_file_name
        if by_file_name:
            files = {PurePosixPath(name).name: points for name, points in rows.items()}
            if len(files) < len(rows):
                raise UserError("The list of landmarks holds photos of equal names in different folders.")
            rows = files
        self._landmarks = by_image(rows)

    def key(self, name: str) -> tuple[str, str]:
        """(folder, file name without suffix); the folder is "" where it does not count."""
        return key_of(PurePosixPath(name).name if self._by_file_name else name)

    def lost_beside(self, names: Collection[str]) -> list[str]:
        """Photos that the table names in the folders of `names` and that are not among `names`."""
        present = {self.key(name) for name in names}
        folders = {folder for folder, _ in present} - {""}
        return ["/".join(key) for key in self._landmarks if key[0] in folders and key not in present]

    def example(self) -> str:
        """One of the photos, for messages."""
        return "/".join(next(iter(self._landmarks))).lstrip("/")

    def __contains__(self, name: str) -> bool:
        return self.key(name) in self._landmarks

    def find(self, names: Sequence[str], photos: Sequence[np.ndarray]) -> list[np.ndarray | None]:
        """A `FindLandmarks`."""
        return [self._landmarks.get(self.key(name)) for name in names]


def detected_by(detector: Detector, with_rival: AmbiguousPhotos) -> FindLandmarks:
    """The landmarks of the main face in each photo; photos with a rival are added to `with_rival`."""

    def find(names: Sequence[str], photos: Sequence[np.ndarray]) -> list[np.ndarray | None]:
        meant = [only_main_face(*found) for found in zip(detector.detect(photos), photos, strict=True)]
        with_rival.add([name for name, (_, rivaled) in zip(names, meant, strict=True) if rivaled])
        return [found.landmarks[0] if found.found else None for found, _ in meant]

    return find


def find_celeba_landmarks(names: Sequence[str], photos: Sequence[np.ndarray]) -> list[np.ndarray | None]:
    """A `FindLandmarks` for aligned CelebA images of any size: the same places in all, in proportion to the size."""
    return [CELEBA_LANDMARKS * (photo.shape[1] / CELEBA_WIDTH, photo.shape[0] / CELEBA_HEIGHT) for photo in photos]

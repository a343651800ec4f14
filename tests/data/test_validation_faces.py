"""Who is validated on, and with how many faces."""

import numpy as np
import pytest

from lrfr_tf.data.aligned import AlignedFiles
from lrfr_tf.data.validation_faces import limit_per_identity, split_off_identities
from lrfr_tf.errors import UserError

COUNTS = {"1": 5, "2": 3, "3": 4, "4": 6, "6": 4, "7": 2, "8": 9}


def files() -> AlignedFiles:
    paths = [f"{name}/{photo}" for name, count in COUNTS.items() for photo in range(count)]
    identities = np.repeat(np.arange(len(COUNTS)), list(COUNTS.values()))
    return AlignedFiles(paths, identities, list(COUNTS), trees=np.arange(len(paths)) % 2)


def check_whole(part: AlignedFiles) -> None:
    """Identities are numbered without gaps, and each path belongs to the name of its number."""
    assert set(part.identities) == set(range(len(part.names)))
    assert [part.names[number] for number in part.identities] == [path.split("/")[0] for path in part.paths]
    assert part.trees.tolist() == [files().paths.index(path) % 2 for path in part.paths]


def test_validation_identities_are_not_trained_on() -> None:
    training, validation = split_off_identities(files(), 3)
    check_whole(training)
    check_whole(validation)
    assert validation.names == ["1", "4", "8"]  # the first, the middle and the last of those with four or more
    assert training.names == ["2", "3", "6", "7"]
    assert sorted(training.paths + validation.paths) == sorted(files().paths)
    for count in (6, 7):
        with pytest.raises(UserError, match=rf"Of 7 identities only 5 with four images or more .*, not {count}"):
            split_off_identities(files(), count)


def test_no_identity_is_validated_on_with_all_of_its_images() -> None:
    few = limit_per_identity(files(), 4)
    check_whole(few)
    assert np.bincount(few.identities).tolist() == [4, 3, 4, 4, 4, 2, 4]
    assert [path for path in few.paths if path.startswith("8")] == ["8/0", "8/2", "8/5", "8/8"]
    assert limit_per_identity(files(), 9).paths == files().paths

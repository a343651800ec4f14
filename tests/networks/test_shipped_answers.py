"""The shipped networks answer as they did when they were exported, whatever became of the code around them."""

import numpy as np

from lrfr_tf.files import read_json
from tests.golden.shipped_answers import ANSWERS, FILES, answers, checksums


def test_no_file_of_a_network_was_changed() -> None:
    assert checksums() == read_json(FILES)


def test_the_answers_are_those_of_the_day_of_the_export() -> None:
    with np.load(ANSWERS) as stored:
        before = dict(stored)
    now = answers()
    assert now.keys() == before.keys()
    for name, answer in now.items():
        assert answer.shape == before[name].shape
        if answer.dtype == np.float32:
            np.testing.assert_allclose(answer, before[name], atol=1e-4)
        else:
            difference = np.abs(answer.astype(int) - before[name])
            assert difference.max() <= 1
            assert (difference > 0).mean() <= 1e-3

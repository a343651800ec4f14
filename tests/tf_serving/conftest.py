"""One stand-in server for all tests of the client, with the shipped models and two small ones."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tf_serving.small_models import save_classifier, save_half_plus_three
from tests.tf_serving.stand_in import StandIn

SAVED_MODELS = Path(__file__).parents[2] / "saved_models"


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    folder = tmp_path_factory.mktemp("served")
    models = {
        "classifier": save_classifier(folder / "classifier"),
        "half_plus_three": save_half_plus_three(folder / "half_plus_three", versions=(123, 9)),
        "siamese": SAVED_MODELS / "siamese",
        "srgan": SAVED_MODELS / "srgan",
    }
    with StandIn(models) as server:
        yield server


@pytest.fixture
def server(running: StandIn) -> StandIn:
    running.reset()
    return running

"""The settings of the trainings, as flags, and how configs give them."""

import dataclasses
from pathlib import Path

import pytest

from lrfr_tf.cli import train_distillation, train_siamese, train_srcnn, train_srgan
from lrfr_tf.config import parse
from lrfr_tf.errors import UserError
from lrfr_tf.training.settings import SETTINGS_FREE_TO_CHANGE, TrainingSettings

SCRIPTS = [train_srcnn.Config, train_srgan.Config, train_siamese.Config, train_distillation.Config]
NEEDED = ["script", "--data=tree", "--output=run"]
CONFIGS = Path(__file__).parents[2] / "configs"
# What a training may have beside the settings that all of them share.
MOST_FLAGS = 30


@pytest.mark.parametrize("config_class", SCRIPTS)
def test_a_script_has_the_settings_of_the_engine(config_class: type[TrainingSettings]) -> None:
    config = parse(config_class, [*NEEDED, "--strategy=one", "--clip_norm=0.5", "--precision=mixed_float16"])
    assert isinstance(config, TrainingSettings)
    assert (config.strategy, config.clip_norm, config.precision) == ("one", 0.5, "mixed_float16")
    assert (config.jit_compile, config.best_metric, config.profile) == ("auto", "none", False)
    for flag in ("--strategy=tpu", "--precision=float16", "--best_metric=loss", "--jit_compile=True"):
        with pytest.raises(UserError, match="is not known; it takes"):
            parse(config_class, [*NEEDED, flag])


def test_a_script_may_have_other_defaults() -> None:
    srcnn, srgan = parse(train_srcnn.Config, NEEDED), parse(train_srgan.Config, NEEDED)
    assert (srcnn.rate_schedule, srgan.rate_schedule) == ("steps", "cosine")
    assert (srcnn.batch_size, srgan.batch_size) == (32, 16)


def test_settings_that_may_change_are_settings() -> None:
    assert set(SETTINGS_FREE_TO_CHANGE) <= {field.name for script in SCRIPTS for field in dataclasses.fields(script)}


@pytest.mark.parametrize("config_class", SCRIPTS)
def test_a_script_has_few_flags_of_its_own(config_class: type[TrainingSettings]) -> None:
    shared, all_of_them = ({field.name for field in dataclasses.fields(c)} for c in (TrainingSettings, config_class))
    assert len(all_of_them - shared) <= MOST_FLAGS


def test_a_config_says_all_settings_of_its_run_itself() -> None:
    configs = {path.name: path.read_text(encoding="utf-8").splitlines() for path in CONFIGS.glob("*.cfg")}
    assert len(configs) > 30
    chained = [name for name, lines in configs.items() if any(line.startswith("--flagfile") for line in lines)]
    assert chained == []

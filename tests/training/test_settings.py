"""The settings that all train scripts have, as flags."""

import dataclasses

import pytest

from lrfr_tf.cli import train_srcnn, train_srgan
from lrfr_tf.config import parse
from lrfr_tf.errors import UserError
from lrfr_tf.training.settings import FREE_SETTINGS, TrainingSettings

SCRIPTS = [train_srcnn.Config, train_srgan.SrganSettings]
NEEDED = ["script", "--data=tree", "--output=run"]


@pytest.mark.parametrize("config_class", SCRIPTS)
def test_a_script_has_the_settings_of_the_engine(config_class: type[TrainingSettings]) -> None:
    config = parse(config_class, [*NEEDED, "--strategy=one", "--clip_norm=0.5", "--precision=mixed_float16"])
    assert isinstance(config, TrainingSettings)
    assert (config.strategy, config.clip_norm, config.precision) == ("one", 0.5, "mixed_float16")
    assert (config.jit_compile, config.best_metric, config.profile) == ("auto", "none", False)
    names = {field.name for field in dataclasses.fields(config_class)}
    assert set(FREE_SETTINGS) <= names
    for flag in ("--strategy=tpu", "--precision=float16", "--best_metric=loss", "--jit_compile=True"):
        with pytest.raises(UserError, match="is not known; it takes"):
            parse(config_class, [*NEEDED, flag])


def test_a_script_may_have_other_defaults() -> None:
    srcnn, srgan = parse(train_srcnn.Config, NEEDED), parse(train_srgan.SrganSettings, NEEDED)
    assert (srcnn.rate_schedule, srgan.rate_schedule) == ("steps", "cosine")
    assert (srcnn.batch_size, srgan.batch_size) == (32, 16)

"""Embedders of aligned faces as networks of an identity loss."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from lrfr_tf.errors import UserError
from lrfr_tf.export import embedder as export_embedder
from lrfr_tf.export import servable as export_module
from lrfr_tf.losses.identity import identity
from lrfr_tf.networks.embedding import load_embedder
from lrfr_tf.networks.identity_network import load_identity_network
from lrfr_tf.weights.backbone import write_embedder_record
from tests.small_convertible import write_small_backbone, write_small_generator

FACES = np.random.default_rng(0).integers(0, 256, (2, 128, 128, 3), dtype=np.uint8)


def test_a_training_in_half_precision_is_judged_in_float32(tmp_path: Path) -> None:
    model = write_small_backbone(tmp_path / "run" / "model")
    write_embedder_record(model, "centred", 128)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        judge = load_identity_network(str(model))
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy("float32")
    assert judge.template == "centred"
    assert not judge.network.trainable_variables
    expected = load_embedder(str(next(model.glob("*.h5"))), backbone="spherenet4").embed(FACES)
    np.testing.assert_allclose(judge.network(FACES.astype(np.float32)), expected, atol=1e-5)
    images = tf.constant(FACES[:, ::2, ::2], tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(images)
        loss = identity(judge.network, images, images[::-1], np.array([[8.0, 8.0, 56.0, 56.0]] * 2))
    gradient = np.abs(tape.gradient(loss, images))
    assert gradient.max() > 0
    assert gradient[:, :6].max() == 0  # outside of the boxes, but for the smoothing


def test_an_export_judges_as_it_embeds(tmp_path: Path) -> None:
    model = write_small_backbone(tmp_path / "run" / "model")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export_module, "check_in_a_new_process", lambda *_: {})
        export_module.export_saved_model(
            export_embedder.servable_embedder(model, "float16"), tmp_path / "out", "siamese", 1
        )
    judge = load_identity_network(str(tmp_path / "out" / "siamese"))
    expected = load_embedder(str(tmp_path / "out" / "siamese")).embed(FACES)
    np.testing.assert_allclose(judge.network(FACES.astype(np.float32)), expected, atol=1e-4)
    assert judge.template == "lai"


def test_what_judges_no_aligned_faces_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nowhere is no embedder of aligned faces"):
        load_identity_network(str(tmp_path / "nowhere"))
    generator = write_small_generator(tmp_path / "run" / "model")
    with pytest.raises(UserError, match="is no embedder of aligned faces"):
        load_identity_network(str(generator))
    with pytest.raises(UserError, match="holds no embedder of aligned faces"):
        load_identity_network("saved_models/srgan/1")

"""The rows of a comparison against scikit-image and what was put into the images."""

import json

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from lrfr_tf.evaluation.restoration import restoration_rows, table_lines


@pytest.fixture
def rows_and_images(portrait: np.ndarray) -> tuple[dict, dict[str, np.ndarray], np.ndarray]:
    corners = np.random.default_rng(0).integers(0, 512 - 64, (12, 2))
    high = (40 + 0.65 * np.stack([portrait[y : y + 64, x : x + 64] for y, x in corners])).astype(np.uint8)
    noise = np.random.default_rng(1).normal(0, 1, high.shape)
    methods = {
        "bicubic": (high + 20 * noise).clip(0, 255).astype(np.uint8),
        "better": (high + 10 * noise + [5, 0, 0]).clip(0, 255).astype(np.uint8),
        "perfect": high,
    }
    return restoration_rows(methods, high, "bicubic"), methods, high


def test_figures_are_those_of_scikit_image(rows_and_images: tuple) -> None:
    rows, methods, high = rows_and_images
    decibels, similarity = {}, {}
    for name in ("bicubic", "better"):
        both = list(zip(high, methods[name], strict=True))
        decibels[name] = np.mean([peak_signal_noise_ratio(a, b, data_range=255) for a, b in both])
        similarity[name] = np.mean([
            structural_similarity(
                b, a, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, channel_axis=-1, data_range=255
            )
            for a, b in both
        ])  # fmt: skip
        assert rows[name]["psnr_rgb"]["mean"] == pytest.approx(decibels[name], abs=1e-4)
        assert rows[name]["ssim_rgb"]["mean"] == pytest.approx(similarity[name], abs=1e-4)
    gain = rows["better"]["psnr_gain"]
    assert gain["mean"] == pytest.approx(decibels["better"] - decibels["bicubic"], abs=1e-4)
    assert 4 < gain["interval_95"][0] < gain["mean"] < gain["interval_95"][1] < 7
    # Paired: the images' own differences in PSNR are the same for both methods and cancel out.
    assert np.ptp(gain["interval_95"]) < 0.5
    assert rows["better"]["ssim_gain"]["mean"] == pytest.approx(similarity["better"] - similarity["bicubic"], abs=1e-4)
    assert rows["bicubic"]["psnr_gain"] is None


def test_shift_and_specks(rows_and_images: tuple) -> None:
    rows, methods, high = rows_and_images
    shift = rows["better"]["colour_shift"]
    assert shift["red"] == pytest.approx((methods["better"][..., 0].astype(float) - high[..., 0]).mean(), abs=1e-9)
    assert 4 < shift["largest"] == abs(shift["red"])
    assert rows["bicubic"]["specks"]["times_originals"] > rows["better"]["specks"]["times_originals"] > 1
    assert rows["bicubic"]["specks"]["images_beyond"] == 1.0


def test_perfect_images(rows_and_images: tuple) -> None:
    perfect = rows_and_images[0]["perfect"]
    assert perfect["psnr_rgb"]["mean"] == 100.0
    assert perfect["colour_shift"]["largest"] == 0
    assert perfect["grid"]["period_4"]["peak_db"] == perfect["fixed_pattern"] == 0
    assert perfect["specks"]["times_originals"] == 1
    assert perfect["specks"]["images_beyond"] == pytest.approx(1 / 12)  # one image is beyond 99 % of twelve


def test_rows_are_json_and_a_table(rows_and_images: tuple) -> None:
    rows = rows_and_images[0]
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows
    lines = table_lines(rows)
    assert [line.split()[0] for line in lines[1:4]] == ["bicubic", "better", "perfect"]
    assert f"{rows['better']['psnr_gain']['mean']:+.2f} [" in lines[2]

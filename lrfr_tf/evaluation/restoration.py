"""All that is measured of one method's super-resolved faces, as rows of `result.json` and of a printed table."""

from typing import Any

import numpy as np

from lrfr_tf.evaluation.artifacts import color_shift, color_specks, fixed_pattern, grid_peak, power_spectrum
from lrfr_tf.evaluation.image_quality import finite_psnr, ssim
from lrfr_tf.evaluation.significance import mean_with_interval

SPECKLED_PERCENTILE = 99  # percentile of the originals


def restoration_rows(methods: dict[str, np.ndarray], high: np.ndarray, baseline: str) -> dict[str, dict[str, Any]]:
    """Scores every method's images against the originals, and against the baseline on the same images.

    Args:
        methods: name -> uint8 [N, S, S, 3]; the baseline is among them.
        high: uint8 [N, S, S, 3], the originals in the same order.
        baseline: the method that gains are counted from.

    Returns:
        name -> psnr and ssim (RGB), their gains (None for the baseline), color shift in grey levels, the grid peaks,
        the fixed pattern in grey levels and the specks. Means carry 95 % bootstrap intervals over images.
    """
    decibels = {name: finite_psnr(images, high) for name, images in methods.items()}
    similarity = {name: ssim(images, high) for name, images in methods.items()}
    original_spectrum, original_specks = power_spectrum(high), color_specks(high)
    rows: dict[str, dict[str, Any]] = {}
    for name, images in methods.items():
        shift = color_shift(images, high)
        rows[name] = {
            "psnr_rgb": mean_with_interval(decibels[name]),
            "ssim_rgb": mean_with_interval(similarity[name]),
            "psnr_gain": mean_with_interval(decibels[name] - decibels[baseline]) if name != baseline else None,
            "ssim_gain": mean_with_interval(similarity[name] - similarity[baseline]) if name != baseline else None,
            "colour_shift": {
                **dict(zip(("red", "green", "blue"), shift.tolist(), strict=True)),
                "largest": float(np.abs(shift).max()),
            },
            "grid": _grid(power_spectrum(images), original_spectrum),
            "fixed_pattern": fixed_pattern(images, high),
            "specks": _specks(color_specks(images), original_specks),
        }
    return rows


def table_lines(rows: dict[str, dict[str, Any]]) -> list[str]:
    """The rows as lines of text with a heading."""
    lines = [
        f"{'':>12} {'PSNR':>6} {'gain, 95 % interval':>22} {'SSIM':>6} {'gain':>7} {'shift':>6} {'1/4':>6} {'1/2':>6} "
        f"{'pattern':>7} {'specks':>7} {'speckled':>8}"
    ]
    for name, row in rows.items():
        gain, ssim_gain = "", ""
        if row["psnr_gain"] is not None:
            gain = f"{row['psnr_gain']['mean']:+.2f} [{row['psnr_gain']['interval_95'][0]:+.2f}, "
            gain += f"{row['psnr_gain']['interval_95'][1]:+.2f}]"
            ssim_gain = f"{row['ssim_gain']['mean']:+.3f}"
        quarter, half = row["grid"]["period_4"], row["grid"]["period_2"]
        lines.append(
            f"{name:>12} {row['psnr_rgb']['mean']:6.2f} {gain:>22} {row['ssim_rgb']['mean']:6.3f} {ssim_gain:>7} "
            f"{row['colour_shift']['largest']:6.2f} {quarter['peak_db']:+6.1f} {half['peak_db']:+6.1f} "
            f"{row['fixed_pattern']:7.2f} "
            f"{row['specks']['times_originals']:7.2f} {row['specks']['images_beyond']:8.1%}"
        )
    return lines


LEGEND = f"""shift: largest mean color shift of a channel, grey levels. 1/4, 1/2: peak of a grid of 4 or 2 pixels in
the spectrum, dB above HR's and above the frequencies around it. pattern: grid that all images share, grey levels.
specks: color specks, times HR's; speckled: share of images with stronger ones than {SPECKLED_PERCENTILE} % of HR's."""


def _grid(spectrum: np.ndarray, original_spectrum: np.ndarray) -> dict[str, dict[str, float]]:
    found = {}
    for period in (4, 2):
        peak = grid_peak(spectrum, original_spectrum, period)
        found[f"period_{period}"] = {
            "cycles_per_pixel": peak.frequency,
            "peak_db": peak.peak,
            "db_above_hr": peak.above_originals,
            "db_above_neighbours_beyond_hr": peak.above_neighbors,
            "db_above_hr_along_axes": peak.along_axes,
        }
    return found


def _specks(specks: np.ndarray, originals: np.ndarray) -> dict[str, float]:
    return {
        "mean": float(specks.mean()),
        "hr_mean": float(originals.mean()),
        # A set of grey photos has no chroma to compare with.
        "times_originals": float(specks.mean() / max(originals.mean(), 1e-6)),
        "images_beyond": float(np.mean(specks > np.percentile(originals, SPECKLED_PERCENTILE))),
    }

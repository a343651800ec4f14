"""A result.json made by hand, for the tests of what reads it."""

from typing import Any


def figure(mean: float | None) -> dict[str, Any]:
    return {"mean": mean, "interval_95": None if mean is None else [mean - 0.05, mean + 0.05]}


def block(images: int, top_1: dict[str, float | None]) -> dict[str, Any]:
    def subset(method: str) -> dict[str, Any]:
        return {"images": images, "identities": images, "top_1": figure(top_1[method]), "top_5": figure(top_1[method])}

    empty = {"n": 0, "mean": None, "median": None, "interval_95": None}
    measures = ("iou", "centre_error", "size_error", "coordinate_mse", "landmark_error")
    box = {"n": images, "mean": 0.5, "median": 0.5, "interval_95": [0.4, 0.6]}
    return {
        "images": images,
        "identities": images,
        "quality": {
            method: {
                "images": images,
                "detected": figure(top_1[method]),
                **({} if method == "hr" else {"psnr_rgb": figure(20.0), "ssim_rgb": figure(0.5)}),
            }
            for method in top_1
        },
        "recognition": [
            {
                "method": method,
                "head": "logistic",
                "trained_on": "hr",
                **{name: subset(method) for name in ("all", "detected", "intersection")},
                "cmc": [0.3, 0.4, 0.5],
            }
            for method in top_1
        ],
        "boxes": {
            method: {
                "images": images,
                "found": {"both": images, "hr_only": 0, "method_only": 0, "neither": 0},
                **dict.fromkeys(measures, empty if top_1[method] is None else box),
            }
            for method in top_1
            if method != "hr"
        },
    }


def make_result(**more: Any) -> dict[str, Any]:
    top_1 = {"hr": 0.9, "bicubic": 0.3, "srcnn": 0.25, "srgan": 0.4}
    return {
        "title": "The title",
        "note": "The note.",
        "schema": 1,
        "data": {
            "data_set": "made by hand",
            "framing": "face",
            "identities": 30,
            "images": {"train": 60, "val": 30, "test": 30},
            "dropped_identities": 0,
            "resize_kernel": "pillow-bicubic-antialias",
        },
        "classes": 30,
        "embedder": "an embedder",
        "detector": {"name": "mtcnn", "thresholds": [0.6, 0.7, 0.9], "min_face_size": 20},
        "policy": "miss",
        "models": {"srgan": "f" * 64},
        "held_out_divisor": 5,
        "blocks": {"held_out": block(6, top_1), "all": block(30, top_1)},
        "config": {"data": "datasets/x"},
        "versions": {"keras": "3.15.1"},
        "seconds": 2.0,
        **more,
    }


def make_levels_result(**more: Any) -> dict[str, Any]:
    """The result of `make_result` beside that of the same faces through harsh cameras."""
    top_1 = {"hr": 0.9, "bicubic": 0.1, "srcnn": 0.2, "srgan": 0.15}
    harsh = make_result()
    harsh["blocks"] = {"held_out": block(6, top_1), "all": block(30, top_1)}
    return make_result(levels={"harsh": {"blocks": harsh["blocks"]}}, **more)


def make_pixels(**more: Any) -> dict[str, Any]:
    """A result of tools/evaluate_pixels.py with three methods at two sizes."""
    shares = {"bicubic": (0.1, 0.5), "srcnn": (0.2, 0.4), "siamese": (0.3, 0.6)}
    curves = {
        method: [{"pixels": size, "top_1": figure(share)} for size, share in zip((8, 64), pair, strict=True)]
        for method, pair in shares.items()
    }
    return {
        "schema": 1,
        "benchmark": "pixels",
        "title": "The title",
        "protocol": "The protocol of pixels.",
        "data": {"framing": "face", "manifest_sha256": "0" * 64},
        "low_size": 16,
        "sizes": [8, 64],
        "counts": {
            "test_images": 31,
            "gallery_images": 60,
            "gallery_identities": 30,
            "gallery_images_without_face_in_hr": 2,
            "probes": 30,
            "probes_without_face_in_hr": 1,
            "probes_without_gallery_face": 0,
        },
        "blocks": {
            "held_out": {"images": 6, "identities": 6, "curves": curves},
            "all": {"images": 30, "identities": 30, "curves": curves},
        },
        **more,
    }


def make_camera_pixels() -> dict[str, Any]:
    """The same, and through harsh cameras half of it."""
    result = make_pixels()
    for made in result["blocks"].values():
        made["curves"] = {
            method: points
            + [{"camera": "harsh", **point, "top_1": figure(point["top_1"]["mean"] / 2)} for point in points]
            for method, points in made["curves"].items()
        }
    return result


def make_siamese_result(**more: Any) -> dict[str, Any]:
    """The result of `make_result` with the rows of the Siamese network."""
    result = make_result(siamese={"embedder": "siamese-1-abc", "template": "lai", "size": 128}, **more)
    for made in result["blocks"].values():
        for method, top_1 in (("siamese", 0.2), ("siamese_hr", 0.95)):
            made["recognition"].append(
                {**block(made["images"], {method: top_1})["recognition"][0], "p_against_bicubic": 0.03}
            )
    return result

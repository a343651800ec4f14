"""How far the faces found in reconstructed images are from those found in the high-resolution (HR) images."""

import dataclasses
from typing import Any

import numpy as np

from lrfr_tf.evaluation.significance import bootstrap_interval
from lrfr_tf.faces.boxes import box_size, intersection_over_union

# The measures of a pair of boxes, in the order of tables. All but `iou` are errors: less is better.
MEASURES = ("iou", "centre_error", "size_error", "coordinate_mse", "landmark_error")
MEASURES_WITH_INTERVAL = ("iou", "landmark_error")


@dataclasses.dataclass(frozen=True)
class BoxComparison:
    """The boxes of a method against those of HR on the same N images; a measure is NaN unless both found a face.

    Attributes:
        hr_found, method_found: bool [N].
        iou: float64 [N], intersection over union, 0 to 1.
        centre_error: float64 [N], distance of the two centers / size of the HR box (size: square root of the area).
        size_error: float64 [N], |size - HR size| / HR size.
        coordinate_mse: float64 [N], mean of the squared differences of x1, y1, x2 and y2 in square pixels, as in the
            original system. It depends on the size of the images.
        landmark_error: float64 [N], mean distance of the five points / distance of the HR eyes (the usual normalized
            mean error of face alignment).
    """

    hr_found: np.ndarray
    method_found: np.ndarray
    iou: np.ndarray
    centre_error: np.ndarray
    size_error: np.ndarray
    coordinate_mse: np.ndarray
    landmark_error: np.ndarray

    def summary(self, seed: int = 0) -> dict[str, Any]:
        """The figures of a report, as plain values: counts, detection rates, and for each measure its mean, median and
        number of images n, with a 95 % bootstrap interval of the mean for `iou` and `landmark_error`.

        Where n is 0, mean, median and interval are None.
        """
        hr, method = self.hr_found, self.method_found
        images = len(hr)
        result: dict[str, Any] = {
            "images": images,
            "found": {
                "both": int((hr & method).sum()),
                "hr_only": int((hr & ~method).sum()),
                "method_only": int((~hr & method).sum()),
                "neither": int((~hr & ~method).sum()),
            },
            "hr_detection_rate": float(hr.mean()) if images else None,
            "method_detection_rate": float(method.mean()) if images else None,
        }
        for measure in MEASURES:
            values = getattr(self, measure)
            values = values[~np.isnan(values)]
            result[measure] = {
                "n": len(values),
                "mean": float(values.mean()) if len(values) else None,
                "median": float(np.median(values)) if len(values) else None,
            }
            if measure in MEASURES_WITH_INTERVAL:
                result[measure]["interval_95"] = list(bootstrap_interval(values, seed=seed)) if len(values) else None
        return result

    def rows(self) -> list[dict[str, Any]]:
        """One dict for each image: `hr_found`, `method_found` (0 or 1) and the measures, None where there is none."""

        def plain(value: float) -> float | None:
            return None if np.isnan(value) else float(value)

        return [
            {
                "hr_found": int(self.hr_found[image]),
                "method_found": int(self.method_found[image]),
                **{measure: plain(getattr(self, measure)[image]) for measure in MEASURES},
            }
            for image in range(len(self.hr_found))
        ]


def compare_boxes(
    hr_boxes: np.ndarray, hr_landmarks: np.ndarray, method_boxes: np.ndarray, method_landmarks: np.ndarray
) -> BoxComparison:
    """Compares the boxes that a method's images gave with those of the HR images, image by image.

    Args:
        hr_boxes, method_boxes: float [N, 4], (x1, y1, x2, y2), a row of NaN where no face was found.
        hr_landmarks, method_landmarks: float [N, 5, 2], (x, y), left eye and right eye first, NaN where none.

    Raises:
        ValueError: the shapes do not belong together, or a box that was found has no area.
    """
    hr_boxes, method_boxes = np.asarray(hr_boxes, np.float64), np.asarray(method_boxes, np.float64)
    hr_landmarks, method_landmarks = np.asarray(hr_landmarks, np.float64), np.asarray(method_landmarks, np.float64)
    images = len(hr_boxes)
    for name, boxes, landmarks in (("HR", hr_boxes, hr_landmarks), ("method", method_boxes, method_landmarks)):
        if boxes.shape != (images, 4) or landmarks.shape != (images, 5, 2):
            raise ValueError(
                f"The {name} boxes {boxes.shape} and landmarks {landmarks.shape} are not those of N images."
            )
        if np.any(boxes[:, 2:] <= boxes[:, :2]):
            raise ValueError(f"A {name} box has no area.")
    hr_size, method_size = box_size(hr_boxes), box_size(method_boxes)
    hr_center, method_center = (hr_boxes[:, :2] + hr_boxes[:, 2:]) / 2, (method_boxes[:, :2] + method_boxes[:, 2:]) / 2
    eye_distance = np.linalg.norm(hr_landmarks[:, 0] - hr_landmarks[:, 1], axis=1)
    eye_distance = np.where(eye_distance > 0, eye_distance, np.nan)  # Eyes on one point give no scale.
    point_distance = np.linalg.norm(method_landmarks - hr_landmarks, axis=2).mean(axis=1)
    return BoxComparison(
        hr_found=~np.isnan(hr_boxes).any(axis=1),
        method_found=~np.isnan(method_boxes).any(axis=1),
        iou=intersection_over_union(hr_boxes, method_boxes),
        centre_error=np.linalg.norm(method_center - hr_center, axis=1) / hr_size,
        size_error=np.abs(method_size - hr_size) / hr_size,
        coordinate_mse=((method_boxes - hr_boxes) ** 2).mean(axis=1),
        landmark_error=point_distance / eye_distance,
    )

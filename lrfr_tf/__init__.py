"""Low-resolution face recognition in TensorFlow / Keras 3: the public names, each loaded when it is first used.

import lrfr_tf as lrfr

recognizer = lrfr.Recognizer("siamese")
gallery = lrfr.Gallery.from_folder("people", recognizer)
for face in recognizer.analyze("street.jpg"):
    match = gallery.identify(face)
    print(face.box, match.name, match.score)
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what __getattr__ finds, for type checkers and editors
    from lrfr_tf.errors import UserError
    from lrfr_tf.gallery.gallery import Gallery
    from lrfr_tf.images.decode import read_image
    from lrfr_tf.networks.shipped import list_models
    from lrfr_tf.networks.super_resolver import SuperResolver
    from lrfr_tf.recognition.calibration import DecisionRule
    from lrfr_tf.recognition.match import Match
    from lrfr_tf.recognition.recognizer import Face, Recognizer

__version__ = "0.1.0"
__all__ = [
    "DecisionRule",
    "Face",
    "Gallery",
    "Match",
    "Recognizer",
    "SuperResolver",
    "UserError",
    "list_models",
    "read_image",
]

_MODULES = {
    "DecisionRule": "recognition.calibration",
    "Face": "recognition.recognizer",
    "Gallery": "gallery.gallery",
    "Match": "recognition.match",
    "Recognizer": "recognition.recognizer",
    "SuperResolver": "networks.super_resolver",
    "UserError": "errors",
    "list_models": "networks.shipped",
    "read_image": "images.decode",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

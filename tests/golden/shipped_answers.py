"""What the shipped networks make of the public-domain portrait, to be held against later.

python -m tests.golden.shipped_answers

writes `shipped_answers.npz` and `shipped_files.json` anew; to be done when a network is exchanged, and then only.
"""

from pathlib import Path

import numpy as np
from skimage.data import astronaut

from lrfr_tf.files import sha256, write_json
from lrfr_tf.images.resize import resize
from lrfr_tf.networks.embedding import load_embedder
from lrfr_tf.networks.super_resolution import load_super_resolver

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "saved_models"
ANSWERS, FILES = Path(__file__).with_name("shipped_answers.npz"), Path(__file__).with_name("shipped_files.json")
SIZES = (8, 16, 24, 40, 112)
SUPER_RESOLVERS = ("srcnn", "srgan", "srgan_camera", "srresnet", "srresnet_camera")


def faces() -> list[np.ndarray]:
    """The portrait's face at several sizes, upright and mirrored."""
    face = np.ascontiguousarray(astronaut()[20:170, 155:305])
    small = [resize(face, size, size) for size in SIZES]
    return [*small, *(np.ascontiguousarray(one[:, ::-1]) for one in small)]


def answers() -> dict[str, np.ndarray]:
    """By network: embeddings float32 [10, D], and super-resolved faces uint8 [2, 64, 64, 3]."""
    made = {"siamese": load_embedder(str(MODELS / "siamese")).embed(faces())}
    low = np.stack([face for face in faces() if len(face) == 16])
    return made | {name: load_super_resolver(MODELS / name).super_resolve(low) for name in SUPER_RESOLVERS}


def checksums() -> dict[str, str]:
    """SHA-256 of every file of every export."""
    files = sorted(path for path in MODELS.glob("*/*/**/*") if path.is_file())
    return {path.relative_to(MODELS).as_posix(): sha256(path) for path in files}


if __name__ == "__main__":
    np.savez_compressed(ANSWERS, **answers())
    write_json(FILES, checksums())

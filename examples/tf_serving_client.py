"""Asks a TF-Serving server that serves saved_models/siamese how alike the aligned faces of two files are.

python examples/tf_serving_client.py localhost 8501 face.png other.png
"""

import sys
from pathlib import Path

import numpy as np

from lrfr_tf.tf_serving.client import find_signature
from lrfr_tf.tf_serving.rest_client import RestConnection

host, port, face, other = sys.argv[1:]
connection = RestConnection(host, int(port), timeout=10.0)
model = connection.describe("siamese", version=None)
files = {"image_bytes_a": face, "image_bytes_b": other}
inputs = {name: np.array([Path(file).read_bytes()], object) for name, file in files.items()}
answer = connection.predict(model, find_signature(model, "verify_bytes"), inputs)
print(f"cosine {answer['similarity'][0]:.3f}, by version {model.version}")

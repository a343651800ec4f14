"""The client of the service, for Python programs elsewhere: it loads neither TensorFlow nor NumPy, and needs httpx
alone (pip install 'lrfr-tf[client]'). Nothing of the rest of the package is used here, but over HTTP.

from lrfr_tf.client import Client

with Client("https://faces.example", key="lrfr_...") as client:
    for face in client.identify("street.jpg").faces:
        print(face.box, face.name, face.score)
"""

from lrfr_tf.client.client import Client
from lrfr_tf.client.service_error import ServiceError

__all__ = ["Client", "ServiceError"]

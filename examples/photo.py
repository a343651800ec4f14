"""The faces of a photo: where they are, how large, and the smallest one enlarged.

python examples/photo.py photo.jpg enlarged.png
"""

import sys

from PIL import Image

import lrfr_tf as lrfr

photo, enlarged = sys.argv[1:]
faces = lrfr.Recognizer("siamese").analyze(photo)
for face in faces:
    x1, y1, x2, y2 = (round(value) for value in face.box)
    print(f"x {x1} to {x2}, y {y1} to {y2}: {face.height:.0f} px high, score {face.detection_score:.3f}")
if faces:
    box = min(faces, key=lambda face: face.height).box
    face = Image.fromarray(lrfr.read_image(photo)).crop([round(value) for value in box])
    Image.fromarray(lrfr.SuperResolver("srgan_camera")(face)).save(enlarged)

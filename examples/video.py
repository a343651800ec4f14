"""Who is in a video, every tenth frame.

python examples/video.py people film.mp4
"""

import sys

import lrfr_tf as lrfr
from lrfr_tf.sources.video import VideoReader

people, film = sys.argv[1:]
recognizer = lrfr.Recognizer("siamese")
gallery = lrfr.Gallery.from_folder(people, recognizer)
for frame in VideoReader(film).frames(10):
    if frame.pixels is not None:
        names = [gallery.identify(face).name or "unknown" for face in recognizer.analyze(frame.pixels)]
        print(f"{frame.seconds:.2f} s: {', '.join(names) or 'nobody'}")

"""Who is in a photo, out of a folder of people, <person>/<photo>, or a file that keeps them (docs/people.md).

python examples/gallery.py people photo.jpg
python examples/gallery.py people.db photo.jpg
"""

import sys

import lrfr_tf as lrfr

people, photo = sys.argv[1:]
recognizer = lrfr.Recognizer("siamese")
open_people = lrfr.Gallery.open if people.endswith(".db") else lrfr.Gallery.from_folder
gallery = open_people(people, recognizer, rule=lrfr.DecisionRule(fpir=0.01))
print(gallery.threshold.in_words())
for face in recognizer.analyze(photo):
    match = gallery.identify(face)
    others = ", ".join(f"{name} {score:.2f}" for name, score in match.next_best[:2])
    print(f"{match.name or 'unknown'}: cosine {match.score:.2f}; next best: {others or 'nobody'}")

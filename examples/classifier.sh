#!/bin/sh
# From a folder of people, <person>/<photo> with three photos each or more, to an exported classifier. Of each person one
# photo is kept for the test and one for the validation.
#
#   sh examples/classifier.sh people photo.jpg
set -eu
lrfr prepare folder --images="$1" --output=own/faces
lrfr embed --data=own/faces --methods=hr --embedder=siamese --crop=aligned --output=own/embeddings
lrfr train classifier --embeddings=own/embeddings --head=cosine --output=own/heads
lrfr export --model=own/heads/hr/cosine --embedder=siamese --name=people --output=own/models
lrfr identify --model=own/models/people --image="$2"

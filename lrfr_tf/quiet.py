"""Imported by commands before anything that imports TensorFlow: mutes what that prints, unless --verbose is given."""

import sys

from lrfr_tf.silence import silence_tensorflow

if "--verbose" not in sys.argv:
    silence_tensorflow()

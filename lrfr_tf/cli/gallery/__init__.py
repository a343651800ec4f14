"""The verbs of `lrfr gallery`, one file each. What they do lies in `lrfr_tf.gallery`; here are flags and text."""

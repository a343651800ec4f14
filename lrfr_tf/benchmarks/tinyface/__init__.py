"""Closed-set identification on TinyFace: `benchmark` measures, `files` finds the images."""

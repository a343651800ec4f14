"""Verification and open-set identification on QMUL-SurvFace: `benchmark` measures, `files` finds the images."""

"""Verification at low resolution, on LFW or other pairs: `benchmark` says what is measured, `protocol` how."""

"""Identification on SCface's surveillance images: `benchmark` says what is measured, `files` where the images are."""

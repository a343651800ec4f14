"""Bytes <-> uint8 RGB: decode, resize, degrade, photograph as cameras do, draw. Nothing here knows of faces, networks
or data sets.
"""

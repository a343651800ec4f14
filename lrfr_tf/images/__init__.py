"""Bytes <-> uint8 RGB: decode, resize, degrade, photograph as cameras do, draw. Nothing here looks for faces, or knows
networks and data sets.
"""

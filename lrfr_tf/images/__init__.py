"""Bytes <-> uint8 RGB: decode, resize, degrade, photograph as cameras do."""

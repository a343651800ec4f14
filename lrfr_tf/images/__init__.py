"""Bytes <-> uint8 RGB: decode, resize, degrade."""

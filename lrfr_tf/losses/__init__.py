"""Losses as plain functions of tensors: pure Keras; feature networks come in as arguments."""

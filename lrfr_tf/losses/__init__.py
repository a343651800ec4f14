"""Losses as plain functions of tensors: pure Keras. Feature networks come in as arguments; nothing here loads one."""

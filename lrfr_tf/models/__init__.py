"""Networks as plain functions that return keras.Model: pure Keras. No TensorFlow, no flags, no files, and no weights
but random ones.
"""

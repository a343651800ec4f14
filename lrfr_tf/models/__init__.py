"""Networks as plain functions that return keras.Model: pure Keras, no TensorFlow, no flags, no files."""

"""Checkpoints, the training loop, TensorBoard, and the classifier heads that are fitted rather than trained."""

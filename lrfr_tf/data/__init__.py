"""Files -> batches for training: data sets, splits, prepared and aligned trees, lists of pairs and landmarks, the
tf.data graphs. No network is loaded here, and nothing is measured.
"""

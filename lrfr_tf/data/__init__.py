"""Files -> batches: readers, identity folders, splits, the tf.data graph."""

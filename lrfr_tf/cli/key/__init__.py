"""`lrfr key <verb>`: each file is one command. Keys are kept by lrfr_tf.service.keys."""

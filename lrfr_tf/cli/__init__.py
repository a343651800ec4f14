"""Flags in, text out: the `Config` and the `main` of every command that users call, and `lrfr`, which finds them. It
may import every room, and nothing in lrfr_tf imports it; tools/ forwards to it.
"""

import lrfr_tf.quiet  # noqa: F401

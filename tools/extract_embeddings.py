"""See lrfr_tf.cli.extract_embeddings."""

from lrfr_tf.main import start

if __name__ == "__main__":
    start("lrfr_tf.cli.extract_embeddings")
else:
    from lrfr_tf.cli.extract_embeddings import Config, main  # noqa: F401

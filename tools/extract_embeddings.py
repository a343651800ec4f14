"""See lrfr_tf.cli.extract_embeddings."""

from lrfr_tf.cli.extract_embeddings import Config, main
from lrfr_tf.main import run

if __name__ == "__main__":
    run(main, Config)

"""Embeds the stored pictures of all references with another network; no photo is needed.

    lrfr gallery migrate --gallery=people.db --model=saved_models/mine

Until all is done the gallery stays as it was; then every process must use the new network. References without a stored
picture are listed, and nothing happens unless --drop removes them. What a rule has set aside is judged anew.
"""

import dataclasses

from tqdm import tqdm

from lrfr_tf.cli.gallery.flags import GALLERY, say
from lrfr_tf.config import option, required
from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.main import run
from lrfr_tf.networks.embedding import check_embedder
from lrfr_tf.plural import counted


@dataclasses.dataclass(frozen=True)
class Config:
    gallery: str = required(GALLERY)
    model: str = required("the network to use from now on: a shipped one by its name, or an export")
    drop: bool = option(False, "remove references without a stored picture, which cannot be embedded anew")


def check_flags(config: Config) -> None:
    """Refuses a network that is not there."""
    check_embedder(config.model)


def main(config: Config) -> None:
    from lrfr_tf.gallery.migrate import migrate_gallery, without_picture

    with Gallery.open(config.gallery) as gallery, tqdm(desc="migrate", unit="reference") as progress:
        for id, person in without_picture(gallery.store):
            say(f"{id} of {person} has no stored picture.")
        done = migrate_gallery(gallery, config.model, config.drop, progress.update)
    say(
        f"{counted(done.references, 'reference is', 'references are')} embedded with {done.embedder} now; "
        f"{counted(done.dropped, 'was', 'were')} removed."
    )


if __name__ == "__main__":
    run(main, Config)

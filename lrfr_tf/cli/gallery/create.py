"""Makes an empty gallery: one file that only you may read.

    lrfr gallery create --gallery=people.db --purpose="entrance of the lab" --legal_basis="consent, 2026-11"

It belongs to one network: faces that another network has embedded cannot be compared with it.
"""

import dataclasses

from lrfr_tf.cli.gallery.flags import GALLERY, say
from lrfr_tf.config import option, required
from lrfr_tf.gallery.audit import DEFAULT_DAYS
from lrfr_tf.main import note, run
from lrfr_tf.networks.embedding import check_embedder


@dataclasses.dataclass(frozen=True)
class Config:
    gallery: str = required(GALLERY + "; it must not be there yet")
    purpose: str = option("", "what the gallery is for, in a sentence; it is shown with every list")
    legal_basis: str = option("", "what allows you to keep these faces, such as consent; see docs/lawful-use.md")
    embedder: str = option("siamese", "the network that compares faces: a shipped one by its name, or an export")
    no_crops: bool = option(False, "do not keep the pixels of enrolled faces; another network needs the photos then")
    audit_days: int = option(DEFAULT_DAYS, "days for which changes and decisions are kept on record", at_least=1)
    confirmations: int = option(1, "how many persons must confirm a candidate (lrfr gallery confirm)", at_least=1)


def check_flags(config: Config) -> None:
    """Refuses a network that is not there."""
    check_embedder(config.embedder)


def main(config: Config) -> None:
    from lrfr_tf.gallery.gallery import Gallery

    if not (config.purpose and config.legal_basis):
        note("Faces of people are biometric data: say what for and why you may, with --purpose and --legal_basis.")
    Gallery.create(
        config.gallery,
        config.embedder,
        purpose=config.purpose,
        legal_basis=config.legal_basis,
        pictures=not config.no_crops,
        audit_days=config.audit_days,
        confirmations=config.confirmations,
    ).close()
    say(config.gallery)


if __name__ == "__main__":
    run(main, Config)

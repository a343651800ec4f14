"""Takes a key of the service out of force: at once, also where the service runs, and for good.

lrfr key revoke --gallery=people.db --id=5f0c2a91
"""

import dataclasses

from lrfr_tf.cli.gallery.flags import GALLERY
from lrfr_tf.cli.key.flags import KEYS, open_keys
from lrfr_tf.config import option, required
from lrfr_tf.main import run


@dataclasses.dataclass(frozen=True)
class Config:
    gallery: str = required(GALLERY)
    id: str = required("of the key, as `lrfr key list` lists it")
    keys: str | None = option(None, KEYS)


def main(config: Config) -> None:
    key = open_keys(config.gallery, config.keys).revoke(config.id)
    print(f"Key {key.id} is revoked.")


if __name__ == "__main__":
    run(main, Config)

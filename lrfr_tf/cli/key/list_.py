"""Lists the keys of the service, without the keys themselves: id, role, when each was made and revoked.

lrfr key list --gallery=people.db
"""

import dataclasses

from lrfr_tf.cli.gallery.flags import GALLERY
from lrfr_tf.cli.key.flags import KEYS, open_keys
from lrfr_tf.config import option, required
from lrfr_tf.main import run

ROW = "{:<10} {:<8} {:<26} {}"


@dataclasses.dataclass(frozen=True)
class Config:
    gallery: str = required(GALLERY)
    keys: str | None = option(None, KEYS)


def main(config: Config) -> None:
    print(ROW.format("id", "role", "created", "revoked"))
    for key in open_keys(config.gallery, config.keys).all():
        print(ROW.format(key.id, key.role, key.created, key.revoked or "").rstrip())


if __name__ == "__main__":
    run(main, Config)

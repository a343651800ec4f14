"""Makes a key of the service and prints it, once: only its hash is kept.

    lrfr key create --gallery=people.db --role=read

A key with the role read may ask, enroll may also take people in and correct them, admin may also merge and forget
persons and read the audit. The key's id stands in the audit beside what was asked with it.
"""

import dataclasses

from lrfr_tf.cli.gallery.flags import GALLERY
from lrfr_tf.cli.key.flags import KEYS, open_keys
from lrfr_tf.config import option, required
from lrfr_tf.main import note, run
from lrfr_tf.service.keys import ROLES


@dataclasses.dataclass(frozen=True)
class Config:
    gallery: str = required(GALLERY)
    role: str = required("what the key may do", ROLES)
    keys: str | None = option(None, KEYS)


def main(config: Config) -> None:
    key, text = open_keys(config.gallery, config.keys, makes=True).create(config.role)
    note(f"Key {key.id} with the role {key.role}; nobody can read it again.")
    print(text)


if __name__ == "__main__":
    run(main, Config)

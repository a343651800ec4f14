"""Lists who is enrolled, with the number of references, and what the gallery is for.

lrfr gallery list --gallery=people.db --format=json
"""

import dataclasses
import json

from lrfr_tf.cli.gallery.flags import FORMATS, GALLERY, open_people, say
from lrfr_tf.config import option, required
from lrfr_tf.gallery.references import Person
from lrfr_tf.main import run
from lrfr_tf.plural import counted

ROW = "{:<24} {:>10} {:>10} {:<10} {:<10}"


@dataclasses.dataclass(frozen=True)
class Config:
    gallery: str = required(GALLERY)
    format: str = option("table", "how the answer is printed", FORMATS)


def main(config: Config) -> None:
    people = open_people(config.gallery)
    everybody = people.persons()
    about = {name: people.store.fact(name) for name in ("purpose", "legal_basis", "embedder", "created")}
    if config.format == "json":
        answer = {**about, "persons": [dataclasses.asdict(person) for person in everybody]}
        print(json.dumps(answer))
        return
    say(f"{config.gallery}: {counted(len(everybody), 'person')}, network {about['embedder']}")
    say(f"purpose: {about['purpose'] or 'not stated'}; legal basis: {about['legal_basis'] or 'not stated'}")
    if everybody:
        print(ROW.format("name", "references", "in force", "enrolled", "last day").rstrip())
    for person in everybody:
        say(_row(person))


def _row(person: Person) -> str:
    counts = (person.references, person.active)
    return ROW.format(person.name, *counts, person.created[:10], person.expires or "").rstrip()


if __name__ == "__main__":
    run(main, Config)

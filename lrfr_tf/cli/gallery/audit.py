"""Lists what was changed and, where `lrfr identify --audit` ran, what was decided; random ids, no names.

    lrfr gallery audit --gallery=people.db --person=anna --format=json

The number is that of a decision, also beside its confirmations. Rows are removed once they are older than the days that
the gallery was made with (--audit_days).
"""

import dataclasses
import json

from lrfr_tf.cli.gallery.flags import FORMATS, GALLERY, open_people, say
from lrfr_tf.config import option, required
from lrfr_tf.main import run

ROW = "{:>7} {:<25} {:<14} {:<16} {:<16} {:<8} {:>6} {:>9}  {}"


@dataclasses.dataclass(frozen=True)
class Config:
    gallery: str = required(GALLERY)
    person: str | None = option(None, "only what is about this person")
    format: str = option("table", "how the answer is printed", FORMATS)


def main(config: Config) -> None:
    rows = open_people(config.gallery).audit(config.person)
    if config.format == "json":
        for row in rows:
            print(json.dumps(row.as_json()))
        return
    print(ROW.format("number", "when", "what", "person", "reference", "decision", "score", "threshold", "who").rstrip())
    for row in rows:
        score, threshold = (("" if value is None else f"{value:.3f}") for value in (row.score, row.threshold))
        texts = [value or "" for value in (row.person, row.reference, row.decision)]
        say(ROW.format(row.decided or row.number, row.at, row.what, *texts, score, threshold, row.who or "").rstrip())


if __name__ == "__main__":
    run(main, Config)

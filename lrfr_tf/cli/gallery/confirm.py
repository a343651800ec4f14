"""Notes that a person looked at a candidate, and says whether it is the one who was named.

    lrfr gallery confirm --gallery=people.db --decision=17 --who="M. Keller"
    lrfr gallery confirm --gallery=people.db --decision=17 --who="M. Keller" --refute

What `lrfr identify` names is a candidate until somebody has looked; with --audit it tells the number of each decision.
A gallery that was made with --confirmations=2 needs two persons. Each counts once.
"""

import dataclasses

from lrfr_tf.cli.gallery.flags import GALLERY, open_people
from lrfr_tf.config import option, required
from lrfr_tf.main import run
from lrfr_tf.plural import counted


@dataclasses.dataclass(frozen=True)
class Config:
    gallery: str = required(GALLERY)
    decision: int = required("the number of the decision, as `lrfr identify --audit` and `lrfr gallery audit` tell it")
    who: str = required("who looked")
    refute: bool = option(False, "it is somebody else")


def main(config: Config) -> None:
    done = open_people(config.gallery).confirm(config.decision, config.who, not config.refute)
    state = "confirmed" if done.is_confirmed else "refuted" if done.refuted else "still a candidate"
    print(f"Decision {config.decision} is {state}: {done.confirmed} of {counted(done.needed, 'confirmation')}.")


if __name__ == "__main__":
    run(main, Config)

"""Kills processes that change a gallery, again and again, and looks what is left; run as a program of its own.

    python kill_driver.py people.db <kills at random moments> <kills between write and acknowledgement> <seed>

Ends with 0 and a line of JSON if nothing that was acknowledged was lost, nothing is there by halves, and the file is
sound.
"""

import json
import os
import random
import signal
import sqlite3
import sys
import time
from pathlib import Path

from lrfr_tf.gallery.people import People
from lrfr_tf.gallery.references import Reference
from lrfr_tf.gallery.store import Store
from tests.gallery.ready_people import embedding_of, new_people

State = dict[str, frozenset[str]]  # person -> ids of references


def apply(state: State, step: list) -> State:
    """What a step makes of a gallery."""
    verb, person, *rest = step
    after = dict(state)
    if verb == "enroll":
        after[person] = state.get(person, frozenset()) | set(rest[0])
    elif verb == "forget":
        del after[person]
    else:
        after[rest[0]] = after[rest[0]] | after.pop(person)
    return after


def choose(dice: random.Random, state: State) -> list:
    """The next step."""
    verb = dice.choice(["enroll", "enroll", "merge", "forget"]) if len(state) > 3 else "enroll"
    if verb == "enroll":
        person = f"person {dice.randrange(12)}"
        return [verb, person, [f"{dice.getrandbits(64):016x}" for _ in range(dice.randint(1, 3))]]
    person, other = dice.sample(sorted(state), 2)
    return [verb, person] if verb == "forget" else [verb, person, other]


def carry_out(people: People, step: list) -> None:
    verb, person, *rest = step
    if verb == "enroll":
        people.add(
            person, [Reference(embedding_of(int(id, 16)), id=id, picture=b"\x89PNG" + bytes(300)) for id in rest[0]]
        )
    elif verb == "forget":
        people.forget(person)
    else:
        people.merge(person, rest[0])


def child(path: Path, state: State, seed: int, how: str, pipe: int) -> None:
    """Takes steps until it is killed; says what it begins and what it has done."""
    dice = random.Random(seed)
    people = People(Store(path))
    if how == "statement":  # in the midst of a transaction
        left = [dice.randint(1, 60)]

        def count(statement: str) -> None:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        people.store.connection.set_trace_callback(count)
    last = dice.randint(0, 3)
    for number in range(1000):
        step = choose(dice, state)
        os.write(pipe, (json.dumps(["begun", step]) + "\n").encode())
        carry_out(people, step)
        if how == "between" and number == last:
            os.kill(os.getpid(), signal.SIGKILL)
        os.write(pipe, (json.dumps(["done", step]) + "\n").encode())
        state = apply(state, step)


def found(path: Path) -> State:
    """What the file holds; every embedding must be the one that was enrolled under its id."""
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
    people = People(Store(path))
    state: dict[str, set[str]] = {person.name: set() for person in people.persons()}
    for one in people.references():
        assert (one.embedding == embedding_of(int(one.id, 16))).all()
        assert people.store.read("SELECT COUNT(*) FROM picture p JOIN reference r ON r.number = p.reference "
                                 "WHERE r.id = ?", one.id) == [(1,)]  # fmt: skip
        state[one.person].add(one.id)
    people.close()
    return {name: frozenset(ids) for name, ids in state.items()}


def trial(path: Path, state: State, seed: int, how: str) -> tuple[State, int, bool]:
    """One process, killed. Returns what is left, how many steps it had acknowledged, and whether one more is there."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        try:
            child(path, state, seed, how, writing)
        finally:
            os._exit(1)
    os.close(writing)
    if how == "moment":
        time.sleep(random.Random(seed).uniform(0.002, 0.08))
        os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    assert os.WIFSIGNALED(status), "the process ended by itself"
    with os.fdopen(reading) as lines:
        told = [json.loads(line) for line in lines.read().splitlines()]
    begun = [step for what, step in told if what == "begun"]
    done = [step for what, step in told if what == "done"]
    assert begun[: len(done)] == done
    for step in done:
        state = apply(state, step)
    left = found(path)
    if left == state:
        return left, len(done), False
    assert len(begun) == len(done) + 1, "what was acknowledged is lost"
    assert left == apply(state, begun[-1]), "a step is there by halves, or what was acknowledged is lost"
    return left, len(done), True


def main() -> None:
    path, moments, between, seed = Path(sys.argv[1]), *(int(word) for word in sys.argv[2:])
    new_people(path).close()
    state: State = {}
    kills = {"moment": 0, "statement": 0, "between": 0}
    acknowledged = unacknowledged = 0
    hows = ["moment", "statement"] * (moments // 2) + ["between"] * between
    random.Random(seed).shuffle(hows)
    for number, how in enumerate(hows):
        state, done, more = trial(path, state, 1_000_003 * seed + number, how)
        kills[how] += 1
        acknowledged += done
        unacknowledged += more
    print(json.dumps({"kills": kills, "acknowledged": acknowledged, "more": unacknowledged, "persons": len(state)}))


if __name__ == "__main__":
    main()

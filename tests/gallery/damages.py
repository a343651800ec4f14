"""Damages a gallery's file at random and lets every verb that reads it answer; run as a program for many of them.

    python -m tests.gallery.damages <damages> <seed> [whole|large]

Every answer should be the one that the sound file gives, or one sentence with exit code 2. With "large" the file is
treated as one that is too large to be looked through when it is opened. Other answers are told on stderr, and a line of
JSON counts them all. Rows have no checksums: who flips a byte of pixels, a letter of a name or a digit gets another
answer.
"""

import collections
import contextlib
import dataclasses
import hashlib
import io
import json
import random
import re
import shutil
import sqlite3
import sys
import tempfile
import traceback
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lrfr_tf.cli.gallery import audit, backup, check, export, forget, list_, merge, show, subject_export
from lrfr_tf.gallery import kept_file
from lrfr_tf.gallery.audit import confirm, note_decisions
from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.gallery.people import People
from lrfr_tf.gallery.references import Reference
from lrfr_tf.gallery.store import Store
from lrfr_tf.main import run
from lrfr_tf.recognition.calibration import DecisionRule
from tests.gallery.ready_people import embedding_of, like, new_people, references

RANDOM_IDS = re.compile(r"\b[0-9a-f]{16}\b")


def jpeg(number: int) -> bytes:
    stream = io.BytesIO()
    noise = np.random.default_rng(number).integers(0, 256, (40, 30, 3), np.uint8)
    Image.fromarray(noise).save(stream, "PNG" if number % 2 else "JPEG")
    return stream.getvalue()


def make(path: Path) -> None:
    """Four persons with all there is to references, one who was forgotten, one who was merged, decisions, copies."""
    people = new_people(path)
    for fact, value in (("purpose", "a test"), ("legal_basis", "made by code"), ("audit_days", 365)):
        with people.store.writing() as change:
            change.set_fact(fact, value)
    for number, name in enumerate(("Ada", "Eve", "Grace", "Mary", "Zoe")):
        people.add(name, [
            Reference(
                like(number + 1, photo), 20.0 + 30 * photo, 0.97, 12.5, 0.25, 2**62 + photo,
                np.arange(10, dtype=np.float32).reshape(5, 2), (1.0, 2.0, 9.5, 15.0), f"{number}{photo}" * 32,
                f"{name}/{photo}.jpg", ("small",), jpeg(10 * number + photo),
            )
            for photo in range(3)
        ])  # fmt: skip
    people.add("Joan", references(40, 2))
    people.add("Pia", references(41, 2))
    people.backup(path.with_name("before.db"))
    path.with_name("before.db").unlink()
    people.forget("Pia")
    people.merge("Joan", "Mary")
    people.set_end("2090-05-01", person="Grace")
    people.set_end("2091-05-01", reference=people.references("Ada")[0].id)
    people.set_aside(people.references("Zoe")[0].id, "too dark")
    store = people.store
    (decision,) = note_decisions(store, store.changes(), [(1, "known", 0.9, 0.5)], "me")
    confirm(store, decision, "you")
    people.close()


def flip_bytes(path: Path, dice: random.Random) -> str:
    data = bytearray(path.read_bytes())
    places = [dice.randrange(len(data)) for _ in range(dice.choice((1, 1, 4, 30, 300)))]
    for place in places:
        data[place] ^= dice.randrange(1, 256)
    path.write_bytes(data)
    return f"{len(places)} bytes flipped, first {places[0]}"


def spoil_page(path: Path, dice: random.Random) -> str:
    data = bytearray(path.read_bytes())
    page = dice.randrange(len(data) // 8192)
    filling = dice.choice((bytes(8192), b"\xff" * 8192, dice.randbytes(8192), bytes(data[:8192])))
    begin = dice.choice((0, dice.randrange(8192)))
    data[page * 8192 + begin : (page + 1) * 8192] = filling[begin:]
    path.write_bytes(data)
    return f"page {page} spoiled from {begin}"


def truncate(path: Path, dice: random.Random) -> str:
    data = path.read_bytes()
    length = dice.choice((dice.randrange(len(data)), 8192 * dice.randrange(len(data) // 8192)))
    path.write_bytes(data[:length])
    return f"cut to {length}"


def alter_rows(path: Path, dice: random.Random) -> str:
    """Puts something impossible into a column, by whatever means SQLite lets it in."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for setting in ("foreign_keys = OFF", "ignore_check_constraints = ON", "writable_schema = ON"):
            connection.execute(f"PRAGMA {setting}")
        what = _alter(connection, dice)
    except sqlite3.Error as error:
        what = f"nothing ({error})"
    finally:
        connection.close()
    return what


def _alter(connection: sqlite3.Connection, dice: random.Random) -> str:
    deeds: list[tuple[str, tuple]] = [
        ("DELETE FROM persons WHERE number = 2", ()),
        ("UPDATE reference SET person = 999 WHERE number = 4", ()),
        ("UPDATE picture SET reference = 999 WHERE reference = 4", ()),
        ("DELETE FROM fact WHERE name = ?", (dice.choice(("changes", "dimensions", "checksum", "embedder", "model")),)),
        ("UPDATE fact SET value = ? WHERE name = ?",
         (dice.choice((None, "many", b"\xff", -3, 2.5, 10**12, "")), dice.choice(("changes", "dimensions")))),
        ("UPDATE fact SET value = ? WHERE name = ?", (dice.choice((None, b"\xff", 2.5)), "checksum")),
        ("UPDATE fact SET value = ? WHERE name = 'audit_days'", (dice.choice(("many", b"\xff", -3, 0)),)),
        ("UPDATE fact SET value = ? WHERE name = 'purpose'", (dice.choice((b"\xff", 7, None)),)),
        (f"DROP TABLE {dice.choice(('picture', 'audit', 'gone', 'copies', 'reference'))}", ()),
        (f"DROP INDEX {dice.choice(('reference_person', 'persons_changed', 'gone_changed', 'audit_person'))}", ()),
        ("ALTER TABLE reference DROP COLUMN blur", ()),
        ("DELETE FROM sqlite_master WHERE name = 'reference_person'", ()),
        ("UPDATE sqlite_master SET sql = replace(sql, 'persons (number)', 'people (number)')", ()),
        ("UPDATE sqlite_sequence SET seq = ? WHERE name = ?",
         (dice.choice((0, "many", 2**63 - 1, None)), dice.choice(("persons", "reference")))),
        ("UPDATE gone SET merged_into = id", ()),
        ("UPDATE gone SET day = ?", (dice.choice(("someday", 7, b"\xff", "")),)),
        ("UPDATE gone SET changed = ?", (dice.choice(("x", b"\xff", 2.5)),)),
        ("UPDATE copies SET at = ?", (dice.choice((7, b"\xff", "yesterday")),)),
        ("UPDATE copies SET persons = ?", (dice.choice(("many", b"\xff", -1)),)),
        ("UPDATE copies SET kind = ?", (dice.choice((7, b"\xff", "theft")),)),
        ("UPDATE picture SET data = ? WHERE reference = 4",
         (dice.choice(("text", 7, b"", b"no picture", b"\xff\xd8\xff\xe0")),)),
        ("UPDATE reference SET embedding = ? WHERE number = 4",
         (dice.choice((b"", bytes(3), bytes(64), bytes(128), b"\xff" * 128, "text", 7, 3 * embedding_of(1).tobytes(),
                       (3 * embedding_of(1)).tobytes(), np.full(32, np.nan, np.float32).tobytes())),)),
        ("UPDATE reference SET landmarks = ? WHERE number = 4",
         (dice.choice((bytes(3), "text", 7, bytes(80), b"\xff" * 40)),)),
        ("UPDATE reference SET box = ? WHERE number = 4",
         (dice.choice((bytes(3), "text", 7, bytes(80), b"\xff" * 16)),)),
        ("UPDATE reference SET codes = ? WHERE number = 4", (dice.choice((b"\xff", '{"a": [', "\x1b[2J")),)),
        ("UPDATE reference SET height = ? WHERE number = 4", (dice.choice(("tall", b"\xff", -5, float("inf"))),)),
        ("UPDATE reference SET state = ? WHERE number = 4", (dice.choice(("", "Active", 7, b"active")),)),
        ("UPDATE reference SET by_hand = ? WHERE number = 4", (dice.choice(("yes", 7, b"\xff")),)),
        ("UPDATE reference SET id = ? WHERE number = 4", (dice.choice(("", 7, b"\xff", "\x1b[2J", "../../x")),)),
        ("UPDATE reference SET enrolled = ? WHERE number = 4",
         (dice.choice(("", 7, b"\xff", "0000-99-99T99:99", "now")),)),
        (f"UPDATE {dice.choice(('reference', 'persons'))} SET expires = ? WHERE number = 1",
         (dice.choice(("", 7, b"\xff", "tomorrow", "2027-02-31", "99999-01-01", "2027-1-1")),)),
        ("UPDATE persons SET created = ? WHERE number = 1",
         (dice.choice(("", 7, b"\xff", "yesterday", "2027-13-01T00:00:00+00:00")),)),
        ("UPDATE persons SET changed = ? WHERE number = 1", (dice.choice(("x", b"\xff", -1, 2.5)),)),
        ("UPDATE persons SET name = ? WHERE number = 1",
         (dice.choice(("", " ", " Ada", "a\x00b", "a\nb", 7, b"\xff", b"Ada", "x" * 300, "A\u030a")),)),
        ("UPDATE persons SET id = ? WHERE number = 1", (dice.choice(("", 7, b"\xff", "Ada", "\x1b[2J")),)),
        ("UPDATE audit SET at = ? WHERE number = 3", (dice.choice(("", 7, b"\xff", "yesterday")),)),
        ("UPDATE audit SET score = ?, threshold = ?", (dice.choice(("high", b"\xff")), 0.5)),
        ("UPDATE audit SET what = ? WHERE number = 3", (dice.choice((b"\xff", 7, "")),)),
        ("UPDATE audit SET person = ? WHERE number = 3", (dice.choice((b"\xff", "", "Ada")),)),
        ("UPDATE audit SET decided = ? WHERE number = 3", (dice.choice((b"\xff", "x", -1)),)),
        ("UPDATE audit SET changes = ? WHERE number = 3", (dice.choice((b"\xff", "x", -1)),)),
        ("UPDATE audit SET decision = 'perhaps' WHERE decision IS NOT NULL", ()),
    ]  # fmt: skip
    if dice.random() < 0.2:  # whatever is not to be empty, by a schema that allows it
        table, column = dice.choice((("persons", "name"), ("persons", "id"), ("persons", "changed"),
                                     ("persons", "created"), ("reference", "embedding"), ("reference", "state"),
                                     ("reference", "height"), ("reference", "id"), ("reference", "codes"),
                                     ("picture", "data"), ("audit", "at"), ("audit", "what"), ("copies", "persons"),
                                     ("gone", "day")))  # fmt: skip
        ((sql,),) = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchall()
        spoiled = re.sub(rf"(\b{column} \w+) NOT NULL", r"\1", sql)
        set_sql = "UPDATE sqlite_master SET sql = ? WHERE name = ?"
        connection.execute(set_sql, (spoiled, table))
        ((version,),) = connection.execute("PRAGMA schema_version").fetchall()
        connection.execute(f"PRAGMA schema_version = {version + 1}")
        other = sqlite3.connect(connection.execute("PRAGMA database_list").fetchall()[0][2], isolation_level=None)
        other.execute("PRAGMA writable_schema = ON")
        other.execute(f"UPDATE {table} SET {column} = NULL WHERE rowid IN (SELECT rowid FROM {table} LIMIT 1)"
                      if table not in ("gone", "copies") else f"UPDATE {table} SET {column} = NULL")  # fmt: skip
        other.execute(set_sql, (sql, table))
        other.execute(f"PRAGMA schema_version = {version + 2}")
        other.close()
        return f"{table}.{column} is NULL"
    statement, values = dice.choice(deeds)
    done = connection.execute(statement, values).rowcount
    return f"{statement} {values!r:.60} ({done})"


DAMAGES: dict[str, Callable[[Path, random.Random], str]] = {
    "bytes": flip_bytes, "page": spoil_page, "cut": truncate, "rows": alter_rows
}  # fmt: skip


def called(module: Any, *words: str) -> Callable[[Path], Any]:
    """A verb of the command line; answers (what it prints)."""

    def call(path: Path) -> Any:
        out = io.StringIO()
        arguments = [module.__name__, f"--gallery={path}", *(word.replace("{}", str(path.parent)) for word in words)]
        with contextlib.redirect_stdout(out):
            run(module.main, module.Config, arguments)
        return RANDOM_IDS.sub("id", out.getvalue().replace(str(path.parent), ""))

    return call


def of_zip(path: Path) -> Any:
    """What an archive holds, but for what is new in each: ids and times of the archive itself."""
    with zipfile.ZipFile(path) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    found.pop("manifest.json", None)
    if "about.json" in found:
        about = json.loads(found["about.json"])
        about["audit"] = [row for row in about["audit"] if row["what"] != "subject_export"]
        found["about.json"] = json.dumps(about).encode()
    return {name: hashlib.sha256(data).hexdigest() for name, data in found.items()}


def content(path: Path) -> Any:
    """All rows but the audit and the copies; those have random ids and times of their own."""
    connection = sqlite3.connect(path)
    try:
        tables = ("persons", "reference", "picture", "gone")
        return {table: connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in tables}
    except sqlite3.Error as error:
        return {table: [(str(error),) * 3] for table in tables}  # beside what the verb read and wrote
    finally:
        connection.close()


def exported(path: Path) -> Any:
    called(export, "--output={}/out.zip")(path)
    return of_zip(path.parent / "out.zip")


def handed_out(path: Path) -> Any:
    called(subject_export, "--person=Ada", "--output={}/out.zip")(path)
    return of_zip(path.parent / "out.zip")


def backed_up(path: Path) -> Any:
    called(backup, "--output={}/out.db")(path)
    return content(path.parent / "out.db")


def sheet(path: Path) -> Any:
    called(show, "--person=Ada", "--output={}/out.png")(path)
    return hashlib.sha256((path.parent / "out.png").read_bytes()).hexdigest()


def checked_page(path: Path) -> Any:
    out = called(check, "--threshold=0.5", "--output={}/out.html")(path)
    return out, hashlib.sha256((path.parent / "out.html").read_bytes()).hexdigest()


def merged(path: Path) -> Any:
    out = called(merge, "--person=Eve", "--into=Ada")(path)
    return out, _without_counters(content(path))


def forgotten(path: Path) -> Any:
    out = called(forget, "--person=Ada")(path)
    return out, _without_counters(content(path))


def enrolled(path: Path) -> Any:
    def add(config: Any) -> None:
        people = People(Store(path))
        try:
            people.add("Ada", [Reference(embedding_of(77), 50.0, id="7" * 16, enrolled="2026-11-30T12:00:00+00:00")])
        finally:
            people.close()

    run(add, list_.Config, ["add", f"--gallery={path}"])
    return _without_counters(content(path))


def identified(path: Path) -> Any:
    answers: list = []

    def match(config: Any) -> None:
        gallery = Gallery.open(path, rule=DecisionRule(threshold=0.5))
        try:
            found = gallery.match(np.stack([like(number + 1, 9) for number in range(5)]))
            answers.extend((one.name, [(name, round(score, 6)) for name, score in one.candidates]) for one in found)
        finally:
            gallery.close()

    run(match, list_.Config, ["identify", f"--gallery={path}"])
    return answers


def _without_counters(found: Any) -> Any:
    found["persons"] = [row[:5] for row in found["persons"]]
    found["gone"] = sorted((row[0], row[2]) for row in found["gone"])
    return found


VERBS: dict[str, Callable[[Path], Any]] = {
    "list": called(list_, "--format=json"),
    "list table": called(list_),
    "show": called(show, "--person=Ada"),
    "show json": called(show, "--person=Ada", "--format=json"),
    "sheet": sheet,
    "check": called(check, "--threshold=0.5"),
    "check page": checked_page,
    "audit": called(audit),
    "audit json": called(audit, "--format=json"),
    "audit of Ada": called(audit, "--person=Ada"),
    "identify": identified,
    "export": exported,
    "backup": backed_up,
    "subject_export": handed_out,
    "merge": merged,
    "forget": forgotten,
    "enroll": enrolled,
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a verb did: kind is "right", "refused", "wrong" or "traceback"; `text` says more of the last two."""

    kind: str
    text: str = ""


def outcome_of(verb: str, path: Path, right: Any) -> Outcome:
    """Lets a verb answer about a file that is damaged."""
    before = {one.name for one in path.parent.iterdir()} | {"people.db-wal", "people.db-shm"}
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            answer = VERBS[verb](path)
    except SystemExit as stopped:
        text = said.getvalue()
        left = {one.name for one in path.parent.iterdir()} - before
        if stopped.code != 2 or text.count("error: ") != 1 or text.count("\n") != 1 or left:
            return Outcome("wrong", f"code {stopped.code}, {text!r}, left {left}")
        return Outcome("refused", text)
    except BaseException:  # noqa: BLE001
        return Outcome("traceback", traceback.format_exc())
    return Outcome("right") if answer == right else Outcome("wrong", f"{answer!r:.300}")


def outcomes(
    source: Path, folder: Path, kind: str, seed: int, right: dict[str, Any]
) -> Iterator[tuple[str, str, Outcome]]:
    """Damages a file once, and asks all verbs about it: (verb, damage, outcome) each."""
    damaged = folder / "damaged.db"
    shutil.copy(source, damaged)
    what = DAMAGES[kind](damaged, random.Random(seed))
    for ending in ("-wal", "-shm"):
        damaged.with_name(damaged.name + ending).unlink(missing_ok=True)
    for verb in VERBS:
        yield verb, what, outcome_of(verb, _copy(damaged, folder), right[verb])
    damaged.unlink()


def right_answers(source: Path, folder: Path) -> dict[str, Any]:
    """What each verb answers about the file before it is damaged."""
    with contextlib.redirect_stderr(io.StringIO()):
        return {verb: ask(_copy(source, folder)) for verb, ask in VERBS.items()}


def _copy(source: Path, folder: Path) -> Path:
    shutil.rmtree(folder / "one", ignore_errors=True)
    (folder / "one").mkdir()
    return Path(shutil.copy(source, folder / "one" / "people.db"))


def main() -> None:
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    if "large" in sys.argv:
        kept_file.LOOKED_THROUGH = 0
    kinds = collections.Counter[str]()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder / "sound.db")
        right = right_answers(folder / "sound.db", folder)
        seen = set()
        for number in range(count):
            kind = list(DAMAGES)[number % len(DAMAGES)]
            for verb, what, outcome in outcomes(folder / "sound.db", folder, kind, seed + number, right):
                kinds[f"{kind}: {outcome.kind}"] += 1
                if outcome.kind in ("wrong", "traceback"):
                    key = (outcome.kind, verb, what)
                    if key not in seen:
                        seen.add(key)
                        print(
                            f"--- {number} {kind}: {what}\n{verb}: {outcome.kind}\n{outcome.text[-700:]}",
                            file=sys.stderr,
                        )
    print(json.dumps(kinds))


if __name__ == "__main__":
    main()

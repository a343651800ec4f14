"""`lrfr gallery`: people in a file, as the command line has them."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.cli import command
from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json
from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.gallery.people import People
from lrfr_tf.gallery.references import Reference
from lrfr_tf.gallery.store import Store
from lrfr_tf.images.decode import read_image, write_png
from lrfr_tf.recognition.calibration import write_calibration
from lrfr_tf.recognition.recognizer import Recognizer
from tests.faces_by_code import person
from tests.gallery.ready_people import new_people, references
from tests.strangers_by_code import strangers
from tests.tools.small_embedders import write_small_embedder

ROOT = Path(__file__).parents[2]
Lrfr = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("embedders") / "small"
    version = write_small_embedder(folder / "1", dimensions=192)
    write_calibration(folder, read_json(version / "model.json"), strangers(start=-0.6), {})
    return folder


@pytest.fixture
def lrfr(capfd: pytest.CaptureFixture[str]) -> Lrfr:
    """A command of `lrfr`: (exit code, what it prints, what it says on stderr)."""

    def call(*words: str | Path) -> tuple[int, str, str]:
        capfd.readouterr()
        code = 0
        try:
            command.main([str(word) for word in words])
        except SystemExit as stopped:
            code = int(str(stopped.code))
        out, said = capfd.readouterr()
        return code, out, said

    return call


@pytest.fixture(scope="module")
def enrolled(embedder: Path, photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gallery of the four persons, with three photos each. Read only: copy it to change it."""
    folder = tmp_path_factory.mktemp("galleries")
    for name in ("1", "2", "3", "10"):
        (folder / "people" / name).mkdir(parents=True)
        for photo in sorted((photos / name).iterdir())[:3]:
            shutil.copy(photo, folder / "people" / name)
    with Gallery.create(folder / "people.db", embedder, purpose="a test", legal_basis="made by code") as gallery:
        answers = gallery.enroll_folder(folder / "people", "off")  # made by code: they are nearly one picture
    assert [answer.verdict for answer in answers] == ["accepted"] * 12
    return folder / "people.db"


@pytest.fixture
def people(enrolled: Path, tmp_path: Path) -> Path:
    return shutil.copy(enrolled, tmp_path / "people.db")


def test_from_an_empty_folder_to_a_name(
    lrfr: Lrfr, embedder: Path, photos: Path, portrait: np.ndarray, tmp_path: Path
) -> None:
    gallery = f"--gallery={tmp_path / 'people.db'}"
    code, out, said = lrfr("gallery", "create", gallery, f"--embedder={embedder}")
    assert (code, "biometric data" in said) == (0, True)
    shutil.copytree(photos / "1", tmp_path / "people" / "ada")
    code, out, said = lrfr("identify", gallery, f"--image={tmp_path / 'people' / 'ada' / '00.png'}")
    assert (code, "unknown" in out, "has nobody in force, so nobody is named" in said) == (0, True, True)
    write_png(tmp_path / "people" / "ada" / "wall.png", np.full((90, 90, 3), 128, np.uint8))
    (tmp_path / "people" / "ada" / "broken.jpg").write_text("this is text")
    code, out, said = lrfr("gallery", "enroll", gallery, f"--folder={tmp_path / 'people'}", "--format=json")
    answers = {answer["photo"]: answer for answer in map(json.loads, out.splitlines())}
    assert code == 0
    assert answers["ada/00.png"]["verdict"] == "accepted"
    assert answers["ada/wall.png"]["codes"] == ["no_face"]
    assert answers["ada/broken.jpg"]["codes"] == ["unreadable"]
    assert "broken.jpg" in answers["ada/broken.jpg"]["sentence"]
    assert "accepted: 3\n" in said
    assert "rejected: 4 (unreadable 1, no_face 1, duplicate 2)" in said  # made by code: nearly one picture
    code, out, said = lrfr("gallery", "enroll", gallery, f"--folder={tmp_path / 'people'}")
    assert code == 0
    assert "duplicate 5" in out  # nothing is stored twice
    image = tmp_path / "grace.png"
    write_png(image, person(portrait, 2, 7))
    assert lrfr("gallery", "enroll", gallery, "--person=grace", f"--image={image}")[0] == 0
    code, out, _ = lrfr("gallery", "list", gallery, "--format=json")
    assert [(one["name"], one["references"]) for one in json.loads(out)["persons"]] == [("ada", 3), ("grace", 1)]
    write_png(tmp_path / "photo.png", person(portrait, 2, 50))
    code, out, said = lrfr(
        "identify", gallery, f"--image={tmp_path / 'photo.png'}", "--format=json", "--audit", "--who=me"
    )
    answer = json.loads(out)
    assert (answer["faces"][0]["name"], answer["decided_by"]["persons"]) == ("grace", 2)
    assert "kept" not in said
    code, out, _ = lrfr("gallery", "audit", gallery, "--person=grace", "--format=json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert [(row["what"], row.get("decision"), row.get("who")) for row in rows][1:] == [("decision", "known", "me")]
    number = answer["faces"][0]["record"]
    assert number == rows[1]["number"]
    code, out, _ = lrfr("identify", gallery, f"--image={tmp_path / 'photo.png'}", "--audit")
    assert "  decision  next best" in out.splitlines()[0]
    assert f"{number + 1:>8}  ada" in out.splitlines()[1]  # what `confirm` takes
    confirm = ("gallery", "confirm", gallery, f"--decision={number}")
    assert "is confirmed: 1 of 1" in lrfr(*confirm, "--who=Keller")[1]
    assert "is refuted" in lrfr(*confirm, "--who=Meier", "--refute")[1]
    assert lrfr(*confirm, "--who=Meier")[0] == 2
    code, out, _ = lrfr("gallery", "forget", gallery, "--person=grace")
    assert (code, rows[0]["person"] in out) == (0, True)
    code, out, _ = lrfr("identify", gallery, f"--image={tmp_path / 'photo.png'}", "--format=json")
    assert json.loads(out)["faces"][0]["names"][0]["name"] == "ada"


def test_a_folder_still_works_and_offers_to_be_kept(
    lrfr: Lrfr, embedder: Path, photos: Path, enrolled: Path, portrait: np.ndarray, tmp_path: Path
) -> None:
    write_png(tmp_path / "photo.png", person(portrait, 3, 50))
    ask = ("identify", f"--image={tmp_path / 'photo.png'}", f"--embedder={embedder}", "--format=json")
    _, out, said = lrfr(*ask, f"--gallery={enrolled.parent / 'people'}")
    assert "lrfr gallery create" in said
    _, of_file, said = lrfr(*ask, f"--gallery={enrolled}")
    assert "lrfr gallery create" not in said
    by_folder, by_file = (json.loads(text)["faces"][0] for text in (out, of_file))
    assert by_folder["name"] == by_file["name"] == "10"
    for one, other in zip(by_folder["names"], by_file["names"], strict=True):
        assert one["name"] == other["name"]
        assert one["score"] == pytest.approx(other["score"], abs=1e-5)
    (tmp_path / "named" / "a\nb").mkdir(parents=True)
    shutil.copy(tmp_path / "photo.png", tmp_path / "named" / "a\nb")
    code, out, said = lrfr(*ask, f"--gallery={tmp_path / 'named'}")
    assert (code, out) == (2, "")
    assert r"'a\nb' is no name for a person" in said
    code, _, said = lrfr(*ask, f"--gallery={photos}", "--audit")
    assert (code, "--gallery is none" in said) == (2, True)


def test_another_network_is_refused_and_pictures_are_embedded_anew(
    lrfr: Lrfr, people: Path, embedder: Path, portrait: np.ndarray, tmp_path: Path
) -> None:
    other = write_small_embedder(tmp_path / "other" / "2", name="other", version=2, dimensions=192)
    write_calibration(tmp_path / "other", read_json(other / "model.json"), strangers(start=-0.6), {})
    gallery = f"--gallery={people}"
    write_png(tmp_path / "photo.png", person(portrait, 1, 50))
    code, _, said = lrfr("identify", gallery, f"--image={tmp_path / 'photo.png'}", f"--embedder={other.parent}")
    assert code == 2
    assert "other-2" in said
    assert "lrfr gallery migrate embeds the stored pictures" in said
    (tmp_path / "other" / "calibration.json").unlink()  # without one it is refused for the same reason
    said = lrfr("identify", gallery, f"--image={tmp_path / 'photo.png'}", f"--embedder={other.parent}")[2]
    assert "lrfr gallery migrate embeds the stored pictures" in said
    before = {one.id: one.embedding for one in People(Store(people)).references()}
    code, out, said = lrfr("gallery", "migrate", gallery, f"--model={embedder}")
    assert (code, out.startswith("12 references are embedded")) == (0, True), said
    after = {one.id: one.embedding for one in People(Store(people)).references()}
    assert min(float(before[id] @ after[id]) for id in before) >= 0.99
    # Another process that decides with the old network meanwhile is refused, not wrong.
    old = Gallery.open(people, Recognizer(str(embedder)))
    (face,) = old.recognizer.take([person(portrait, 1, 50)])
    assert old.identify(face).candidates[0].name in ("1", "2", "3", "10")
    code, out, _ = lrfr("gallery", "migrate", gallery, f"--model={other.parent}")
    assert code == 0
    assert "other-2" in out
    with pytest.raises(UserError, match="embedded by other-2"):
        old.identify(face)
    assert People(Store(people)).identity.model == str(tmp_path / "other")


def test_what_a_rule_set_aside_is_judged_anew_with_another_network(lrfr: Lrfr, people: Path, embedder: Path) -> None:
    kept = People(Store(people))
    by_rule, by_hand, expired = [one.id for one in kept.references()[:3]]
    aside = "UPDATE reference SET state = 'set_aside', reason = 'Its similarity is low.' WHERE id = ?"
    kept.store.connection.execute(aside, (by_rule,))
    kept.set_aside(by_hand, "not she")
    kept.set_end("2020-01-31", reference=expired)
    kept.expire()
    assert lrfr("gallery", "migrate", f"--gallery={people}", f"--model={embedder}")[0] == 0
    states = {one.id: one.state for one in kept.references()}
    assert [states[one] for one in (by_rule, by_hand, expired)] == ["active", "set_aside", "set_aside"]


def test_references_without_a_picture_are_listed(lrfr: Lrfr, people: Path, embedder: Path) -> None:
    kept = People(Store(people))
    kept.store.connection.execute("DELETE FROM picture WHERE reference <= 2")
    code, out, said = lrfr("gallery", "migrate", f"--gallery={people}", f"--model={embedder}")
    assert code == 2
    assert "2 references have no stored picture" in said
    assert [line.split()[0] for line in out.splitlines()] == [one.id for one in kept.references()[:2]]
    assert len(kept.references()) == 12
    code, out, _ = lrfr("gallery", "migrate", f"--gallery={people}", f"--model={embedder}", "--drop")
    assert (code, "2 were removed" in out) == (0, True)
    assert len(kept.references()) == 10


def test_a_person_is_shown_checked_and_handed_out(lrfr: Lrfr, people: Path, tmp_path: Path) -> None:
    gallery = f"--gallery={people}"
    code, out, _ = lrfr("gallery", "show", gallery, "--person=10", f"--output={tmp_path / '10.png'}")
    assert code == 0
    assert out.count("active") == 3
    assert read_image(tmp_path / "10.png").shape == (172, 416, 3)
    assert "legal basis: made by code" in lrfr("gallery", "list", gallery)[1]
    assert lrfr("gallery", "subject_export", gallery, "--person=10", f"--output={tmp_path / '10.zip'}")[0] == 0
    assert len(zipfile.ZipFile(tmp_path / "10.zip").namelist()) == 4
    code, out, _ = lrfr("gallery", "check", gallery, "--threshold=0.5", f"--output={tmp_path / 'check.html'}")
    assert code == 0
    assert "fewer than 30" in out
    assert (tmp_path / "check.html").read_text().count("<img") > 3
    page, sheet = f"--output={tmp_path / 'again.html'}", f"--output={tmp_path / '10.png'}"
    code, out, said = lrfr("gallery", "check", gallery, "--threshold=0.5", "--format=json", page)
    assert json.loads(out)["persons"] == 4
    assert "again.html is written" in said
    out = lrfr("gallery", "show", gallery, "--person=10", "--format=json", sheet, "--overwrite")[1]
    assert len(json.loads(out)) == 3
    assert (tmp_path / "10.png").is_file()


def test_no_output_takes_the_place_of_a_file_unless_it_is_said(lrfr: Lrfr, people: Path, tmp_path: Path) -> None:
    gallery = f"--gallery={people}"
    for words, name, start in (
        (("show", "--person=10"), "10.png", b"\x89PNG"),
        (("check", "--threshold=0.5"), "check.html", b"<!doctype"),
        (("export",), "all.zip", b"PK"),
        (("subject_export", "--person=10"), "10.zip", b"PK"),
        (("backup",), "copy.db", b"SQLite"),
    ):
        path = tmp_path / name
        path.write_text("mine")
        code, out, said = lrfr("gallery", *words, gallery, f"--output={path}")
        assert (code, out, said) == (2, "", f"error: {path} exists already; --overwrite replaces it.\n")
        assert path.read_text() == "mine"
        assert lrfr("gallery", *words, gallery, f"--output={path}", "--overwrite")[0] == 0
        assert path.read_bytes().startswith(start)
        assert path.stat().st_mode & 0o777 == 0o600  # names and faces
        code, _, said = lrfr("gallery", *words, gallery, f"--output={people}", "--overwrite")
        assert (code, said.count("\n")) == (2, 1)
        if name != "copy.db":
            other = path.with_suffix(".xyz")
            code, out, said = lrfr("gallery", *words, gallery, f"--output={other}")
            assert (code, out) == (2, "")
            assert said == f"error: --output={other} is written as a file *{path.suffix}, and should be called so.\n"
            assert not other.exists()
    assert len(People(Store(people)).persons()) == 4


def test_one_is_one(lrfr: Lrfr, tmp_path: Path) -> None:
    people = new_people(tmp_path / "people.db")
    people.add("Ada", references(1, 1))
    people.close()
    gallery = f"--gallery={tmp_path / 'people.db'}"
    assert "1 person, 1 reference, 0 set aside." in lrfr("gallery", "check", gallery, "--threshold=0.5")[1]
    assert "1 person, export" in lrfr("gallery", "export", gallery, f"--output={tmp_path / 'a.zip'}")[1]
    new_people(tmp_path / "other.db").close()
    done = lrfr("gallery", "import", f"--gallery={tmp_path / 'other.db'}", f"--file={tmp_path / 'a.zip'}")[1]
    assert done == "1 person and 1 reference are new.\n"
    (only,) = People(Store(tmp_path / "people.db")).references()
    assert lrfr("gallery", "move", gallery, f"--reference={only.id}", "--to=Eve")[1] == "1 reference is of Eve now.\n"
    lrfr("gallery", "expire", gallery, "--person=Eve", "--on=2000-01-01")
    lrfr("gallery", "expire", gallery)
    done = lrfr("gallery", "expire", gallery, "--person=Eve")[1]
    assert done == "Eve: no end; 1 reference is in force again.\n"
    assert "Forgotten, with 1 reference;" in lrfr("gallery", "forget", gallery, "--person=Eve")[1]


def test_pixels_are_kept_only_if_wanted(lrfr: Lrfr, embedder: Path, photos: Path, tmp_path: Path) -> None:
    gallery = tmp_path / "people.db"
    lrfr("gallery", "create", f"--gallery={gallery}", f"--embedder={embedder}", "--no_crops")
    lrfr("gallery", "enroll", f"--gallery={gallery}", "--person=a", f"--image={photos / '1' / '00.png'}")
    (only,) = People(Store(gallery)).references()
    assert People(Store(gallery)).picture(only.id) is None
    code, _, said = lrfr("gallery", "show", f"--gallery={gallery}", "--person=a", f"--output={tmp_path / 'a.png'}")
    assert (code, (tmp_path / "a.png").exists()) == (2, False)
    assert "No picture of these references is stored" in said


def test_what_is_wrong_is_one_sentence(lrfr: Lrfr, people: Path, tmp_path: Path) -> None:
    gallery = f"--gallery={people}"
    (tmp_path / "text.db").write_text("this is text, longer than a header is")
    new_people(tmp_path / "empty.db").close()
    before = People(Store(people)).persons()
    for words, sentence in (
        (("list", "--gallery=nowhere.db"), "nowhere.db is missing"),
        (("list", f"--gallery={tmp_path / 'text.db'}"), "is not a gallery"),
        (("create", gallery), "exists already"),
        (("create", "--gallery=new.db", "--embedder=nobody"), "'nobody' is not known"),
        (("enroll", gallery), "Give --folder, or --person with --image"),
        (("enroll", gallery, "--person=a"), "Give --folder, or --person with --image"),
        (("enroll", gallery, "--person=a", "--image=none.png"), "none.png does not exist"),
        (("enroll", gallery, "--person=a", f"--image={tmp_path}"), f"{tmp_path} is a folder; photos of a are given"),
        (("enroll", gallery, f"--folder={tmp_path / 'none'}"), "does not exist"),
        (("rename", gallery, "--person=1", "--to=2"), "a person '2' already"),
        (("forget", gallery, "--person=Eve"), "no person 'Eve'"),
        (("set_aside", gallery, "--reference=ffff"), "no reference 'ffff'"),
        (("expire", gallery, "--person=1", "--on=tomorrow"), "'tomorrow' is no day"),
        (("expire", gallery, "--on=2027-01-01"), "--on is the last day of a --person"),
        (("import", gallery, "--file=none.zip"), "none.zip is missing"),
        (("import", gallery, f"--file={tmp_path}"), f"{tmp_path} is a folder, and no export"),
        (("migrate", gallery, "--model=nobody"), "'nobody' is not known"),
        (("check", f"--gallery={tmp_path / 'empty.db'}"), "holds nobody yet"),
    ):
        code, out, said = lrfr("gallery", *words)
        last = said.strip().splitlines()[-1]
        assert (code, out) == (2, ""), words
        assert sentence in last
        assert last.startswith("error: ")
    assert People(Store(people)).persons() == before
    assert not Path("new.db").exists()


def test_json_can_be_read_whatever_the_names_and_the_encoding(lrfr: Lrfr, tmp_path: Path) -> None:
    people = new_people(tmp_path / "people.db")
    people.add("Zo\u00eb \u6797", references(1, 2))
    people.close()
    gallery = f"--gallery={tmp_path / 'people.db'}"
    for words in (("list",), ("show", "--person=Zo\u00eb \u6797"), ("check", "--threshold=0.5")):
        code, out, _ = lrfr("gallery", *words, gallery, "--format=json")
        assert code == 0
        assert out.isascii()  # stdout escapes what its encoding lacks, in a way that JSON does not know
        assert json.loads(out)


def test_names_do_not_steer_the_terminal(lrfr: Lrfr, tmp_path: Path) -> None:
    people = new_people(tmp_path / "people.db")
    people.add("\u202eada", [dataclasses.replace(references(1, 1)[0], source_name="a/\x1b[2J.png")])
    people.add("Eve", references(2, 2))
    people.close()
    gallery = f"--gallery={tmp_path / 'people.db'}"
    for words in (
        ("list",),
        ("show", "--person=\u202eada"),
        ("check", "--threshold=0.5"),
        ("expire", "--person=\u202eada", "--on=2000-01-01"),
        ("expire",),
        ("rename", "--person=\u202eada", "--to=ada\u202e"),
        ("merge", "--person=Eve", "--into=ada\u202e"),
    ):
        code, out, _ = lrfr("gallery", *words, gallery)
        assert code == 0
        assert not {"\x1b", "\u202e"} & set(out)
        assert "\\x1b" in out or "\\u202e" in out


def test_what_needs_no_network_loads_no_tensorflow(tmp_path: Path) -> None:
    people = new_people(tmp_path / "people.db")
    write_png(tmp_path / "face.png", np.zeros((9, 9, 3), np.uint8))
    shown = Reference(references(1, 1)[0].embedding, 60.0, picture=(tmp_path / "face.png").read_bytes())
    people.add("Ada", [shown, *references(1, 1)])
    people.add("Eve", references(2, 2))
    people.close()
    script = (
        "import sys\nfrom lrfr_tf.cli.command import main\n"
        "for words in (line.split() for line in sys.stdin):\n"
        "    try:\n        main(['gallery', words[0], '--gallery=people.db', *words[1:]])\n"
        "    except SystemExit as stopped:\n        assert stopped.code in (0, None), words\n"
        "    assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules, words\n"
    )
    lines = [
        "list", "show --person=Ada --output=ada.png", "rename --person=Ada --to=Augusta",
        "merge --person=Eve --into=Augusta",
        "expire --person=Augusta --on=2031-01-01", "expire", "audit", "export --output=a.zip", "import --file=a.zip",
        "backup --output=b.db", "subject_export --person=Augusta --output=c.zip", "check --threshold=0.5",
        "forget --person=Augusta", "create --help", "enroll --help",
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", script],
        input="\n".join(lines),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr

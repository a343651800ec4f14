"""Keys: shown once, kept as hashes, revoked at once."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from lrfr_tf.cli import command
from lrfr_tf.errors import UserError
from lrfr_tf.service.keys import ROLES, Keys, keys_beside
from tests.service.conftest import Start


def test_a_key_is_kept_as_a_hash_and_only_its_owner_reads_the_file(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "people.db.keys")
    key, text = keys.create("enroll")
    kept = keys.path.read_text()
    assert text.startswith(f"lrfr_{key.id}_")
    assert text.rpartition("_")[2] not in kept
    assert keys.path.stat().st_mode & 0o077 == 0
    caller = Keys(keys.path).caller(text)
    assert caller is not None
    assert (caller.id, caller.role) == (key.id, "enroll")
    assert [caller.may(role) for role in ROLES] == [True, True, False]


@pytest.mark.parametrize("change", [lambda text: text[:-1] + "x", lambda text: text + "0", lambda text: "", str.upper])
def test_a_wrong_key_is_nobody(tmp_path: Path, change: object) -> None:
    keys = Keys(tmp_path / "keys")
    _, text = keys.create("read")
    assert keys.caller(change(text)) is None  # type: ignore[operator]


def test_revoking_holds_in_what_has_the_file_open(tmp_path: Path) -> None:
    keys, other = Keys(tmp_path / "keys"), Keys(tmp_path / "keys")
    key, text = keys.create("read")
    assert other.caller(text) is not None
    keys.revoke(key.id)
    assert other.caller(text) is None
    assert other.all()[0].revoked is not None
    with pytest.raises(UserError, match="has no key 'nosuch'"):
        keys.revoke("nosuch")


def test_keys_made_at_once_are_all_kept(tmp_path: Path) -> None:
    threads = [threading.Thread(target=Keys(tmp_path / "keys").create, args=("read",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Keys(tmp_path / "keys").all()) == 8


def test_a_damaged_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text('{"schema": 1, "keys": [{"id": "a"}]}')
    with pytest.raises(UserError, match="holds no keys of a service, or is damaged"):
        Keys(tmp_path / "keys").all()


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gallery = tmp_path / "people.db"
    gallery.write_bytes(b"SQLite format 3\0")
    command.main(["key", "create", f"--gallery={gallery}", "--role=admin"])
    text = capsys.readouterr().out.strip()
    keys = Keys(keys_beside(gallery))
    caller = keys.caller(text)
    assert caller is not None
    command.main(["key", "list", f"--gallery={gallery}"])
    out = capsys.readouterr().out
    assert caller.id in out
    assert text not in out
    command.main(["key", "revoke", f"--gallery={gallery}", f"--id={caller.id}"])
    assert keys.caller(text) is None
    with pytest.raises(SystemExit) as stopped:
        command.main(["key", "create", f"--gallery={tmp_path / 'none.db'}", "--role=read"])
    assert stopped.value.code == 2


@pytest.mark.parametrize("words", [["serve"], ["key", "list"], ["key", "revoke", "--id=x"]])
def test_a_named_file_without_keys_is_refused(
    people: Path, tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "no.keys"
    for what in ("is missing", "has no key"):
        with pytest.raises(SystemExit) as stopped:
            command.main([*words, f"--gallery={people}", f"--keys={path}"])
        assert stopped.value.code == 2
        said = capsys.readouterr().err
        how = "lrfr key create with the same --keys makes one."
        assert f"error: --keys={path} {what}; {how}" in said
        path.write_text('{"schema": 1, "keys": []}')


def test_a_link_that_leads_nowhere_is_no_missing_file(people: Path) -> None:
    keys_beside(people).symlink_to(people.with_name("secret.keys"))
    with pytest.raises(UserError, match="people.db.keys is a link that leads nowhere"):
        Keys(keys_beside(people)).are_needed()


def _remove(path: Path) -> None:
    path.unlink()


def _empty(path: Path) -> None:
    path.write_text('{"schema": 1, "keys": []}')


def _damage(path: Path) -> None:
    path.write_text("[" * 100_000)


def _replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_remove, (503, "keys_unreadable")),
        (_damage, (503, "keys_unreadable")),
        (_replace_by_folder, (503, "keys_unreadable")),
        (_empty, (401, "key_missing")),
    ],
)
@pytest.mark.parametrize("begins_with_keys", [True, False])
def test_once_there_were_keys_nobody_comes_in_without_one(
    start: Start,
    tmp_path: Path,
    change: Callable[[Path], None],
    expected: tuple[int, str],
    begins_with_keys: bool,
) -> None:
    path = tmp_path / "people.keys"
    if begins_with_keys:
        _, text = Keys(path).create("admin")
        client, _ = start(Keys(path))
    else:
        client, _ = start(Keys(path))
        assert client.get("/v1/persons").status_code == 200
        _, text = Keys(path).create("admin")

    def outcome(answer: httpx.Response) -> tuple[int, str]:
        return answer.status_code, "" if answer.is_success else answer.json()["error"]["code"]

    own = {"authorization": f"Bearer {text}"}
    assert outcome(client.get("/v1/persons", headers=own)) == (200, "")
    kept = json.loads(path.read_text())
    change(path)
    assert outcome(client.get("/v1/persons")) == expected
    assert outcome(client.get("/v1/persons", headers=own))[0] == expected[0]
    assert outcome(client.get("/v1/health/live")) == (200, "")
    assert outcome(client.get("/v1/health/ready")) == ((200, "") if expected[0] == 401 else expected)
    if path.is_dir():
        path.rmdir()
    path.write_text(json.dumps(kept))
    assert outcome(client.get("/v1/persons", headers=own)) == (200, "")
    assert outcome(client.get("/v1/persons")) == (401, "key_missing")
    assert outcome(client.get("/v1/health/ready")) == (200, "")

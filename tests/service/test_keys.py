"""Keys: shown once, kept as hashes, revoked at once."""

import threading
from pathlib import Path

import pytest

from lrfr_tf.cli import command
from lrfr_tf.errors import UserError
from lrfr_tf.service.keys import ROLES, Keys, keys_beside


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

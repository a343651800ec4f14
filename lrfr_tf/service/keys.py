"""Keys of the service in a file beside the gallery: made once and shown once, kept as hashes, revoked at once.

{"schema": 1, "keys": [{"id", "role", "sha256", "created", "revoked": null or when}, ...]}

A key is "lrfr_<id>_<secret>". Its secret has 256 random bits, so that a plain SHA-256 keeps it.
"""

import contextlib
import fcntl
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from lrfr_tf.errors import UserError
from lrfr_tf.files import atomic_file, read_json, write_json
from lrfr_tf.gallery.store import now

SCHEMA = 1
READ, ENROLL, ADMIN = "read", "enroll", "admin"
ROLES = (READ, ENROLL, ADMIN)  # each may do what those before it may
PREFIX = "lrfr"
NOBODY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True)
class Key:
    """What is kept of a key.

    Attributes:
        id: stands in the audit; no secret.
        role: one of ROLES.
        sha256: of the whole key.
        created, revoked: when, in UTC, as ISO 8601; None: it is in force.
    """

    id: str
    role: str
    sha256: str
    created: str
    revoked: str | None = None


@dataclass(frozen=True)
class Caller:
    """Who asks.

    Attributes:
        id: of the key; "local" without one.
        role: one of ROLES.
    """

    id: str
    role: str

    def may(self, role: str) -> bool:
        """Whether the caller's role includes another one."""
        return ROLES.index(self.role) >= ROLES.index(role)


LOCAL = Caller("local", ADMIN)


def keys_beside(gallery: str | os.PathLike[str]) -> Path:
    """Where the keys of a gallery's service are."""
    path = Path(gallery)
    return path.with_name(path.name + ".keys")


def existing_keys(gallery: str | os.PathLike[str], path: str | os.PathLike[str] | None) -> "Keys":
    """The keys of a gallery's service: of the file that is named, or else of that beside the gallery, if there is one.

    Raises:
        UserError: the named file is missing, holds no key or is damaged.
    """
    if path is None:
        return Keys(keys_beside(gallery))
    keys = Keys(path)
    if not keys.all():  # who names a file means that nobody comes in without a key
        what = "has no key" if keys.path.exists() else "is missing"
        raise UserError(f"`keys`={path} {what}; lrfr key create with the same `keys` makes one.")
    return keys


class Keys:
    """The keys in a file, read anew whenever it changes; threads may share it, and processes after a fork.

    Args:
        path: the file; it need not be there, until there were keys in it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._seen: tuple[int, ...] | None = None
        self._keys: dict[str, Key] = {}
        self._were_there = False

    def are_needed(self) -> bool:
        """Whether nobody comes in without a key: there are some, or there have been.

        Raises:
            UserError: see `all`.
        """
        return bool(self._read()) or self._were_there

    def all(self) -> list[Key]:
        """Every key that was ever made, revoked ones too.

        Raises:
            UserError: the file is damaged, or is gone since there were keys in it.
        """
        return list(self._read().values())

    def create(self, role: str) -> tuple[Key, str]:
        """Makes a key: what is kept of it, and the key itself, which nobody can read again.

        Raises:
            UserError: the file is damaged or cannot be written.
        """
        id, secret = secrets.token_hex(4), secrets.token_hex(32)
        text = f"{PREFIX}_{id}_{secret}"
        key = Key(id, role, _hash(text), now())
        with self._writing():
            self._write([*self.all(), key])
        return key, text

    def revoke(self, id: str) -> Key:
        """Takes a key out of force, for good and at once.

        Raises:
            UserError: there is no such key, or the file cannot be written.
        """
        with self._writing():
            keys = self._read()
            if id not in keys:
                raise UserError(f"{self.path} has no key {id!r}.")
            revoked = replace(keys[id], revoked=keys[id].revoked or now())
            self._write([revoked if key.id == id else key for key in keys.values()])
        return revoked

    def caller(self, text: str) -> Caller | None:
        """Who has this key; None: nobody. It takes as long whatever is wrong with it.

        Raises:
            UserError: the file is damaged.
        """
        key = self._read().get(text.split("_")[1] if text.count("_") == 2 else "")
        same = hmac.compare_digest(_hash(text), NOBODY if key is None else key.sha256)
        return Caller(key.id, key.role) if key is not None and same and key.revoked is None else None

    def _read(self) -> dict[str, Key]:
        try:
            state = os.stat(self.path)
        except FileNotFoundError:
            if self._were_there:
                raise UserError(f"{self.path} is gone; put it back, or lrfr key create makes a key.") from None
            if self.path.is_symlink():
                raise UserError(f"{self.path} is a link that leads nowhere.") from None
            return {}
        except OSError as error:
            raise UserError(f"{self.path} cannot be read: {error.strerror}.") from None
        seen = (state.st_mtime_ns, state.st_ctime_ns, state.st_ino, state.st_size)
        if seen != self._seen:
            value: Any = read_json(self.path)
            try:
                if value["schema"] != SCHEMA:
                    raise UserError(f"{self.path} was written by another lrfr_tf (schema {value['schema']}).")
                keys = [Key(**one) for one in value["keys"]]
                if not all(_is_sound(key) for key in keys):
                    raise TypeError
            except (KeyError, TypeError):
                raise UserError(f"{self.path} holds no keys of a service, or is damaged.") from None
            self._keys, self._seen = {key.id: key for key in keys}, seen
            self._were_there = self._were_there or bool(keys)
        return self._keys

    def _write(self, keys: list[Key]) -> None:
        with atomic_file(self.path) as temporary:
            write_json(temporary, {"schema": SCHEMA, "keys": [asdict(key) for key in keys]})
            temporary.chmod(0o600)
        self.path.chmod(0o600)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """One process at a time changes the file."""
        path = self.path.with_name(self.path.name + ".lock")
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise UserError(f"{self.path} cannot be written: {error.strerror}.") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _is_sound(key: Key) -> bool:
    texts = (key.id, key.sha256, key.created, "" if key.revoked is None else key.revoked)
    return key.role in ROLES and all(isinstance(text, str) for text in texts)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

"""Where a service listens, and the names under which it is called."""

import contextlib
import errno
import ipaddress
import re
import socket
from collections.abc import Iterator, Sequence
from typing import Any

from lrfr_tf.errors import UserError

# What one address of a name may meet while another can be used: localhost is ::1, too, but only where there is IPv6.
_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
_ORIGIN = re.compile(r"https?://[^/?#\s]+")


@contextlib.contextmanager
def bound(host: str, port: int) -> Iterator[list[socket.socket]]:
    """Takes a port on each address of a host; nobody gets in until somebody listens there.

    Args:
        port: 0: any that is free, the same on each address.

    Raises:
        UserError: the port is in use or not allowed, or the host is no address of this machine.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise UserError(f"`host` {host} is no address, nor a name that leads to one.") from None
    taken: list[socket.socket] = []
    with contextlib.ExitStack() as opened:
        for family, address in dict.fromkeys((one[0], one[4]) for one in found):
            try:
                taken.append(_bound(opened, family, (address[0], port, *address[2:])))
            except OSError as error:
                if error.errno not in _NOT_HERE:
                    raise UserError(unusable(host, port, error)) from None
            port = port or (taken[0].getsockname()[1] if taken else 0)
        if not taken:
            raise UserError(f"`host` {host} is no address of this machine.")
        yield taken


def _bound(opened: contextlib.ExitStack, family: int, address: tuple[Any, ...]) -> socket.socket:
    taken = opened.enter_context(socket.socket(family, socket.SOCK_STREAM))
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of a service that has ended are no reason
    if family == socket.AF_INET6:
        taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    taken.bind(address)
    return taken


def unusable(host: str, port: int, error: OSError) -> str:
    """What is said of an address that cannot be taken."""
    return f"{url_of(host, port)} cannot be used: {error.strerror}; `port` takes another."


def url_of(host: str, port: int) -> str:
    """http://host:port, an IPv6 address in brackets."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def check_names(allowed_hosts: Sequence[str], allowed_origins: Sequence[str]) -> None:
    """Refuses names that no request can have, so that nobody wonders why all are refused.

    Raises:
        UserError: a host has a port or more, or an origin is none.
    """
    for name in allowed_hosts:
        if not _is_host(name):
            raise UserError(
                f"`allowed_hosts` has {name}, which is no name of a host without port, such as faces.example."
            )
    for origin in allowed_origins:
        if not _ORIGIN.fullmatch(origin):
            raise UserError(f"`allowed_origins` has {origin}, which is no origin, such as https://desk.example.")


def _is_host(name: str) -> bool:
    with contextlib.suppress(ValueError):
        return bool(ipaddress.ip_address(name))
    return re.fullmatch(r"[^\s/:*@]+", name) is not None

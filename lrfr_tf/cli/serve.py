"""Answers over HTTP who is in a photo, and keeps people: the service of a gallery.

    lrfr serve --gallery=people.db
    python -m lrfr_tf.serve --gallery=people.db --host=0.0.0.0 --allowed_hosts=faces.example

As long as there is no key it can only be reached from this machine; `lrfr key create` makes one. / is a page on which
people are enrolled, found and corrected; /docs shows every route. Its log is JSON on stderr, without names, images and
keys. SIGTERM lets what is under way finish. It needs pip install 'lrfr-tf[server]', and TLS in front of it;
docs/service.md has more.
"""

import contextlib
import dataclasses
import errno
import logging
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lrfr_tf.config import option, required
from lrfr_tf.errors import UserError
from lrfr_tf.main import note, run
from lrfr_tf.recognition.calibration import FPIR, DecisionRule
from lrfr_tf.service.addresses import bound, check_names, unusable, url_of
from lrfr_tf.service.settings import LOOPBACK, MEBIBYTE, Settings

if TYPE_CHECKING:
    from lrfr_tf.gallery.gallery import Gallery

LOCAL, TF_SERVING = "local", "tf_serving"
SERVING = "127.0.0.1:8500"
LONGEST_END = 30  # seconds that requests under way get to finish
LONGEST_IDLE = 75  # seconds for which a connection is kept: longer than those after which a client is told to come back


@dataclasses.dataclass(frozen=True)
class Config:
    gallery: str = required("the gallery's file, such as people.db")
    host: str = option("127.0.0.1", "the address to bind; others than this machine's need a key")
    port: int = option(8000, "the port to bind; 0: any that is free", at_least=0)
    allowed_hosts: tuple[str, ...] = option((), "names, without port, under which the service is called from elsewhere")
    allowed_origins: tuple[str, ...] = option((), "origins, such as https://desk.example, whose pages may call it")
    keys: str | None = option(
        None, "the file of keys, which must have one; default: the gallery's name with .keys behind it, if it is there"
    )
    fpir: float = option(FPIR, "the false positive identification rate that names must keep")
    threshold: float | None = option(None, "instead of it, the least score for a name")
    super_resolver: str = option("srgan_camera", "the network of /v1/super-resolve")
    backend: str = option(LOCAL, "where faces are embedded: here, or on a TF-Serving", choices=(LOCAL, TF_SERVING))
    serving: str | None = option(None, f"host:port of the gRPC side of the TF-Serving; default: {SERVING}")
    serving_model: str | None = option(
        None, "what the TF-Serving calls the gallery's network; default: as it is called"
    )
    serving_timeout: float = option(10.0, "seconds that an answer of the TF-Serving may take", above=0)
    batch: int = option(4, "most images computed together", at_least=1)
    batch_wait_ms: float = option(5.0, "milliseconds that a batch waits for more images", at_least=0)
    threads: int = option(2, "how many batches are computed at the same time", at_least=1)
    queue: int = option(64, "images that may be under way; beyond it the answer is 503", at_least=1)
    max_body_mib: int = option(10, "most MiB of a request", at_least=1)
    max_megapixels: int = option(40, "most million pixels of an image", at_least=1)
    max_images: int = option(64, "most images of a request", at_least=1)
    requests_per_minute: int = option(0, "of each key, or of each address without keys; 0: no limit", at_least=0)


def check_flags(config: Config) -> None:
    """Refuses an address that anybody may reach without being asked for a name or a key."""
    if config.host not in LOOPBACK and not config.allowed_hosts:
        raise UserError("--allowed_hosts must say under which names the service is called, as --host is not loopback.")
    check_names(config.allowed_hosts, config.allowed_origins)
    if config.max_images > config.queue:
        raise UserError("--max_images is larger than --queue: a request with so many images would never be taken.")
    if config.backend == TF_SERVING:
        address_of(config)
    elif config.serving is not None or config.serving_model is not None:
        raise UserError("--serving and --serving_model are for --backend=tf_serving.")


def address_of(config: Config) -> tuple[str, int]:
    """Host and port of the TF-Serving.

    Raises:
        UserError: it is none.
    """
    host, colon, port = (config.serving or SERVING).rpartition(":")
    if not colon or not host or not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise UserError(f"--serving={config.serving} is not host:port, such as {SERVING}.")
    return host.removeprefix("[").removesuffix("]"), int(port)


def use_server(gallery: "Gallery", config: Config) -> Callable[[], None]:
    """Lets a TF-Serving embed faces for a gallery; gives what raises an error while it cannot be asked.

    Raises:
        UserError: the export that the server should have loaded is missing here, or is another one.
    """
    from lrfr_tf.service.log import REQUESTS
    from lrfr_tf.tf_serving.grpc_client import GrpcConnection
    from lrfr_tf.tf_serving.served_embedder import ServedEmbedder, recognizer_of_server

    host, port = address_of(config)
    recognizer = recognizer_of_server(
        gallery.identity.find(),
        lambda: GrpcConnection(host, port, config.serving_timeout),
        name=config.serving_model or "",
        note=logging.getLogger(REQUESTS).warning,
    )
    gallery.use(recognizer)
    embedder = recognizer.embedder
    assert isinstance(embedder, ServedEmbedder)
    return embedder.check


def main(config: Config) -> None:
    check_flags(config)
    # SIGTERM and Ctrl-C are how a service ends, also while it loads. uvicorn ends in order, and raises them once more.
    with contextlib.suppress(KeyboardInterrupt), bound(config.host, config.port) as sockets:
        _serve(config, sockets)


def _serve(config: Config, sockets: list[socket.socket]) -> None:
    try:
        import uvicorn

        from lrfr_tf.service.app import make_app, make_service
    except ImportError as error:
        raise UserError(f"{error.name} is missing; pip install 'lrfr-tf[server]' brings it.") from None
    from lrfr_tf.gallery.gallery import Gallery
    from lrfr_tf.service.keys import existing_keys
    from lrfr_tf.service.log import log_to

    keys = existing_keys(config.gallery, config.keys)
    if config.host not in LOOPBACK and not keys.all():
        raise UserError(
            f"{keys.path} has no key, so only this machine may reach the service; lrfr key create makes one."
        )
    settings = Settings(
        body_bytes=config.max_body_mib * MEBIBYTE,
        pixels=config.max_megapixels * 1_000_000,
        images=config.max_images,
        requests_per_minute=config.requests_per_minute,
        queue=config.queue,
        batch=config.batch,
        batch_wait_ms=config.batch_wait_ms,
        threads=config.threads,
        hosts=tuple(name.lower() for name in (*LOOPBACK, config.host, *config.allowed_hosts)),
        origins=config.allowed_origins,
    )
    rule = DecisionRule(config.fpir, None, config.threshold)
    with Gallery.open(Path(config.gallery), rule=rule) as gallery:
        how = {"check_networks": use_server(gallery, config)} if config.backend == TF_SERVING else {}
        service = make_service(gallery, settings, keys, config.super_resolver, **how)
        service.networks.recognizer.check_rule(rule)
        service.networks.load_super_resolver()
        port = sockets[0].getsockname()[1]
        note(f"{url_of(config.host, port)}/ is the page for people, /docs shows programs what can be asked.")
        log_to(sys.stderr)
        server = uvicorn.Server(
            uvicorn.Config(
                make_app(service),
                host=config.host,
                port=port,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=LONGEST_END,
                timeout_keep_alive=LONGEST_IDLE,
            )
        )
        try:
            server.run(sockets)
        except OSError as error:  # another service has begun to listen while this one was loading
            if error.errno != errno.EADDRINUSE:
                raise
            raise UserError(unusable(config.host, port, error)) from None


if __name__ == "__main__":
    run(main, Config)

"""How a service behaves: limits of requests, its queue, and from where it may be asked."""

import dataclasses

MEBIBYTE = 1 << 20
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclasses.dataclass(frozen=True)
class Settings:
    """Limits and addresses.

    Attributes:
        body_bytes: most bytes of a request's body.
        form_bytes: most bytes of a body that holds no images: it is read before anybody is asked for a key.
        pixels: most pixels of an image.
        images: most images in a request.
        body_seconds: within which a body must have arrived.
        requests_per_minute: of one key, or of one address without keys; 0: as many as come.
        queue: images that are admitted and not answered yet; beyond it requests are refused with 503.
        batch: most images that are computed together.
        batch_wait_ms: for which a batch waits for more images.
        threads: how many batches are computed at the same time.
        hosts: names under which the service is called, without port.
        origins: further origins whose pages may call it, such as "https://desk.example".
    """

    body_bytes: int = 10 * MEBIBYTE
    form_bytes: int = MEBIBYTE
    pixels: int = 40_000_000
    images: int = 64
    body_seconds: float = 30.0
    requests_per_minute: int = 0
    queue: int = 64
    batch: int = 4
    batch_wait_ms: float = 5.0
    threads: int = 2
    hosts: tuple[str, ...] = LOOPBACK
    origins: tuple[str, ...] = ()

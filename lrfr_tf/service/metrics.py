"""What Prometheus reads: latency by stage, batches, the queue, faces by size, decisions, refusals."""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
HEIGHTS = (16, 32, 64, 128)  # of faces in pixels; as labels "to 16" ... "above 128"


class Metrics:
    """The figures of one service, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own = self.registry
        self.requests = Counter("lrfr_requests", "Requests.", ["route", "status"], registry=own)
        self.request_seconds = Histogram(
            "lrfr_request_seconds", "From the first byte to the answer.", ["route"], buckets=SECONDS, registry=own
        )
        self.stage_seconds = Histogram(
            "lrfr_stage_seconds",
            "Seconds of a batch in a stage; `wait` is that of an image in the queue.",
            ["stage"],
            buckets=SECONDS,
            registry=own,
        )
        self.batch_images = Histogram(
            "lrfr_batch_images", "Images computed together.", buckets=(1, 2, 4, 8, 16, 32), registry=own
        )
        self.queue_images = Gauge("lrfr_queue_images", "Images admitted and not answered yet.", registry=own)
        self.faces = Counter("lrfr_faces", "Faces found, by height in pixels.", ["height"], registry=own)
        self.decisions = Counter("lrfr_decisions", "Decisions about faces.", ["decision"], registry=own)
        self.refusals = Counter("lrfr_refusals", "Requests refused, by code.", ["code"], registry=own)
        self.photos = Counter("lrfr_enrolled_photos", "Photos to enroll, by verdict.", ["verdict"], registry=own)

    def watch_queue(self, depth: Callable[[], int]) -> None:
        """Asks for the queue's depth whenever it is read."""
        self.queue_images.set_function(lambda: float(depth()))

    def note_faces(self, heights: Iterable[float]) -> None:
        """Counts faces by their heights."""
        for height in heights:
            most = next((edge for edge in HEIGHTS if height <= edge), None)
            self.faces.labels(f"above {HEIGHTS[-1]}" if most is None else f"to {most}").inc()

    def text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self.registry)

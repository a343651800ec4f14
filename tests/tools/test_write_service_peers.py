"""docs/service.md gets what was measured beside the service."""

from pathlib import Path

from lrfr_tf.speed.record import write_result
from tests.cli.conftest import Tool


def test_the_figures(tool: Tool, tmp_path: Path) -> None:
    row = {"clients": 4, "per_second": 2.04, "p50_s": 1.5, "p99_s": 2.125, "failed": 3, "one_face": 60}
    loads = [{**row, "service": "deepface"}, {**row, "service": "siamese", "failed": 0}]
    facts = {"photos": 113, "seconds": 30.0, "least_cosine": 0.99996, "deepface": "0.0.103", "loads": loads}
    write_result(tmp_path / "deepface.json", "deepface", [], facts)
    document = tmp_path / "page.md"
    document.write_text("before\n<!-- deepface -->\nold\n<!-- end of deepface -->\nafter\n")
    script = tool("write_service_peers")
    script.main(script.Config(result=str(tmp_path / "deepface.json"), document=str(document)))
    text = document.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "| 4 | deepface, FaceNet 128-D | 2.0 | 1.50 | 2.12 | 3 |" in text
    assert "| 4 | `lrfr serve`, `siamese`, its default | 2.0 | 1.50 | 2.12 | 0 |" in text
    assert "`/represent` of deepface 0.0.103" in " ".join(text.split())

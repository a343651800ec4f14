"""docs/service.md gets what was measured under load, and whether it holds."""

from pathlib import Path

from lrfr_tf.speed.record import write_result
from tests.cli.conftest import Tool


def test_the_figures(tool: Tool, tmp_path: Path) -> None:
    row = {
        "clients": 32, "per_second": 20.0, "p50_s": 1.5, "p99_s": 2.5, "share_busy": 0.0, "all_say_when": True,
        "answered": 1000, "same_names": 999, "other": 0, "largest_difference": 3e-5, "service_cpu": 1.7,
        "clients_cpu": 0.01, "memory_mb": 1000.0, "peak_mb": 1010.0,
    }  # fmt: skip
    facts = {
        "photos": 113, "persons": 5, "seconds": 120.0, "keeps_away": True, "recognizer_per_second": 22.0,
        "recognizer_batch": 4, "queue": 64, "single": {"p50_s": 0.06, "p99_s": 0.09}, "loads": [row],
        "memory_mb": {"after_first_load": 1000.0, "end": 1000.0},
    }  # fmt: skip
    write_result(tmp_path / "service.json", "service", [], facts)
    document = tmp_path / "page.md"
    document.write_text("before\n<!-- load -->\nold\n<!-- end of load -->\nafter\n")
    script = tool("write_service_load")
    script.main(script.Config(result=str(tmp_path / "service.json"), document=str(document)))
    text = document.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "| 32 | 20.0 | 1.50 | 2.50 | 0 % | 1.70 | 0.010 | 1000 (1010) |" in text
    assert "| 32 clients | p99 at most 1.5 times 32 / throughput: 2.40 s | 2.50 s | **no** |" in text
    assert "| 32 clients | 85 % of the recognizer's own rate | 91% | yes |" in text
    assert "Of 1,000 answers 1 had other faces" in " ".join(text.split())

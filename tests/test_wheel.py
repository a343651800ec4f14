"""What `pip install` brings: the package, the command, and one version of each network with its terms."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NETWORKS = ("siamese", "srcnn", "srgan", "srgan_camera", "srresnet", "srresnet_camera")
LARGEST = 95_000_000
USE = """
import json
import numpy as np
import lrfr_tf as lrfr
sharp = lrfr.SuperResolver("srgan")(np.zeros((16, 16, 3), np.uint8))
print(json.dumps([[str(model.path), model.terms] for model in lrfr.list_models()] + [list(sharp.shape)]))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source, target = (tmp_path_factory.mktemp(name) for name in ("source", "wheel"))
    for name in ("lrfr_tf", "saved_models"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(target)]
    subprocess.run([*command, str(source)], check=True, capture_output=True)
    (made,) = target.iterdir()
    return made


@pytest.mark.slow
def test_the_wheel_holds_the_networks_once(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert wheel.stat().st_size < LARGEST
    for network in NETWORKS:
        models = [name for name in names if name.startswith(f"lrfr_tf/saved_models/{network}/")]
        assert len([name for name in models if name.endswith("saved_model.pb")]) == 1
        newest = max(int(path.name) for path in (ROOT / "saved_models" / network).iterdir() if path.name.isdecimal())
        assert f"lrfr_tf/saved_models/{network}/{newest}/model.json" in models
        assert f"lrfr_tf/saved_models/{network}/TERMS.txt" in models
        assert any(name.endswith(f"licenses/saved_models/{network}/TERMS.txt") for name in names)
    templates = {path.name for path in (ROOT / "lrfr_tf" / "study" / "report" / "templates").iterdir()}
    assert {name.rpartition("/")[2] for name in names if "/templates/" in name} == templates
    page = {path.name for path in (ROOT / "lrfr_tf" / "service" / "page").iterdir()}
    assert {name.rpartition("/")[2] for name in names if "/service/page/" in name} == page
    assert not [name for name in names if name.startswith(("tests", "tools"))]


@pytest.mark.slow
def test_networks_of_the_wheel_are_found_by_name(wheel: Path, tmp_path: Path) -> None:
    """The wheel as it would lie in site-packages, used from an empty folder."""
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    (tmp_path / "empty").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", USE],
        env={"PYTHONPATH": str(tmp_path / "site"), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        cwd=tmp_path / "empty", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *models, shape = json.loads(done.stdout)
    assert shape == [64, 64, 3]
    assert [Path(path).parent.name for path, _ in models] == list(NETWORKS)
    assert all(path.startswith(str(tmp_path / "site")) and "non-commercial" in terms for path, terms in models)
    entry = next((tmp_path / "site").glob("*.dist-info/entry_points.txt")).read_text()
    assert "lrfr = lrfr_tf.cli.command:main" in entry

"""The export on the command line, and the scripts that take an export in the place of a run's network."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lrfr_tf.data.face_cache import load_faces
from lrfr_tf.data.folders import list_faces
from lrfr_tf.errors import UserError
from lrfr_tf.files import read_json, write_json
from lrfr_tf.main import run
from lrfr_tf.models.srcnn import srcnn
from lrfr_tf.models.srgan import generator_paper
from lrfr_tf.networks.classifier import Classifier
from lrfr_tf.networks.embedding import load_embedder
from lrfr_tf.networks.heads import make_templates
from lrfr_tf.networks.super_resolution import load_super_resolver, save_super_resolver
from lrfr_tf.networks.super_resolvers import KerasSuperResolver
from tests.checked_here import checked_here
from tests.cli.conftest import Refused, Tool
from tests.tools.small_embedders import GRID, write_small_embedder
from tests.tools.small_runs import write_small_tree


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs that left a network each."""
    root = tmp_path_factory.mktemp("runs")
    save_super_resolver(root / "srcnn" / "model", KerasSuperResolver("srcnn", srcnn(), enlarge_first=True))
    generator = generator_paper(16, blocks=1, filters=4, batch_norm=False)
    save_super_resolver(root / "srgan" / "model", KerasSuperResolver("srgan", generator))
    return root


@pytest.fixture(scope="module")
def exported(runs: Path, tool: Tool) -> Path:
    """saved_models/ with srcnn/1 in it."""
    export = tool("export_saved_model")
    output = runs / "saved_models"
    flags = [f"--model={runs}/srcnn/model", "--name=srcnn", f"--output={output}"]
    with checked_here():
        run(export.main, export.Config, ["script", *flags])
    return output


def test_what_is_printed_and_written(runs: Path, tool: Tool, tmp_path: Path, capsys: Any) -> None:
    export = tool("export_saved_model")
    flags = [f"--model={runs}/srgan/model", "--name=srgan", "--version=7", f"--output={tmp_path}/out"]
    run(export.main, export.Config, ["script", *flags, "--precision=float16"])
    out = capsys.readouterr().out
    record = read_json(tmp_path / "out" / "srgan" / "7" / "model.json")
    assert out.startswith(f"{tmp_path}/out/srgan/7: {record['bytes'] / 1e6:.2f} MB, ")
    for words in (
        "as float16",
        "super_resolve_bytes: ",
        "stored as float16, against the same without it: ",
        "checked in a new process: 6",
    ):
        assert words in out
    assert [path.name for path in (tmp_path / "out" / "srgan").iterdir()] == ["7"]


def test_mistakes_are_refused_and_leave_nothing(
    runs: Path, exported: Path, tool: Tool, refused: Refused, tmp_path: Path
) -> None:
    export = tool("export_saved_model")
    model, output = f"--model={runs}/srgan/model", f"--output={tmp_path}/out"
    assert "--name is missing" in refused(export, model, output)
    assert "--name=SR GAN is not a name" in refused(export, model, output, "--name=SR GAN")
    assert "--version=0 is out of range" in refused(export, model, output, "--name=srgan", "--version=0")
    nothing = refused(export, f"--model={tmp_path}", output, "--name=srgan")
    assert f"--model={tmp_path} holds no super_resolver.json, no <backbone>.weights.h5 and no head.json" in nothing
    again = refused(export, f"--model={exported}/srcnn/1", output, "--name=srgan")
    assert f"{exported}/srcnn/1 is an export already" in again
    there = refused(export, model, f"--output={exported}", "--name=srcnn")
    assert f"{exported}/srcnn/1 is there already and is not replaced" in there
    for flag in ("embedder", "super_resolver"):
        needless = refused(export, model, output, "--name=srgan", f"--{flag}=saved_models/x")
        assert (
            f"--embedder, --super_resolver and --closed_set go with a classifier head, and {runs}/srgan/model is none"
            in needless
        )
    compute = refused(export, model, output, "--name=srgan", "--compute=bfloat16")
    assert f"--compute=bfloat16 goes with an embedder, and {runs}/srgan/model is none" in compute
    weights = refused(export, "--model=facenet", output, "--name=facenet", f"--facenet_weights={tmp_path}/none.h5")
    assert f"{tmp_path}/none.h5 is missing" in weights
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_small_embedder(tmp_path_factory.mktemp("embedder") / "small" / "1")
    write_json(folder / "model.json", {**read_json(folder / "model.json"), "input_size": GRID, "stored_as": "float32"})
    return folder


@pytest.fixture(scope="module")
def head(embedder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A head of three faces, fitted on the small embedder."""
    folder = tmp_path_factory.mktemp("heads") / "cosine"
    gallery = make_templates(np.eye(3, 3 * GRID**2, dtype=np.float32), np.arange(3), 3)
    Classifier("cosine", ["a", "b", "c"], load_embedder(str(embedder)).name, gallery).save(folder)
    return folder


def test_a_head_is_exported_with_what_comes_before_it(
    runs: Path, exported: Path, embedder: Path, head: Path, tool: Tool
) -> None:
    export = tool("export_saved_model")
    flags = {"model": str(head), "name": "people", "embedder": str(embedder.parent)}
    for super_resolver, name in ((None, None), (runs / "srgan" / "model", "srgan"), (exported / "srcnn", "srcnn")):
        named = {"super_resolver": str(super_resolver)} if super_resolver else {}
        servable = export.prepare(export.Config(**flags, **named))
        assert servable.kind == "classifier"
        expected = {"super_resolver": name, "head": "cosine", "classes": 3}
        assert {key: servable.facts["parts"][key] for key in expected} == expected


def test_whose_cosines_an_export_gives(runs: Path, exported: Path, embedder: Path, head: Path, tool: Tool) -> None:
    export = tool("export_saved_model")
    flags = {"model": str(head), "name": "people", "embedder": str(embedder.parent)}
    assert export.calibrated(export.Config(**flags)) == embedder
    assert export.calibrated(export.Config(**flags, super_resolver=str(exported / "srcnn"))) is None
    assert export.calibrated(export.Config(model=str(head), name="people", embedder="facenet")) is None
    assert export.calibrated(export.Config(model=str(embedder.parent), name="other")) == embedder
    assert export.calibrated(export.Config(model=f"{runs}/srgan/model", name="srgan")) is None


def test_mistakes_with_a_head(
    runs: Path, exported: Path, embedder: Path, head: Path, tool: Tool, refused: Refused, tmp_path: Path
) -> None:
    export = tool("export_saved_model")
    flags = (f"--model={head}", "--name=people", f"--output={tmp_path}/out")
    of_embedder = (*flags, f"--embedder={embedder}")
    assert "say with --embedder what it was fitted on" in refused(export, *flags)
    assert "'saved_models/none' is not known" in refused(export, *flags, "--embedder=saved_models/none")
    assert "which cannot embed" in refused(export, *flags, f"--embedder={exported}/srcnn")
    assert "a classifier takes its embedder as it is" in refused(export, *of_embedder, "--precision=float16")
    assert "--precision and --compute are for networks" in refused(export, *of_embedder, "--compute=bfloat16")
    no_network = refused(export, *of_embedder, f"--super_resolver={tmp_path}")
    assert f"{tmp_path} holds no super-resolution model" in no_network
    other = tmp_path / "other"
    shutil.copytree(head, other)
    write_json(other / "head.json", {**read_json(head / "head.json"), "embedder": "siamese-1-abc"})
    unlike = refused(export, f"--model={other}", *of_embedder[1:])
    assert f"{other} was fitted on embeddings of siamese-1-abc, not of small-1-" in unlike
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_saved_model_cli_shows_the_signatures(exported: Path) -> None:
    program = Path(sys.executable).parent / "saved_model_cli"
    command = [str(program), "show", "--all", "--dir", str(exported / "srcnn" / "1")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for words in (
        "signature_def['serving_default']",
        "signature_def['super_resolve']",
        "signature_def['super_resolve_bytes']",
        "inputs['image_bytes'] tensor_info:\n        dtype: DT_STRING\n        shape: (-1)",
        "inputs['images'] tensor_info:\n        dtype: DT_UINT8\n        shape: (-1, 16, 16, 3)",
        "outputs['images'] tensor_info:\n        dtype: DT_UINT8\n        shape: (-1, 64, 64, 3)",
    ):
        assert words in done.stdout


def test_a_tree_is_super_resolved_by_an_export(
    runs: Path, exported: Path, tool: Tool, portrait: np.ndarray, tmp_path: Path
) -> None:
    tree = write_small_tree(tmp_path / "tree", portrait, {"train": 2, "val": 1, "test": 1})
    super_resolve = tool("super_resolve")
    super_resolve.main(super_resolve.Config(data=str(tree), model=(str(exported / "srcnn"),)))
    manifest = read_json(tree / "srcnn" / "manifest.json")
    assert manifest["model_sha256"] == read_json(exported / "srcnn" / "1" / "model.json")["sha256"]
    faces = list_faces(tree / "lr", "train")
    expected = load_super_resolver(runs / "srcnn" / "model").super_resolve(load_faces(tree / "lr" / "train", faces))
    found = load_faces(tree / "srcnn" / "train", faces)
    assert np.abs(found.astype(int) - expected).max() <= 1
    # The network of the run is another file, so its images are not taken for the export's.
    with pytest.raises(UserError, match="other settings"):
        super_resolve.main(super_resolve.Config(data=str(tree), model=(f"{runs}/srcnn/model",)))


def test_the_demo_takes_the_newest_exports_and_names_those_that_are_missing(exported: Path, tool: Tool) -> None:
    demo = tool("demo")
    assert demo.find_models(exported, ("srcnn",)) == {"srcnn": str(exported / "srcnn" / "1")}
    with pytest.raises(UserError, match=r"srgan holds no export; leave srgan out of --networks"):
        demo.find_models(exported, ("srcnn", "srgan"))

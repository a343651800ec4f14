"""The listing is the architecture: each room imports only from those before it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE, TOOLS = ROOT / "lrfr_tf", ROOT / "tools"
# Data flows one way: a room may import from those before it, and from itself.
ROOMS = (
    "base", "client", "images", "models", "losses", "weights", "faces", "sources", "data", "evaluation", "networks",
    "training", "recognition", "gallery", "service", "export", "benchmarks", "study", "tf_serving", "speed", "cli",
    "entry", "repository", "tools",
)  # fmt: skip
BASE = {
    "__init__", "errors", "files", "names", "resumable", "config", "main", "silence", "printable", "stand_ins", "quiet",
    "plural",
}  # fmt: skip
# Single files of the package, the scripts of tools/, and those of tools/repository.
NO_FOLDERS = ("base", "entry", "repository", "tools")
FOLDERS = tuple(room for room in ROOMS if room not in NO_FOLDERS)
# Those who use the product install neither what trains it nor what measures it.
PRODUCT = ("networks", "recognition", "gallery", "service")
NOT_FOR_THE_PRODUCT = ("training", "export", "benchmarks", "study", "tf_serving", "speed")
PROTOBUFS = "tensorflow_serving"
WITH_PROTOBUFS = ("export", "tf_serving")
# Networks and losses work under any backend of Keras.
ANY_BACKEND = ("models", "losses")
BACKENDS = ("tensorflow", "torch", "jax")
LONGEST = 300

FILES = sorted([*PACKAGE.rglob("*.py"), *TOOLS.rglob("*.py")])


def room(module: str) -> str:
    """The room of a module, given as "lrfr_tf.a.b", "tools.a" or "tools.repository.a".

    Raises:
        KeyError: no such room is known; a new one gets its place in ROOMS.
    """
    parts = module.split(".")
    if parts[0] == "tools" and len(parts) == 2:
        return "tools"
    if parts[:2] == ["tools", "repository"]:
        return "repository"
    if len(parts) == 1 or parts[1] in BASE:
        return "base"
    if parts[1] == "__main__":
        return "cli"
    if len(parts) == 2 and (parts[1].startswith("train_") or parts[1] == "serve"):
        return "entry"
    if parts[0] != "lrfr_tf" or parts[1] not in FOLDERS:
        raise KeyError(f"{module} lies in no room that is known.")
    return parts[1]


def room_of(file: Path) -> str:
    if file == PACKAGE / "__init__.py":
        return "entry"  # the public names, each imported when it is used; tests/test_public_names.py
    return room(".".join(file.relative_to(ROOT).with_suffix("").parts))


def imported(text: str) -> set[str]:
    """The modules that a source imports, and with `from a import b` also "a.b"."""
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "An import names the whole path."
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def wrong_imports(own: str, text: str) -> list[str]:
    """What a source of the room `own` imports and may not."""
    return sorted(name for name in imported(text) if not is_allowed(own, name))


def is_allowed(own: str, name: str) -> bool:
    """Whether a source of the room `own` may import a module."""
    package = name.split(".")[0]
    if package == "lrfr_tf":
        other = room(name)
        return ROOMS.index(other) <= ROOMS.index(own) and not (own in PRODUCT and other in NOT_FOR_THE_PRODUCT)
    if package == "tools":
        return own == "repository"
    if package == PROTOBUFS:
        return own in WITH_PROTOBUFS
    return own not in ANY_BACKEND or package not in BACKENDS


@pytest.mark.parametrize("file", FILES, ids=[str(file.relative_to(ROOT)) for file in FILES])
def test_a_room_imports_only_from_those_before_it(file: Path) -> None:
    assert not wrong_imports(room_of(file), file.read_text())


def test_every_room_is_known_and_says_what_it_is_for() -> None:
    for folder in FOLDERS:
        document = ast.get_docstring(ast.parse((PACKAGE / folder / "__init__.py").read_text()))
        assert document is not None
        assert document.count(".") >= 2, f"{folder} says in two sentences what lives there and what may not."
    folders = {file.parent.name for file in PACKAGE.glob("*/*.py")}
    assert folders == set(FOLDERS)
    assert {file.parent.name for file in TOOLS.glob("*/*.py")} == {"repository"}


def test_the_product_reaches_neither_the_study_nor_training_nor_protobufs() -> None:
    """Nor through what it imports: nothing that a file of the product needs, directly or not, is of such a room."""
    sources = {".".join(file.relative_to(ROOT).with_suffix("").parts): file for file in PACKAGE.rglob("*.py")}
    sources = {name.removesuffix(".__init__"): file for name, file in sources.items()}
    reached: set[str] = set()
    found = [name for name in sources if room(name) in PRODUCT]
    while found:
        name = found.pop()
        if name in reached:
            continue
        reached.add(name)
        for other in imported(sources[name].read_text()):
            assert other.split(".")[0] != PROTOBUFS, f"{name} imports {other}"
            module = other if other in sources else other.rpartition(".")[0]
            found += [module] if module in sources else []
    assert not {name for name in reached if room(name) in NOT_FOR_THE_PRODUCT}


def test_what_is_wrong_is_found() -> None:
    assert wrong_imports("networks", "from lrfr_tf.training.mlp import fit_mlp") == ["lrfr_tf.training.mlp.fit_mlp"]
    assert wrong_imports("recognition", "def f():\n    import lrfr_tf.study.extract") == ["lrfr_tf.study.extract"]
    assert wrong_imports("recognition", "from lrfr_tf.training import mlp") == ["lrfr_tf.training.mlp"]
    assert wrong_imports("benchmarks", "from lrfr_tf import train_siamese") == ["lrfr_tf.train_siamese"]
    assert wrong_imports("speed", "from lrfr_tf.cli import identify") == ["lrfr_tf.cli.identify"]
    assert wrong_imports("cli", "from tools.repository.demo import main") == ["tools.repository.demo.main"]
    assert wrong_imports("networks", "from tensorflow_serving.apis import x") == ["tensorflow_serving.apis.x"]
    assert wrong_imports("models", "import tensorflow as tf") == ["tensorflow"]
    assert not wrong_imports("cli", "from lrfr_tf.study import extract\nfrom lrfr_tf.cli.command import main")
    assert not wrong_imports("study", "from lrfr_tf.networks.embedding import Embedder\nimport tensorflow")
    with pytest.raises(KeyError, match="lrfr_tf.attic.box lies in no room that is known"):
        wrong_imports("entry", "from lrfr_tf.attic import box")
    with pytest.raises(KeyError, match="tools.attic.box lies in no room that is known"):
        room("tools.attic.box")


def test_files_are_not_long() -> None:
    lengths = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in FILES}
    assert not {file: count for file, count in lengths.items() if count > LONGEST}

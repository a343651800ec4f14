"""A command's module imported without the large packages that it asks for: enough to read its flags.

To import TensorFlow and the like takes many seconds; to say that a flag is mistyped should not. So the module of a
command is imported twice: first with stand-ins in the place of the large packages, only for its `Config`, its text and
its `check_flags`, and once these have agreed to the command line, for good.
"""

import contextlib
import importlib
import importlib.abc
import importlib.util
import sys
import types
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec
from typing import Any

LARGE_PACKAGES = frozenset({
    "av", "cv2", "h5py", "joblib", "keras", "keras_facenet", "matplotlib", "mtcnn", "onnx", "onnxruntime", "scipy",
    "sklearn", "tensorboard", "tensorflow", "tensorflow_serving", "tf2onnx", "torch",
})  # fmt: skip


def light_module(name: str, part: str = "") -> Any:
    """Imports the module `name` with stand-ins for the large packages; nothing of that stays in sys.modules.

    Args:
        part: of a module that holds several commands, what its `command_of` is asked for.

    Returns:
        The module or its part, of which nothing that computes may be called. None where a large package is loaded
        already, so that there is nothing to gain, or where the module cannot be imported so.
    """
    if LARGE_PACKAGES & sys.modules.keys():
        return None
    importlib.import_module(name.rpartition(".")[0])  # what a package does when it is imported, it does once
    with _stand_ins():
        try:
            module = importlib.import_module(name)
            return module.command_of(part) if part else module
        except Exception:  # it does with a package what a stand-in cannot do: then it is imported for good, and later
            return None


@contextlib.contextmanager
def _stand_ins() -> Iterator[None]:
    before = set(sys.modules)
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in sys.modules.keys() - before:
            if name.startswith("lrfr_tf.") or _has_stand_ins(sys.modules[name]):
                del sys.modules[name]


def _has_stand_ins(module: types.ModuleType) -> bool:
    """True for a stand-in, and for a module of another package that has imported one."""
    return isinstance(module, _StandInModule) or any(
        isinstance(value, _StandIn | _StandInModule) for value in list(vars(module).values())
    )


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds every module of the large packages, as a stand-in."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        if name.split(".")[0] not in LARGE_PACKAGES:
            return None
        return importlib.util.spec_from_loader(name, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        return _StandInModule(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        pass


class _StandInModule(types.ModuleType):
    """A module that has every name."""

    def __getattr__(self, name: str) -> Any:
        return _own_or_stand_in(name)


class _StandIn:
    """A name of a package: whoever imports it may inherit, annotate, decorate, call, or look for names in it."""

    def __getattr__(self, name: str) -> Any:
        return _own_or_stand_in(name)

    def __call__(self, *values: Any, **more: Any) -> Any:
        decorates = len(values) == 1 and not more and isinstance(values[0], type | types.FunctionType)
        return values[0] if decorates else _StandIn()

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return ()

    def __getitem__(self, key: Any) -> "_StandIn":
        return _StandIn()

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __or__(self, other: Any) -> "_StandIn":
        return _StandIn()

    __ror__ = __or__


def _own_or_stand_in(name: str) -> Any:
    # Python asks for such names to find out what a thing is; of a stand-in they are not to be found.
    if name.startswith("__"):
        raise AttributeError(name)
    return _StandIn()

"""The one wrapper around every script's main function: flags in, exit code out."""

import contextlib
import errno
import importlib
import io
import logging
import os
import select
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, NoReturn, TextIO

from tqdm import tqdm

from lrfr_tf import resumable
from lrfr_tf.config import check_inputs, flags_of, parse, with_flags
from lrfr_tf.errors import UserError
from lrfr_tf.printable import print_every_name, printable
from lrfr_tf.stand_ins import light_module

BAD_INPUT = 2
INTERRUPTED, TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM  # as shells report them
DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT)


class _Terminated(KeyboardInterrupt):
    """SIGTERM: as Ctrl-C, it lets temporary files be removed."""


# Of the command that runs; one process runs one. Threads of the library tell notes, too.
_flags_of_command: Collection[str] = ()


def note(sentence: str) -> None:
    """Tells the user one thing more, on stderr, past any progress bar; settings in it are named as flags."""
    tqdm.write(f"note: {printable(with_flags(sentence, _flags_of_command))}", file=sys.stderr)


class NotesOfLibrary(logging.Handler):
    """Shows as notes what the library logs; nothing of other packages."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one record as a note."""
        note(record.getMessage())


def start(command: str, arguments: Sequence[str] | None = None, part: str = "") -> None:
    """`run` for the module of a command, whose flags are checked before TensorFlow and the like are loaded.

    Args:
        command: the module's name. It has a `Config` and a `main`, and may have a `check_flags`, which raises UserError
            for settings that do not go together; it must need no large package (`lrfr_tf.stand_ins`).
        arguments: the command line, the program's name first; default: sys.argv.
        part: of a module that holds several commands, what its `command_of` is asked for.
    """
    arguments = sys.argv if arguments is None else arguments
    with exit_codes(arguments):
        light = light_module(command, part)
        if light is not None:
            with _library_in_flags(light.Config):
                _checked_settings(light, arguments)
        module: Any = importlib.import_module(command)
        module = module.command_of(part) if part else module
        with _library_in_flags(module.Config):
            module.main(_checked_settings(module, arguments))


def run(
    main: Callable[[Any], None],
    config_class: type,
    arguments: Sequence[str] | None = None,
    description: str | None = None,
) -> None:
    """Parses the command line into `config_class`, calls `main(config)` and exits.

    What --help says above the flags is `description`, or else the docstring of the module of `main`.

    Exit code 0 is success; 2 means bad input, with one sentence on stderr; 130 and 143 mean interrupted. Any other
    error is a defect of ours and keeps its traceback (exit code 1).
    """
    arguments = sys.argv if arguments is None else arguments
    with exit_codes(arguments), _library_in_flags(config_class):
        main(parse(config_class, arguments, description or sys.modules[main.__module__].__doc__ or ""))


@contextlib.contextmanager
def _library_in_flags(config_class: type) -> Iterator[None]:
    """Shows what the library logs, and names the settings in its errors as the flags of the command."""
    global _flags_of_command
    before, flags = _flags_of_command, flags_of(config_class)
    _flags_of_command = flags
    logger, handler = logging.getLogger("lrfr_tf"), NotesOfLibrary(logging.INFO)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    except UserError as error:
        raise UserError(with_flags(str(error), flags)) from error
    finally:
        _flags_of_command = before
        logger.removeHandler(handler)
        logger.setLevel(level)


def _checked_settings(module: Any, arguments: Sequence[str]) -> Any:
    config: Any = parse(module.Config, arguments, getattr(module, "description", None) or module.__doc__ or "")
    check_inputs(config)
    check_flags = getattr(module, "check_flags", None)
    if check_flags is not None:
        check_flags(config)
    return config


@contextlib.contextmanager
def exit_codes(arguments: Sequence[str]) -> Iterator[None]:
    """Turns what ends a command into its exit code and one sentence on stderr (see `run`)."""
    print_every_name()
    resumable.begin()
    try:
        with _termination_as_interruption():
            yield
            sys.stdout.flush()  # what cannot be written is told here, and not by Python at its end
    except SystemExit:
        _close_failed_streams()
        raise
    except UserError as error:
        if "--verbose" in arguments:
            traceback.print_exc()
        _end(BAD_INPUT, str(error))
    except KeyboardInterrupt as interruption:
        go_on = "; start the same command again to go on" if resumable.can_go_on() else ""
        _end(TERMINATED if isinstance(interruption, _Terminated) else INTERRUPTED, f"interrupted{go_on}.")
    except OSError as error:
        failed = _close_failed_streams()
        if isinstance(error, BrokenPipeError) and failed:
            sys.exit(0)  # whoever read the output has seen enough: `lrfr ... | head -1`
        if error.errno == errno.ENAMETOOLONG:
            _end(BAD_INPUT, f"{error.filename} cannot be used: {error.strerror}.")
        if error.errno not in DISK_IS_FULL:
            raise
        _end(BAD_INPUT, f"{error.filename or 'The output'} cannot be written: {error.strerror}.")


def _end(code: int, sentence: str) -> NoReturn:
    with contextlib.suppress(OSError):  # nobody reads it
        print(f"error: {printable(sentence, kept=chr(10))}", file=sys.stderr)
    _close_failed_streams()
    sys.exit(code)


def _close_failed_streams() -> bool:
    """Leads stdout and stderr nowhere if they cannot be written to: Python would complain at its end. True if so."""
    failed = False
    for stream in (sys.stdout, sys.stderr):
        if _has_failed(stream):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
            failed = True
    return failed


def _has_failed(stream: TextIO) -> bool:
    try:
        stream.flush()
        if not hasattr(select, "poll"):  # Windows
            return False
        # What could not be written may be lost already, and a flush with nothing to write succeeds.
        poll = select.poll()
        poll.register(stream.fileno(), select.POLLOUT)
        return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))
    except OSError as error:
        return not isinstance(error, io.UnsupportedOperation)  # a stream in memory has no file


@contextlib.contextmanager
def _termination_as_interruption() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may listen to signals
        return

    def terminate(number: int, frame: Any) -> NoReturn:
        raise _Terminated

    before: Any = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

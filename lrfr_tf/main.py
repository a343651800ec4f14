"""The one wrapper around every script's main function: flags in, exit code out."""

import sys
import traceback
from collections.abc import Callable
from typing import Any

from tqdm import tqdm

from lrfr_tf.config import parse
from lrfr_tf.errors import UserError


def note(sentence: str) -> None:
    """Tells the user one thing more, on stderr, past any progress bar; the command goes on."""
    tqdm.write(f"note: {sentence}", file=sys.stderr)


def run(main: Callable[[Any], None], config_class: type, arguments: list[str] | None = None) -> None:
    """Parses the command line into `config_class`, calls `main(config)` and exits.

    Exit code 0 is success; 2 means bad input, with one sentence on stderr; 130 means interrupted. Any other error is
    a defect of ours and keeps its traceback (exit code 1).
    """
    arguments = sys.argv if arguments is None else arguments
    try:
        config: Any = parse(config_class, arguments, sys.modules[main.__module__].__doc__ or "")
        main(config)
    except UserError as error:
        if "--verbose" in arguments:
            traceback.print_exc()
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("error: interrupted; start the same command again to go on.", file=sys.stderr)
        sys.exit(130)

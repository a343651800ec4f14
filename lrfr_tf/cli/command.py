"""The command `lrfr`: a verb, for some verbs an object (`lrfr train siamese`), and the flags of that command."""

import dataclasses
import sys
from collections.abc import Mapping, Sequence

from lrfr_tf.benchmarks.registry import BENCHMARKS
from lrfr_tf.config import versions
from lrfr_tf.errors import UserError
from lrfr_tf.main import exit_codes, start

HELP_FLAGS = ("--help", "-h")
ONE_BENCHMARK = "lrfr_tf.cli.evaluate_benchmark"


@dataclasses.dataclass(frozen=True)
class Command:
    """A command, or several under one verb.

    Args:
        text: what it does, in one line.
        module: has the `main` and `Config` of a command; imported only when it is called.
        parts: word -> command, of several; `module` is empty then.
        benchmark: the one that is measured, if that is what the command does.
    """

    text: str
    module: str = ""
    parts: "Mapping[str, Command]" = dataclasses.field(default_factory=dict)
    benchmark: str = ""


PREPARE = {
    "folder": Command("photos, <person>/<photo>, into HR and LR faces", "lrfr_tf.cli.prepare_folder"),
    "celeba": Command("CelebA into HR and LR faces", "lrfr_tf.cli.prepare_celeba"),
    "aligned": Command("photos into aligned faces", "lrfr_tf.cli.prepare_aligned"),
    "vggface2": Command("VGGFace2 into aligned faces", "lrfr_tf.cli.prepare_vggface2"),
}
TRAIN = {
    "srcnn": Command("super-resolution: SRCNN", "lrfr_tf.cli.train_srcnn"),
    "srgan": Command("super-resolution: SRGAN, and its generator on pixels alone", "lrfr_tf.cli.train_srgan"),
    "siamese": Command("an embedder: the deep Siamese network", "lrfr_tf.cli.train_siamese"),
    "distillation": Command("an embedder: MobileFaceNet, taught by a larger network", "lrfr_tf.cli.train_distillation"),
    "classifier": Command("classifier heads on stored embeddings", "lrfr_tf.cli.train_classifier"),
}
EVALUATE = {
    **{entry.name: Command(entry.text, ONE_BENCHMARK, benchmark=entry.name) for entry in BENCHMARKS},
    "people": Command("open-set identification on a folder of people", "lrfr_tf.cli.evaluate_people"),
    "pixels": Command("top-1 against the pixels of a face", "lrfr_tf.cli.evaluate_pixels"),
    "verification": Command("verification after super-resolution", "lrfr_tf.cli.evaluate_verification"),
    "super_resolution": Command("PSNR, SSIM and artifacts", "lrfr_tf.cli.evaluate_super_resolution"),
    "celeba": Command("the table and the report of the CelebA experiment", "lrfr_tf.cli.evaluate_celeba"),
    "all": Command("every benchmark whose data is there", "lrfr_tf.cli.evaluate_all"),
}
GALLERY = {
    "create": Command("makes an empty gallery", "lrfr_tf.cli.gallery.create"),
    "enroll": Command("takes in photos of a person, or a folder of people", "lrfr_tf.cli.gallery.enroll"),
    "list": Command("who is enrolled", "lrfr_tf.cli.gallery.list_"),
    "show": Command("one person's references, as text and as a picture", "lrfr_tf.cli.gallery.show"),
    "check": Command("whether everybody is recognized, and who is taken for whom", "lrfr_tf.cli.gallery.check"),
    "rename": Command("gives a person another name", "lrfr_tf.cli.gallery.rename"),
    "merge": Command("makes two persons one", "lrfr_tf.cli.gallery.merge"),
    "split": Command("makes one person two", "lrfr_tf.cli.gallery.split"),
    "move": Command("gives references to another person", "lrfr_tf.cli.gallery.move"),
    "set_aside": Command("takes a reference out of the comparison, and keeps it", "lrfr_tf.cli.gallery.set_aside"),
    "restore": Command("puts a reference back", "lrfr_tf.cli.gallery.restore"),
    "expire": Command("sets an end date, or applies those that have passed", "lrfr_tf.cli.gallery.expire"),
    "forget": Command("removes a person and overwrites all data", "lrfr_tf.cli.gallery.forget"),
    "subject_export": Command("writes everything stored about a person", "lrfr_tf.cli.gallery.subject_export"),
    "audit": Command("what was changed and decided, and when", "lrfr_tf.cli.gallery.audit"),
    "confirm": Command("notes that a person looked at a candidate", "lrfr_tf.cli.gallery.confirm"),
    "export": Command("writes everybody into a zip", "lrfr_tf.cli.gallery.export"),
    "import": Command("takes over an export or a backup", "lrfr_tf.cli.gallery.import_"),
    "backup": Command("copies the file while it is in use", "lrfr_tf.cli.gallery.backup"),
    "migrate": Command("embeds the stored pictures with another network", "lrfr_tf.cli.gallery.migrate"),
}
KEY = {
    "create": Command("makes a key of the service, and prints it once", "lrfr_tf.cli.key.create"),
    "list": Command("which keys there are", "lrfr_tf.cli.key.list_"),
    "revoke": Command("takes a key out of force", "lrfr_tf.cli.key.revoke"),
}
LRFR = Command(
    "low-resolution face recognition",
    parts={
        "identify": Command("identifies the people in a photo, a folder or a video", "lrfr_tf.cli.identify"),
        "gallery": Command("keeps people in a file: enrolls, corrects, forgets", parts=GALLERY),
        "serve": Command("answers over HTTP who is in a photo, and keeps people", "lrfr_tf.cli.serve"),
        "key": Command("who may ask the service", parts=KEY),
        "super-resolve": Command("enlarges the LR faces of a prepared tree", "lrfr_tf.cli.super_resolve"),
        "detect": Command("finds the faces in photos, and writes their landmarks", "lrfr_tf.cli.make_landmarks"),
        "embed": Command("finds, crops and embeds the faces of a prepared tree", "lrfr_tf.cli.extract_embeddings"),
        "prepare": Command("makes data sets to train on", parts=PREPARE),
        "train": Command("trains a network", parts=TRAIN),
        "evaluate": Command("measures a network", parts=EVALUATE),
        "export": Command("writes a trained network as a SavedModel", "lrfr_tf.cli.export_saved_model"),
        "calibrate": Command(
            "measures how similar strangers look to an embedder, for thresholds", "lrfr_tf.cli.calibrate"
        ),
        "models": Command("lists the networks that can be given by name, and their terms", "lrfr_tf.cli.models"),
    },
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Calls the command that the words name; `arguments` are those after the program's name, or else sys.argv's.

    Raises:
        SystemExit: as `lrfr_tf.main.run` does; with 2, and one sentence on stderr, if no such command is known.
    """
    words = sys.argv[1:] if arguments is None else arguments
    with exit_codes(words):
        if list(words) == ["--version"]:
            print(f"lrfr-tf {versions()['lrfr-tf']}")
        else:
            _call(LRFR, "lrfr", words)


def _call(command: Command, name: str, words: Sequence[str]) -> None:
    if command.module:
        start(command.module, [name, *words], command.benchmark)
    elif not words or words[0] in HELP_FLAGS:
        print(_overview(command, name))
    elif words[0] in command.parts:
        _call(command.parts[words[0]], f"{name} {words[0]}", words[1:])
    else:
        raise UserError(f"{words[0]!r} is no command of {name}; those are {', '.join(command.parts)}.")


def _overview(command: Command, name: str) -> str:
    width = max(map(len, command.parts))
    lines = []
    for word, part in command.parts.items():
        several = f": {', '.join(part.parts)}" if part.parts else ""
        lines.append(f"{word:<{width}}  {part.text}{several}")
    usage = f"{name} <command> --flag=value ...; {name} <command> --help lists the flags"
    return "\n".join([f"{name}: {command.text}", "", f"    {usage}", "", *lines])

"""Sends faces to a model in TF-Serving, and prints or writes what it answers.

    python -m lrfr_tf.cli.query_serving --model=classifier --signature=identify --faces=crops
    python -m lrfr_tf.cli.query_serving --model=siamese --signature=embed --faces=photos --detect \\
        --output=embeddings.npz
    python -m lrfr_tf.cli.query_serving --model=siamese --signature=verify --faces=photos --against=me.jpg \\
        --detect --json
    python -m lrfr_tf.cli.query_serving --model=srgan --signature=super_resolve --faces=crops --output=large \\
        --protocol=grpc

Each picture must be one face that is cut out as the model wants it; whole photos are refused, or cropped by --detect.
Files that fail are named on stderr and the rest go on; the exit code is 2 only if none has an answer or the server
fails. docs/serving.md tells how a server is started.
"""

import dataclasses
from pathlib import Path

from lrfr_tf.config import option, required
from lrfr_tf.errors import UserError
from lrfr_tf.main import note, start
from lrfr_tf.recognition.calibration import FPIR, DecisionRule, Threshold
from lrfr_tf.tf_serving.answers import identity_lines, similarity_lines, write_embeddings, write_images
from lrfr_tf.tf_serving.ask import Answers, Query, query_in_batches
from lrfr_tf.tf_serving.client import (
    Connection,
    ServedModel,
    ServedSignature,
    ServingError,
    call_with_retries,
    find_signature,
)
from lrfr_tf.tf_serving.faces import Looker, NoCropError, list_faces
from lrfr_tf.tf_serving.local_export import find_export
from lrfr_tf.tf_serving.rest_client import FORMS, REST_PORT, RestConnection
from lrfr_tf.tf_serving.whole_photos import CropChecker

# What each verb answers with.
OUTPUTS = {
    "identify": {"identity", "score"},
    "embed": {"embedding"},
    "verify": {"similarity"},
    "super_resolve": {"images"},
}


@dataclasses.dataclass(frozen=True)
class Config:
    model: str = required("the model's name in the server's models.config")
    faces: str = required("a folder of faces, or one image file")
    signature: str = option("identify", "what to ask for", choices=(*OUTPUTS, *(f"{verb}_bytes" for verb in OUTPUTS)))
    output: str | None = option(None, "where to write: an .npz file for embed, a new folder for super_resolve")
    against: str | None = option(None, "the image file that verify compares every face with")
    protocol: str = option("rest", "how to speak to the server", choices=("rest", "grpc"))
    host: str = option("localhost", "the server")
    port: int | None = option(None, "its port; default: 8501 for REST, 8500 for gRPC")
    version: int | None = option(None, "version of the model; default: the newest that is served")
    as_pixels: bool = option(False, "decode here and send pixels; default: send the files, which the server decodes")
    rest_form: str = option("columns", 'write REST requests in columns ("inputs") or rows ("instances")', choices=FORMS)
    batch: int = option(8, "most faces in a request", at_least=1)
    timeout: float = option(30.0, "seconds to wait for an answer", above=0)
    retries: int = option(3, "how often to ask again where the server is not available", at_least=0)
    json: bool = option(False, "print JSON lines in place of a table")
    detect: bool = option(False, "--faces are whole photos: the face that is meant is cut out of each and sent")
    cropped: bool = option(False, "--faces are surely crops: no detector looks whether one is a whole photo")
    min_face_size: int = option(20, "smallest face to look for, in pixels", at_least=5)
    export: str | None = option(
        None, "the folder of the export that the server answers with, for --detect and the threshold of identify; "
        "default: the local one of the same name and version"
    )  # fmt: skip
    fpir: float | None = option(
        None, "false positive identification rate of identify: the share of decisions about strangers that give a "
        f"name; default {FPIR}"
    )  # fmt: skip
    far: float | None = option(None, "instead of --fpir, the false accept rate of each comparison with one person")
    threshold: float | None = option(None, "instead of both, the least score for a name")


def main(config: Config) -> None:
    verb = config.signature.removesuffix("_bytes")
    check_flags(config)
    rule = DecisionRule(FPIR if config.fpir is None else config.fpir, config.far, config.threshold)
    faces = list_faces(Path(config.faces))
    against = None if config.against is None else list_faces(Path(config.against))[0]
    connection = connect(config)
    model = call_with_retries(lambda: connection.describe(config.model, config.version), config.retries)
    signature = find_signature(model, verb if config.as_pixels else f"{verb}_bytes")
    if not signature.outputs.keys() >= OUTPUTS[verb]:
        raise ServingError(f"{signature.name} of {model.name} answers with {', '.join(sorted(signature.outputs))}.")
    threshold, sentence = threshold_of(config, model, signature, rule) if verb == "identify" else (None, "")
    look = looker(config, model, signature)
    query = Query(connection, model, signature, config.batch, config.retries, against, look)
    answers = told(config, query_in_batches(query, faces), len(faces), sentence)
    try:
        if verb == "embed":
            write_embeddings(Path(str(config.output)), model, faces, answers, tell=print)
        elif verb == "super_resolve":
            write_images(Path(str(config.output)), faces, answers, print)
        else:
            for line in (
                similarity_lines(faces, answers, config.json)
                if verb == "verify"
                else identity_lines(faces, answers, config.json, threshold)
            ):
                print(line, flush=True)
    except NoCropError as error:
        raise UserError(in_words(config, error)) from None
    finally:
        for sentence in [] if look is None else look.notes():
            note(sentence)


def told(config: Config, answers: Answers, count: int, sentence: str) -> Answers:
    """The same answers; what went wrong is told at once, but of an only face, with which the command ends.

    Args:
        sentence: told with the first face that has an answer.
    """
    for answer in answers:
        if sentence and answer.error is None:
            note(sentence)
            sentence = ""
        if answer.error is not None and count > 1:
            note(in_words(config, answer.error))
        yield answer


def in_words(config: Config, error: UserError) -> str:
    """The sentence of an error, and what can be done about a picture that is no crop."""
    if config.detect or not isinstance(error, NoCropError):
        return str(error)
    return f"{str(error).removesuffix('.')}; --detect finds its face and sends that."


def threshold_of(
    config: Config, model: ServedModel, signature: ServedSignature, rule: DecisionRule
) -> tuple[Threshold | None, str]:
    """From which score on a name is given, as the local recognizer has it, and what there is to say about it.

    None where nobody knows.
    """
    try:
        threshold = find_export(config.export or config.model, model, signature).threshold(rule)
    except UserError as error:
        if config.export is not None:
            raise
        if rule.threshold is None:
            return None, (
                f"From which score on a name is given, nobody can say here: {error} --export=FOLDER names the export, "
                "--threshold a score."
            )
        threshold = rule.threshold_for(None, 1)
    return threshold, threshold.in_words()


def looker(config: Config, model: ServedModel, signature: ServedSignature) -> Looker | None:
    """What looks at every picture before it is sent."""
    if config.cropped:
        return None
    if not config.detect:
        return CropChecker(config.min_face_size)
    try:
        export = find_export(config.export or config.model, model, signature)
    except UserError as error:
        raise UserError(
            f"--detect must know how {model.name} wants its faces, and takes that from the export: {error} "
            "--export=FOLDER names it."
        ) from None
    from lrfr_tf.tf_serving.crop_faces import FaceCropper, cutter_for  # imports TensorFlow, which takes a while

    return FaceCropper(cutter_for(export.record, config.min_face_size, both_meant=config.against is not None))


def check_flags(config: Config) -> None:
    """Refuses flags that do not go together, before anything is sent."""
    verb = config.signature.removesuffix("_bytes")
    if config.as_pixels and config.signature.endswith("_bytes"):
        raise UserError(f"--as_pixels sends pixels, but --signature={config.signature} takes files.")
    if (config.against is not None) != (verb == "verify"):
        raise UserError("--signature=verify needs --against=<image file>, and no other takes it.")
    if config.against is not None and not Path(config.against).is_file():
        raise UserError(f"--against={config.against} is not a file.")
    if (config.output is not None) != (verb in ("embed", "super_resolve")):
        raise UserError("--output is needed for embed and super_resolve, and no other writes files.")
    if verb == "embed" and (Path(str(config.output)).suffix != ".npz" or Path(str(config.output)).is_dir()):
        raise UserError(f"--output={config.output} should be an .npz file.")
    if verb == "super_resolve" and Path(str(config.output)).exists():
        raise UserError(f"--output={config.output} is there already; give the name of a new folder.")
    if config.detect and config.cropped:
        raise UserError("--detect is for whole photos and --cropped for crops; give one of them.")
    rates = sum(rate is not None for rate in (config.fpir, config.far, config.threshold))
    if rates > 1 or (rates and verb != "identify"):
        raise UserError("Give one of --fpir, --far and --threshold, and only with --signature=identify.")
    if config.port is not None and not 1 <= config.port <= 65535:
        raise UserError(f"--port={config.port} is no port; they are numbered 1 to 65535.")


def connect(config: Config) -> Connection:
    if config.protocol == "rest":
        return RestConnection(config.host, config.port or REST_PORT, config.timeout, config.rest_form)
    try:
        from lrfr_tf.tf_serving.grpc_client import (
            GRPC_PORT,
            GrpcConnection,
        )  # imports TensorFlow, which takes a while
    except ModuleNotFoundError as error:
        raise UserError(
            f"--protocol=grpc needs the package tensorflow-serving-api ({error.name} is missing)."
        ) from None
    return GrpcConnection(config.host, config.port or GRPC_PORT, config.timeout)


if __name__ == "__main__":
    start("lrfr_tf.cli.query_serving")

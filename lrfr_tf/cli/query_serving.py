"""Sends faces to a model in TF-Serving, and prints or writes what it answers.

    python tools/query_serving.py --model=classifier --signature=identify --faces=photos
    python tools/query_serving.py --model=siamese --signature=embed --faces=photos --output=embeddings.npz
    python tools/query_serving.py --model=siamese --signature=verify --faces=photos --against=me.jpg --json
    python tools/query_serving.py --model=srgan --signature=super_resolve --faces=photos --output=large --protocol=grpc

docs/serving.md tells how a server is started.
"""

import dataclasses
from pathlib import Path

from lrfr_tf.config import option, required
from lrfr_tf.errors import UserError
from lrfr_tf.tf_serving.answers import print_answers, write_embeddings, write_images
from lrfr_tf.tf_serving.client import Connection, ServingError, find_signature, with_patience
from lrfr_tf.tf_serving.faces import Query, ask_for_faces, list_faces
from lrfr_tf.tf_serving.over_rest import FORMS, REST_PORT, RestConnection

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


def main(config: Config) -> None:
    verb = config.signature.removesuffix("_bytes")
    check(config, verb)
    faces = list_faces(Path(config.faces))
    against = None if config.against is None else list_faces(Path(config.against))[0]
    connection = connect(config)
    model = with_patience(lambda: connection.describe(config.model, config.version), config.retries)
    signature = find_signature(model, verb if config.as_pixels else f"{verb}_bytes")
    if not signature.outputs.keys() >= OUTPUTS[verb]:
        raise ServingError(f"{signature.name} of {model.name} answers with {', '.join(sorted(signature.outputs))}.")
    answers = ask_for_faces(Query(connection, model, signature, config.batch, config.retries, against), faces)
    if verb == "embed":
        write_embeddings(Path(str(config.output)), model, faces, answers)
    elif verb == "super_resolve":
        write_images(Path(str(config.output)), faces, answers)
    else:
        print_answers(faces, answers, config.json)


def check(config: Config, verb: str) -> None:
    """Refuses flags that do not go together, before anything is sent."""
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
    if config.port is not None and not 1 <= config.port <= 65535:
        raise UserError(f"--port={config.port} is no port; they are numbered 1 to 65535.")


def connect(config: Config) -> Connection:
    if config.protocol == "rest":
        return RestConnection(config.host, config.port or REST_PORT, config.timeout, config.rest_form)
    try:
        from lrfr_tf.tf_serving.over_grpc import (
            GRPC_PORT,
            GrpcConnection,
        )  # imports TensorFlow, which takes a while
    except ModuleNotFoundError as error:
        raise UserError(
            f"--protocol=grpc needs the package tensorflow-serving-api ({error.name} is missing)."
        ) from None
    return GrpcConnection(config.host, config.port or GRPC_PORT, config.timeout)

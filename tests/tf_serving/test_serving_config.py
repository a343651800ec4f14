"""The files of serving/ are what the server's flags read, and fit the shipped models."""

import re
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format, wrappers_pb2
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

ROOT = Path(__file__).parents[2]
SERVING = ROOT / "serving"
NOT_SHIPPED = {"classifier", "facenet"}


def message(name: str, fields: dict[str, str]) -> Any:
    """A message type of the server that tensorflow-serving-api does not hold: field -> its type in the .proto file."""
    file = descriptor_pb2.FileDescriptorProto(name=f"{name}.proto", package="stand_in", syntax="proto3")
    file.dependency.append("google/protobuf/wrappers.proto")
    made = file.message_type.add(name=name)
    plain = {"bool": 8, "string": 9, "int64": 3}
    for number, (field, kind) in enumerate(fields.items(), 1):
        repeated = kind.startswith("repeated ")
        added = made.field.add(name=field, number=number, label=3 if repeated else 1)
        kind = kind.removeprefix("repeated ")
        if kind in plain:
            added.type = plain[kind]
        else:
            added.type, added.type_name = 11, kind
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"stand_in.{name}"))()


def test_the_shipped_models_are_served_by_their_names() -> None:
    text = (SERVING / "models.config").read_text()
    shipped = {path.parent.name for path in ROOT.glob("saved_models/*/MODEL_CARD.md")}
    config = text_format.Parse(text, ModelServerConfig()).model_config_list.config
    assert {model.name for model in config} == shipped - NOT_SHIPPED
    # The others are there as well, for those who export them.
    whole = text_format.Parse(re.sub(r"# (config \{)", r"\1", text), ModelServerConfig()).model_config_list.config
    assert {model.name for model in whole} == shipped | NOT_SHIPPED
    for model in whole:
        assert model.base_path == f"/models/{model.name}"
        assert model.model_platform == "tensorflow"
        assert model.model_version_policy.latest.num_versions == 1


def test_the_batching_parameters() -> None:
    integer = ".google.protobuf.Int64Value"
    parameters = message(
        "BatchingParameters",
        {
            "max_batch_size": integer, "batch_timeout_micros": integer, "max_enqueued_batches": integer,
            "num_batch_threads": integer, "thread_pool_name": ".google.protobuf.StringValue",
            "allowed_batch_sizes": "repeated int64", "pad_variable_length_inputs": "bool",
        },
    )  # fmt: skip
    text_format.Parse((SERVING / "batching.config").read_text(), parameters)
    assert parameters.max_batch_size.value == 32
    assert not parameters.pad_variable_length_inputs
    allowed = list(parameters.allowed_batch_sizes)
    assert not allowed or (allowed == sorted(allowed) and allowed[-1] == parameters.max_batch_size.value)


def test_the_container_mounts_what_its_flags_name() -> None:
    text = (SERVING / "compose.yaml").read_text()
    assert "../saved_models:/models:ro" in text
    assert ".:/serving:ro" in text
    named = re.findall(r"/serving/(\S+)", text)
    assert sorted(named) == ["batching.config", "models.config", "monitoring.config"]
    assert all((SERVING / name).is_file() for name in named)
    assert re.findall(r"127\.0\.0\.1:(\d+):(\d+)", text) == [("8500", "8500"), ("8501", "8501")]

"""The first system from photos to the report, as a user runs it, on a few faces."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lrfr_tf.cli import train_classifier, train_srcnn, train_srgan
from lrfr_tf.data.embeddings import load_embeddings
from lrfr_tf.data.face_cache import load_faces
from lrfr_tf.data.folders import list_faces, read_classes
from lrfr_tf.faces.align import align_face
from lrfr_tf.files import read_json
from lrfr_tf.images.decode import read_image, write_png
from lrfr_tf.networks.embedding import Embedder, load_embedder
from lrfr_tf.networks.super_resolution import load_super_resolver
from tests.cli.conftest import Tool
from tests.tools.small_embedders import embed_by_hand, pillow, write_small_embedder
from tests.tools.small_runs import small_embedder, times_below

METHODS = ("hr", "bicubic", "srcnn", "srgan")
HEADS = ("logistic", "mlp", "cosine")
IMAGES = {"train": 12, "val": 4, "test": 4}


class Chain:
    """The commands of the experiment, each with the flags that a user would give."""

    def __init__(self, root: Path, photos: Path, tool: Tool) -> None:
        self.root, self.photos, self.tool = root, photos, tool
        self.data, self.embeddings = root / "faces", root / "embeddings"
        self.siamese = write_small_embedder(root / "siamese" / "1")

    def run_tool(self, name: str, **settings: object) -> None:
        module = self.tool(name)
        module.main(module.Config(**settings))

    def run(self) -> None:
        data, root = str(self.data), self.root
        self.run_tool("prepare_folder", images=str(self.photos), output=data)
        small = {"data": (data,), "batch_size": 4, "jit_compile": "off", "identity_similarity": "off"}
        train_srcnn.main(train_srcnn.Config(**small, output=str(root / "srcnn"), steps=4))
        train_srgan.main(
            train_srgan.Config(
                **small,
                output=str(root / "srgan"),
                pixel_steps=3,
                adversarial_steps=2,
                blocks=1,
                filters=8,
                batch_norm=False,
                pixel_weight=1.0,
                perceptual_weight=0.0,
            )  # fmt: skip
        )
        self.run_tool("super_resolve", data=data, model=("bicubic", f"{root}/srcnn/model", f"{root}/srgan/model"))
        # After five steps SRGAN shows no face that could be found; the HR box stands in, so that every head has rows.
        self.run_tool("extract_embeddings", data=data, output=str(self.embeddings), methods=METHODS, policy="hr_box")
        train_classifier.main(
            train_classifier.Config(embeddings=str(self.embeddings), output=str(root / "heads"), epochs=3)
        )
        self.run_tool("compare_detection", embeddings=str(self.embeddings), output=str(root / "boxes"))
        siamese = {"embedder": str(self.siamese), "crop": "aligned", "policy": "hr_box"}
        embeddings, heads = str(root / "siamese_embeddings"), str(root / "siamese_heads")
        self.run_tool("extract_embeddings", data=data, output=embeddings, methods=("hr", "bicubic"), **siamese)
        train_classifier.main(train_classifier.Config(embeddings=embeddings, output=heads, head=("logistic", "cosine")))
        self.run_tool(
            "evaluate_pixels", data=data, embeddings=str(self.embeddings), output=str(root / "pixels" / "result.json"),
            models=(f"srcnn={root}/srcnn/model",), siamese=str(self.siamese), siamese_embeddings=embeddings,
            sizes=(4, 16, 64), held_out_divisor=5,
        )  # fmt: skip
        self.run_tool(
            "evaluate_celeba", data=data, embeddings=str(self.embeddings), heads=str(root / "heads"),
            output=str(root / "report"), held_out_divisor=5, siamese_embeddings=embeddings, siamese_heads=heads,
            pixels=str(root / "pixels" / "result.json"),
        )  # fmt: skip


def small_facenet(model: str, weights: Path | None = None) -> Embedder:
    """In the place of `load_embedder`: a stand-in for FaceNet, and exports as they are."""
    return small_embedder() if model == "facenet-128" else load_embedder(model)


@pytest.fixture(scope="module")
def chain(photos: Path, tool: Tool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("extract_embeddings", "evaluate_pixels"):
            patch.setattr(tool(name), "load_embedder", small_facenet)
        chain = Chain(tmp_path_factory.mktemp("chain"), photos, tool)
        chain.run()
        yield chain


def test_the_tree_holds_every_method_with_the_same_images(chain: Chain) -> None:
    manifest = read_json(chain.data / "manifest.json")
    assert manifest["images"] == IMAGES
    assert manifest["identities"] == 4
    assert manifest["images_without_face"] == []
    assert read_classes(chain.data) == ["1", "2", "3", "10"]
    for split, count in IMAGES.items():
        paths = [face.path for face in list_faces(chain.data / "hr", split)]
        assert len(paths) == count
        for kind, size in (("lr", 16), ("hr", 64), ("bicubic", 64), ("srcnn", 64), ("srgan", 64)):
            faces = list_faces(chain.data / kind, split)
            assert [face.path for face in faces] == paths
            assert load_faces(chain.data / kind / split, faces).shape == (count, size, size, 3)
    # The rule of the experiment: first photo tests, second validates.
    assert [path.name for path in sorted((chain.data / "hr" / "test" / "10").iterdir())] == ["00.png"]
    assert [path.name for path in sorted((chain.data / "hr" / "val" / "10").iterdir())] == ["01.png"]


def test_the_super_resolved_faces_are_those_of_the_stored_models(chain: Chain) -> None:
    low = load_faces(chain.data / "lr" / "test", list_faces(chain.data / "lr", "test"))
    for method in ("srcnn", "srgan"):
        resolver = load_super_resolver(chain.root / method / "model")
        stored = load_faces(chain.data / method / "test", list_faces(chain.data / method, "test"))
        assert np.array_equal(stored, resolver.super_resolve(low))
        assert read_json(chain.data / method / "manifest.json")["model_sha256"] == resolver.checksum


def test_the_counts_of_all_records_agree(chain: Chain) -> None:
    result = read_json(chain.root / "report" / "result.json")
    summary = read_json(chain.root / "boxes" / "summary.json")
    heads = read_json(chain.root / "heads" / "run.json")["results"]
    assert {(row["method"], row["head"]) for row in heads} == {(m, h) for m in METHODS for h in HEADS}
    assert result["classes"] == 4
    assert result["data"]["images"] == IMAGES
    assert set(result["blocks"]) == {"held_out", "all"}
    tests = {method: load_embeddings(chain.embeddings / method, "test") for method in METHODS}
    for method, row in (("bicubic", "siamese"), ("hr", "siamese_hr")):
        tests[row] = load_embeddings(chain.root / "siamese_embeddings" / method, "test")
        # The same detector on the same images.
        assert np.array_equal(tests[row].landmarks, tests[method].landmarks, equal_nan=True)
    detected = {method: test.detected for method, test in tests.items()}
    held_out = np.array([path.startswith("10/") for path in tests["hr"].paths])
    for name, chosen in (("all", np.ones(4, bool)), ("held_out", held_out)):
        block = result["blocks"][name]
        assert block["images"] == block["identities"] == chosen.sum()
        # Heads fitted on HR are tried on all four methods, the others on their own: 4 x 3 + 3 x 3; and those of the
        # Siamese network on HR and bicubic: 2 x 2 + 2.
        assert len(block["recognition"]) == 21 + 6
        in_all = np.logical_and.reduce(list(detected.values())) & chosen
        for row in block["recognition"]:
            assert row["all"]["images"] == chosen.sum()
            assert row["detected"]["images"] == (detected[row["method"]] & chosen).sum()
            assert row["intersection"]["images"] == in_all.sum()
            hits = row["all"]["top_1"]["mean"] * chosen.sum()
            assert hits == pytest.approx(round(hits))
            assert hits <= (tests[row["method"]].usable & chosen).sum()
        for method in METHODS:
            assert block["quality"][method]["detected"]["mean"] == pytest.approx(detected[method][chosen].mean())
    for method in METHODS[1:]:
        assert result["blocks"]["all"]["boxes"][method] == summary["methods"][method]
        found = summary["methods"][method]["found"]
        assert sum(found.values()) == 4
        assert found["both"] == (detected["hr"] & detected[method]).sum()
        lines = (chain.root / "boxes" / f"boxes_{method}.csv").read_text().splitlines()
        assert len(lines) == 1 + 4
    # The persons differ in tint alone, which the stand-in sees: all HR faces are found and recognized.
    assert detected["hr"].all()
    logistic = next(r for r in result["blocks"]["all"]["recognition"] if (r["method"], r["head"]) == ("hr", "logistic"))
    assert logistic["all"]["top_1"]["mean"] == 1.0


def test_the_siamese_row_is_its_nearest_gallery_face(chain: Chain) -> None:
    """Computed once more from the images: align, look at 8 x 8 pixels, nearest of all HR training faces."""
    result = read_json(chain.root / "report" / "result.json")
    assert result["siamese"]["template"] == "lai"
    embeddings = chain.root / "siamese_embeddings"
    gallery = load_embeddings(embeddings / "hr", "train")
    tests = {method: load_embeddings(embeddings / method, "test") for method in ("hr", "bicubic")}
    rows = {
        (row["method"], row["head"], row["trained_on"]): row for row in result["blocks"]["all"]["recognition"]
    }  # fmt: skip
    for method, name in (("bicubic", "siamese"), ("hr", "siamese_hr")):
        right = []
        for index, path in enumerate(tests[method].paths):
            own = tests[method].detected[index]
            points = tests[method].landmarks[index] if own else tests["hr"].landmarks[index]
            face = align_face(read_image(chain.data / method / "test" / path), points)
            nearest = int(np.argmax(gallery.embeddings @ embed_by_hand(face)))
            right.append(gallery.labels[nearest] == tests[method].labels[index])
        assert rows[name, "cosine", "hr"]["all"]["top_1"]["mean"] == pytest.approx(np.mean(right))
    assert {key for key in rows if key[0].startswith("siamese")} == {
        (method, head, fitted_on)
        for head in ("logistic", "cosine")
        for method, fitted_on in (("siamese", "hr"), ("siamese_hr", "hr"), ("siamese", "siamese"))
    }
    assert all("p_against_bicubic" in rows["siamese", head, "hr"] for head in ("logistic", "cosine"))


def test_the_curve_against_pixels_is_computed_in_another_way_too(chain: Chain) -> None:
    result = read_json(chain.root / "pixels" / "result.json")
    assert result["counts"] == {
        "test_images": 4,
        "gallery_images": 12,
        "gallery_identities": 4,
        "gallery_images_without_face_in_hr": 0,
        "probes": 4,
        "probes_without_face_in_hr": 0,
        "probes_without_gallery_face": 0,
    }
    assert [block["images"] for block in result["blocks"].values()] == [1, 4]
    curves = result["blocks"]["all"]["curves"]
    assert list(curves) == ["bicubic", "srcnn", "siamese"]
    folders = {"bicubic": chain.embeddings, "srcnn": chain.embeddings, "siamese": chain.root / "siamese_embeddings"}
    resolver = load_super_resolver(chain.root / "srcnn" / "model")
    for method, points in curves.items():
        gallery, test = (load_embeddings(folders[method] / "hr", split) for split in ("train", "test"))
        assert [point["pixels"] for point in points] == [4, 16, 64]
        for point in points:
            right = []
            for path, label, box, landmarks in zip(test.paths, test.labels, test.boxes, test.landmarks, strict=True):
                face = read_image(chain.data / "hr" / "test" / path)
                small = pillow(face, point["pixels"], point["pixels"])
                if method == "srcnn":
                    face = resolver.super_resolve(pillow(small, 16, 16)[None])[0]
                else:
                    face = pillow(small, 64, 64)
                if method == "siamese":
                    embedding = embed_by_hand(align_face(face, landmarks))
                else:
                    (x1, y1), (x2, y2) = np.floor(box[:2]).astype(int), np.ceil(box[2:]).astype(int)
                    embedding = small_embedder().embed([face[y1:y2, x1:x2]])[0]
                right.append(gallery.labels[np.argmax(gallery.embeddings @ embedding)] == label)
            assert point["top_1"]["mean"] == pytest.approx(np.mean(right))
    for block in ("held_out", "all"):
        assert (chain.root / "pixels" / f"result.{block}.png").read_bytes().startswith(b"\x89PNG")


def test_the_report_is_there_in_both_forms(chain: Chain) -> None:
    report = chain.root / "report"
    page = (report / "report.html").read_text(encoding="utf-8")
    assert page.lstrip().lower().startswith("<!doctype html>")
    for outside in ("<script src", "<link", 'src="http', "url(http"):
        assert outside not in page
    text = (report / "report.md").read_text(encoding="utf-8")
    pictures = {line.split("](")[1].split(")")[0] for line in text.splitlines() if line.startswith("![")}
    assert pictures
    assert all((report / picture).is_file() for picture in pictures)
    json.dumps(read_json(report / "result.json"), allow_nan=False)


def test_the_whole_chain_again_does_nothing_new(chain: Chain) -> None:
    kept = ("faces/**/*.png", "embeddings/**/*.npz", "*/checkpoints/*", "*/*model/*")
    before = {pattern: times_below(chain.root, pattern) for pattern in kept}
    assert [len(files) for files in before.values()][:2] == [5 * 20, 4 * 3]
    result = read_json(chain.root / "report" / "result.json")
    chain.run()
    for pattern, times in before.items():
        assert times_below(chain.root, pattern) == times
    again = read_json(chain.root / "report" / "result.json")
    for one in (result, again):
        del one["seconds"], one["pixels"]["seconds"]
    assert again == result


def test_the_policies_differ_in_which_faces_are_usable(chain: Chain, tmp_path: Path) -> None:
    data = tmp_path / "faces"
    for kind in ("hr", "bicubic"):
        shutil.copytree(chain.data / kind / "test", data / kind / "test")
    for name in ("manifest.json", "classes.json"):
        shutil.copy(chain.data / name, data / name)
    # No face in the method's image of person 1, and none in either image of person 2.
    grey = np.full((64, 64, 3), 128, np.uint8)
    for kind, person in (("bicubic", "1"), ("bicubic", "2"), ("hr", "2")):
        write_png(data / kind / "test" / person / "00.png", grey)
    usable = {}
    for policy in ("miss", "whole", "hr_box"):
        output = tmp_path / policy
        chain.run_tool(
            "extract_embeddings", data=str(data), output=str(output), methods=("hr", "bicubic"), splits=("test",),
            policy=policy,
        )  # fmt: skip
        high, low = (load_embeddings(output / method, "test") for method in ("hr", "bicubic"))
        usable[policy] = low.usable
        assert low.detected.tolist()[:2] == [False, False]
        assert high.detected.tolist()[:2] == [True, False]
        assert (np.linalg.norm(low.embeddings, axis=1) > 0.99).tolist() == low.usable.tolist()
        expected = {"miss": low.detected, "whole": np.ones(4, bool), "hr_box": low.detected | high.detected}[policy]
        assert low.usable.tolist() == expected.tolist()
    assert [usable[policy][:2].tolist() for policy in usable] == [[False, False], [True, True], [True, False]]


@pytest.mark.facenet
def test_the_sample_photos_are_recognized_within_bands(
    tool: Tool, sample_photos: Path, facenet_weights: Path, tmp_path: Path
) -> None:
    """Real photos and real weights; 25 test photos of five persons, so one is 4 percentage points."""
    chain = Chain(tmp_path, sample_photos, tool)
    data = str(chain.data)
    chain.run_tool(
        "prepare_folder", images=str(sample_photos / "train"), test_images=str(sample_photos / "val"), output=data
    )
    manifest = read_json(chain.data / "manifest.json")
    # One of the 93 training photos is known to show no face that the detector is sure of; all 25 test photos do.
    assert manifest["images"] == {"test": 25, "train": 87, "val": 5}
    assert len(manifest["images_without_face"]) == 1
    chain.run_tool("super_resolve", data=data, model=("bicubic",))
    chain.run_tool(
        "extract_embeddings", data=data, output=str(chain.embeddings), methods=("hr", "bicubic"),
        facenet_weights=str(facenet_weights),
    )  # fmt: skip
    heads, report = str(tmp_path / "heads"), tmp_path / "report"
    train_classifier.main(
        train_classifier.Config(embeddings=str(chain.embeddings), output=heads, head=("logistic", "cosine"))
    )
    chain.run_tool(
        "evaluate_celeba", data=data, embeddings=str(chain.embeddings), heads=heads, output=str(report),
        methods=("hr", "bicubic"),
    )  # fmt: skip
    rows = read_json(report / "result.json")["blocks"]["all"]["recognition"]
    top_1 = {(row["method"], row["head"], row["trained_on"]): row["all"]["top_1"]["mean"] for row in rows}
    for head in ("logistic", "cosine"):
        assert top_1["hr", head, "hr"] >= 0.92
        # The frame is 1.3 times the box, so a face is 12 of the 16 pixels wide: measured 0.29 to 0.38, chance is 0.2.
        assert 0.24 <= top_1["bicubic", head, "hr"] < top_1["hr", head, "hr"]
        # Heads that were fitted on blurred faces know them better: measured 0.67 to 0.75.
        assert top_1["bicubic", head, "hr"] < top_1["bicubic", head, "bicubic"] < top_1["hr", head, "hr"]
        assert top_1["bicubic", head, "bicubic"] >= 0.40

"""Photos -> aligned trees -> memory: places, contents, resuming, bad photos, who stays out."""

import io
import os
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lrfr_tf.data.aligned import AlignedFiles, list_aligned_faces, read_aligned_faces
from lrfr_tf.data.aligned_source import LandmarkTable, Selection, detected_by, find_celeba_landmarks
from lrfr_tf.data.ambiguous_photos import AmbiguousPhotos
from lrfr_tf.data.bad_images import OWN_PHOTOS
from lrfr_tf.data.prepare_aligned import Framing, prepare_aligned_tree, source_fingerprint
from lrfr_tf.errors import UserError
from lrfr_tf.faces.align import align_face, template_points
from lrfr_tf.faces.detect import Detection
from lrfr_tf.files import read_json
from lrfr_tf.sources.image_source import images_by_identity, images_by_innermost_folder, open_source
from tests.faces_of_dots import face_of_dots, landmarks_at, positions_of_dots

PEOPLE = {"00041": 3, "2": 4, "10": 2, "35": 3}


@pytest.fixture(scope="module")
def landmarks() -> dict[str, np.ndarray]:
    """Every photo of PEOPLE has its own."""
    random = np.random.default_rng(3)
    return {
        f"{person}/{photo}.png": landmarks_at(tuple(random.uniform(55, 65, 2)), *random.uniform((1, -30), (1.5, 30)))
        for person, count in PEOPLE.items()
        for photo in range(count)
    }


@pytest.fixture(scope="module")
def photos(landmarks: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """<person>/<photo>.png: faces of dots. Read only."""
    root = tmp_path_factory.mktemp("dots") / "photos"
    for name, points in landmarks.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(face_of_dots(points, 120, 120)).save(root / name)
    return root


def prepare(photos: Path, landmarks: dict[str, np.ndarray], output: Path, **options: object) -> dict:
    source, table = open_source(photos), LandmarkTable(landmarks)
    selection = Selection(images_by_identity(source)).with_landmarks(table)
    framing = options.pop("framing", Framing("lai", 10))
    find = options.pop("find", table.find)
    return prepare_aligned_tree(
        source, selection, find, output, framing=framing, settings={"data_set": "dots"}, **options
    )  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def tree(photos: Path, landmarks: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree of all photos. Read only."""
    output = tmp_path_factory.mktemp("aligned") / "tree"
    prepare(photos, landmarks, output)
    return output


def files_of(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_every_face_lies_on_the_template(tree: Path, landmarks: dict[str, np.ndarray]) -> None:
    names = {name.replace(".png", ".jpg") for name in landmarks}
    assert set(files_of(tree)) == names | {"manifest.json", "settings.json", "photos.jsonl"}
    target = template_points("lai") + (10, 0)
    for name, points in landmarks.items():
        with Image.open(tree / name.replace(".png", ".jpg")) as face:
            assert (face.format, face.size) == ("JPEG", (138, 128))
            found = positions_of_dots(np.asarray(face), target)
        # A face of dots is not of the template's shape; where each dot belongs, least squares by hand says.
        ones, zeros = np.ones(5), np.zeros(5)
        x, y = points.T
        rows = np.concatenate([np.stack([x, -y, ones, zeros], 1), np.stack([y, x, zeros, ones], 1)])
        solved = np.linalg.lstsq(rows, target.T.ravel(), rcond=None)[0]
        assert np.abs(found - (rows @ solved).reshape(2, 5).T).max() < 0.5
        assert np.abs(found - target)[:2].max() < 6


def test_a_face_is_a_jpeg_of_quality_95(tree: Path, photos: Path, landmarks: dict[str, np.ndarray]) -> None:
    with Image.open(photos / "2" / "1.png") as photo:
        face = align_face(np.asarray(photo), landmarks["2/1.png"], template="lai", size=128, left_margin=10)
    encoded = io.BytesIO()
    Image.fromarray(face).save(encoded, "JPEG", quality=95)
    assert (tree / "2" / "1.jpg").read_bytes() == encoded.getvalue()


def test_the_manifest_says_what_was_done(tree: Path) -> None:
    manifest = read_json(tree / "manifest.json")
    expected = {
        "images": 12,
        "identities": 4,
        "images_per_identity": PEOPLE,
        "excluded_identities": [],
        "images_without_landmarks": [],
        "bad_images": [],
        "template": "lai",
        "size": 128,
        "left_margin": 10,
        "margin": 0,
        "jpeg_quality": 95,
        "data_set": "dots",
    }
    assert {key: manifest[key] for key in expected} == expected


def test_a_zip_gives_the_same_tree_whatever_lies_above_the_persons(
    tree: Path, photos: Path, landmarks: dict[str, np.ndarray], tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for path in photos.rglob("*.png"):
            archive.write(path, f"data/train/{path.relative_to(photos)}")
    prepare(tmp_path / "photos.zip", landmarks, tmp_path / "tree", workers=3)
    faces = {name: data for name, data in files_of(tree).items() if name.endswith(".jpg")}
    assert {name: data for name, data in files_of(tmp_path / "tree").items() if name.endswith(".jpg")} == faces


def test_an_interrupted_run_goes_on_and_ends_the_same(
    tree: Path, photos: Path, landmarks: dict[str, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lrfr_tf.data.prepare_aligned.LEAST_PHOTOS", 4)
    monkeypatch.setattr("lrfr_tf.data.prepare_aligned.PHOTOS_PER_THREAD", 1)
    table, asked = LandmarkTable(landmarks), []

    def stops_in_the_third(names: Sequence[str], images: Sequence[np.ndarray]) -> list[np.ndarray | None]:
        asked.append(len(names))
        if len(asked) == 3:
            raise KeyboardInterrupt
        return table.find(names, images)

    with pytest.raises(KeyboardInterrupt):
        prepare(photos, landmarks, tmp_path / "tree", find=stops_in_the_third, workers=1)
    with pytest.raises(UserError, match="not a finished tree of aligned faces"):
        list_aligned_faces([tmp_path / "tree"], 0, ())
    (tmp_path / "tree" / "2" / ".part-abc-1.jpg").write_bytes(b"half a face")
    asked.clear()

    def counts(names: Sequence[str], images: Sequence[np.ndarray]) -> list[np.ndarray | None]:
        asked.append(len(names))
        return table.find(names, images)

    prepare(photos, landmarks, tmp_path / "tree", find=counts, workers=1)
    assert asked == [4]
    assert files_of(tmp_path / "tree") == files_of(tree)
    prepare(photos, landmarks, tmp_path / "tree", find=stops_in_the_third)  # finished: nothing is asked
    with pytest.raises(UserError, match=r"other settings \(left_margin, template\)"):
        prepare(photos, landmarks, tmp_path / "tree", framing=Framing("centred", 0))


def test_bad_photos_and_photos_without_a_face_are_named(tmp_path: Path) -> None:
    photos, rows = tmp_path / "photos", {}
    for number in range(300):
        name = f"{number // 10}/{number}.png"
        (photos / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 20), "grey").save(photos / name)
        rows[name] = landmarks_at((10, 10), 0.2)
    (photos / "3" / "33.png").write_bytes(b"not an image")
    rows["4/44.png"] = np.full((5, 2), 3.0)
    del rows["5/55.png"]
    rows["6/lost.png"] = rows["6/66.png"]
    rows["900/1.png"] = rows["6/66.png"]  # a folder that is not there at all
    manifest = prepare(photos, rows, tmp_path / "tree")
    assert [item["image"] for item in manifest["bad_images"]] == ["3/33.png", "4/44.png", "6/lost"]
    assert "two different points" in manifest["bad_images"][1]["reason"]
    assert "not among the images" in manifest["bad_images"][2]["reason"]
    assert manifest["images_without_landmarks"] == ["5/55.png"]
    assert manifest["images"] == 297
    (photos / "7" / "77.png").write_bytes(b"")
    with pytest.raises(UserError, match=r"4 of 300 images cannot be found or read .*3/33.png: .*bad_images.json"):
        prepare(photos, rows, tmp_path / "other")
    assert not (tmp_path / "other" / "manifest.json").exists()


def test_no_face_at_all_is_an_error(photos: Path, landmarks: dict[str, np.ndarray], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No face was found in any of the 12 images"):
        prepare(photos, landmarks, tmp_path / "tree", find=lambda names, images: [None] * len(names))
    assert not (tmp_path / "tree" / "manifest.json").exists()


def test_photos_of_one_stem_in_two_folders_of_a_person_are_both_kept(tmp_path: Path) -> None:
    for place in ("train", "test"):
        for number in range(2):
            (tmp_path / "photos" / place / "ann").mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (30, 30), "grey").save(tmp_path / "photos" / place / "ann" / f"{number}.png")
    (tmp_path / "photos" / "test" / "ann" / "1.png").rename(tmp_path / "photos" / "test" / "ann" / "2.png")
    source = open_source(tmp_path / "photos")
    prepare_aligned_tree(
        source,
        Selection(images_by_innermost_folder(source)),
        find_celeba_landmarks,
        tmp_path / "tree",
        framing=Framing(),
        settings={},
    )
    names = sorted(path.name for path in (tmp_path / "tree").rglob("*.jpg"))
    assert names == ["1.jpg", "2.jpg", "test_ann_0.png.jpg", "train_ann_0.png.jpg"]


def test_aligned_photos_are_only_resized(photos: Path, tmp_path: Path) -> None:
    source = open_source(photos)
    selection = Selection(images_by_identity(source))
    manifest = prepare_aligned_tree(
        source, selection, None, tmp_path / "tree", framing=Framing(left_margin=4), settings={}
    )
    assert manifest["template"] == "as delivered"
    with Image.open(tmp_path / "tree" / "10" / "1.jpg") as face, Image.open(photos / "10" / "1.png") as photo:
        pixels = np.asarray(face).astype(int)
        expected = np.asarray(photo.resize((128, 128), Image.Resampling.BICUBIC)).astype(int)
    assert np.abs(pixels[:, 4:] - expected).mean() < 1.5  # what JPEG changes
    assert pixels[:, :3].max() < 20


def test_landmarks_are_looked_up_by_folder_and_name(landmarks: dict[str, np.ndarray]) -> None:
    points = landmarks["2/0.png"]
    table = LandmarkTable({"train/n000002/0001_01": points, "test/n000009/0001_01": points + 1})
    assert "VGGFace2/train/n000002/0001_01.jpg" in table
    assert "n000002/0001_02.jpg" not in table
    assert table.find(["n000009/0001_01.JPG", "n000001/0001_01.jpg"], [])[1] is None
    np.testing.assert_array_equal(table.find(["n000009/0001_01.JPG"], [])[0], points + 1)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="n000002/0001_01 twice"):
        LandmarkTable({"train/n000002/0001_01": points, "n000002/0001_01.jpg": points})
    by_name = LandmarkTable({"img_align_celeba/000001.jpg": points}, by_file_name=True)
    assert "anywhere/else/000001.png" in by_name
    with pytest.raises(UserError, match="equal names in different folders"):
        LandmarkTable({"a/1.jpg": points, "b/1.jpg": points}, by_file_name=True)
    with pytest.raises(UserError, match=r"does not name the one photo, for example not b/1.png; it names a/1"):
        Selection({"b": ["b/1.png"]}).with_landmarks(LandmarkTable({"a/1.jpg": points}))


def test_the_face_that_is_meant_is_taken_and_rivals_are_remembered(tmp_path: Path) -> None:
    landmarks = np.stack([landmarks_at((5, 5)), landmarks_at((9, 9))]).astype(np.float32)

    def found(*heights: float) -> Detection:
        boxes = np.array([[0, 0, 20, height] for height in heights], np.float32).reshape(-1, 4)
        return Detection(boxes, np.linspace(1, 0.9, len(heights), dtype=np.float32), landmarks[: len(heights)])

    class Detector:
        def detect(self, images: Sequence[np.ndarray]) -> list[Detection]:
            return [found(20, 40), found(), found(39, 30), found(30)]

    rivaled = AmbiguousPhotos(tmp_path)
    find = detected_by(Detector(), rivaled)
    first, second, third, fourth = find(list("abcd"), [np.zeros((90, 90, 3), np.uint8)] * 4)
    np.testing.assert_array_equal(first, landmarks[1])  # type: ignore[arg-type]
    assert second is None
    np.testing.assert_array_equal(third, landmarks[0])  # type: ignore[arg-type]
    np.testing.assert_array_equal(fourth, landmarks[0])  # type: ignore[arg-type]
    assert rivaled.names() == ["c"]


def test_leaving_everybody_out_is_an_error() -> None:
    selection = Selection({"5": ["5/1.png"], "00041": ["00041/1.png"], "ann": ["ann/1.png"]})
    left = selection.without(frozenset({"41"}), held_out_divisor=5)
    assert (list(left.images), left.excluded) == (["ann"], ("5", "00041"))
    with pytest.raises(UserError, match=r"Everybody \(3 identities\) is excluded or held out"):
        selection.without(frozenset({"41", "ann"}), held_out_divisor=5)


def test_tests_of_another_data_set_are_left_out() -> None:
    selection = Selection({"1": ["set/1/7.jpg", "set/1/9.jpg"], "2": ["set/2/3.jpg"]})
    left = selection.without_tests_of({"1": ["9.jpg", "7.jpg", "8.jpg"], "2": ["3.jpg", "4.jpg"]})
    # 7 is the test photo of 1, and 8 the validation photo; of two photos none is.
    assert left.images == {"1": ["set/1/9.jpg"], "2": ["set/2/3.jpg"]}
    with pytest.raises(UserError, match="All photos are test or validation photos"):
        Selection({"1": ["set/1/7.jpg"]}).without_tests_of({"1": ["7.jpg", "8.jpg", "9.jpg"]})
    with pytest.raises(UserError, match=r"leaves nobody out: of its 3 photos none \(07.jpg, 08.jpg, 09.jpg\) is among"):
        selection.without_tests_of({"1": ["07.jpg", "08.jpg", "09.jpg"]})


def test_photos_that_come_later_are_added_and_only_those(
    photos: Path, landmarks: dict[str, np.ndarray], tmp_path: Path
) -> None:
    own, searched, notes = tmp_path / "photos", [], []
    shutil.copytree(photos, own)
    shutil.rmtree(own / "35")

    def find(names: Sequence[str], images: Sequence[np.ndarray]) -> list[np.ndarray | None]:
        searched.extend(names)
        return [None if name == "2/3.png" else landmarks.get(name, landmarks["2/0.png"]) for name in names]

    def add() -> dict:
        source = open_source(own)
        selection = Selection(images_by_identity(source))
        return prepare_aligned_tree(
            source,
            selection,
            find,
            tmp_path / "tree",
            framing=Framing("lai", 10),
            settings={},
            workers=None,
            rivaled=None,
            tolerance=OWN_PHOTOS,
            note=notes.append,
        )

    first = add()
    before = files_of(tmp_path / "tree")
    searched.clear()
    shutil.copytree(photos / "35", own / "35")
    shutil.copy(photos / "2" / "1.png", own / "2" / "1.jpg")
    grown = add()
    assert set(searched) == {"35/0.png", "35/1.png", "35/2.png", "2/1.jpg"}
    assert notes == [f"{tmp_path / 'tree'}: 1 person, 4 photos added."]
    after = files_of(tmp_path / "tree")
    assert {name: after[name] for name in before if name.endswith(".jpg")} == {
        name: data for name, data in before.items() if name.endswith(".jpg")
    }
    assert "2/2_1.jpg.jpg" in after
    assert grown["images"] == first["images"] + 4
    assert grown["images_without_landmarks"] == ["2/3.png"]
    (own / "2" / "0.png").unlink()
    with pytest.raises(UserError, match=r"made of other photos: 1 photo removed, such as 2/0.png"):
        add()


def read(roots: list[Path], held_out_divisor: int = 0, excluded: frozenset[str] = frozenset()) -> np.ndarray:
    return read_aligned_faces(list_aligned_faces(roots, held_out_divisor, excluded).paths)


def read_by_pillow(images: np.ndarray, faces: AlignedFiles) -> bool:
    """Whether every image is what Pillow reads at its path."""
    return all(np.array_equal(image, Image.open(path)) for image, path in zip(images, faces.paths, strict=True))


def test_faces_of_two_trees_in_memory(tree: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(tree, other)
    (other / "00041").rename(other / "41")  # the same person in other digits
    (other / "2").rename(other / "7")
    faces = list_aligned_faces([tree, other], held_out_divisor=5, excluded=frozenset())
    images = read_aligned_faces(faces.paths)
    # 10 and 35 are divisible by 5.
    assert faces.names == ["2", "7", "41"]
    assert (images.shape, images.dtype, faces.identities.dtype) == ((14, 128, 138, 3), np.uint8, np.int64)
    assert faces.trees.tolist() == [0] * 7 + [1] * 7
    persons = [Path(path).parent.name for path in faces.paths]
    assert [faces.names[number] for number in faces.identities] == [str(int(person)) for person in persons]
    assert np.bincount(faces.identities).tolist() == [4, 4, 6]
    assert read_by_pillow(images, faces)
    everybody = list_aligned_faces([tree], held_out_divisor=0, excluded=frozenset({"41"}))
    assert everybody.names == ["2", "10", "35"]
    assert np.bincount(everybody.identities).tolist() == [4, 2, 3]


def test_trees_that_cannot_be_read_together(tree: Path, photos: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"lrfr prepare aligned or lrfr prepare vggface2"):
        read([photos])
    with pytest.raises(UserError, match="No face is left"):
        list_aligned_faces([tree], 1, frozenset())
    source = open_source(photos)
    selection = Selection(images_by_identity(source))
    prepare_aligned_tree(source, selection, find_celeba_landmarks, tmp_path / "plain", framing=Framing(), settings={})
    with pytest.raises(UserError, match=r"are framed differently \(template, size, left margin"):
        read([tree, tmp_path / "plain"])
    shutil.copytree(tree, tmp_path / "changed")
    Image.new("RGB", (64, 64)).save(tmp_path / "changed" / "35" / "2.jpg")
    with pytest.raises(UserError, match="2.jpg is 64 x 64 pixels, but .* is 138 x 128; all faces have one size"):
        read([tmp_path / "changed"])


def test_a_margin_on_every_side(photos: Path, landmarks: dict[str, np.ndarray], tree: Path, tmp_path: Path) -> None:
    manifest = prepare(photos, landmarks, tmp_path / "wide", framing=Framing("centred", 0, 112, 16))
    assert (manifest["size"], manifest["margin"]) == (112, 16)
    prepare(photos, landmarks, tmp_path / "narrow", framing=Framing("centred", 0, 112))
    wide, narrow = (read([tmp_path / name]) for name in ("wide", "narrow"))
    assert wide.shape[1:] == (144, 144, 3)
    assert np.abs(wide[:, 16:-16, 16:-16].astype(int) - narrow).mean() < 3  # two JPEGs
    with pytest.raises(UserError, match=r"are framed differently .*\('centred', 112, 0, 16\)"):
        read([tmp_path / "wide", tmp_path / "narrow"])


def test_more_faces_than_memory_are_refused(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 100}.__getitem__)
    with pytest.raises(UserError, match=r"The 12 faces such as .* take .* GB of memory.*`faces_in`=files"):
        read([tree])


def test_the_fingerprint_of_a_zip_tells_contents_apart(tmp_path: Path) -> None:
    fingerprints = set()
    for number, content in enumerate((b"one", b"two", b"one")):
        with zipfile.ZipFile(tmp_path / f"{number}.zip", "w") as archive:
            archive.writestr("a/1.png", content)
        fingerprints.add(source_fingerprint(tmp_path / f"{number}.zip"))
    assert len(fingerprints) == 2
    assert source_fingerprint(tmp_path) == "folder"

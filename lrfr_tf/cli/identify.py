"""Says who is in a photo, in a folder of photos or in a video, and draws it if asked to.

    lrfr identify --embedder=saved_models/siamese --gallery=people --image=photo.jpg
    lrfr identify --embedder=saved_models/siamese --gallery=people --folder=small_faces --cropped
    lrfr identify --model=saved_models/people --video=film.mp4 --every=5 --format=json --output=drawn

The names are those of a gallery, a file that `lrfr gallery` keeps or a folder of <person>/<photo>, or of an exported
classifier. Of 100 decisions about strangers one gives a name (--fpir), whatever the size of the gallery; a decision is
the answer for one face of a photo. Frames of a video are answered one by one, so that the rate does not hold there: a
stranger in view for ten seconds is hundreds of decisions.

Images that cannot be read are named on stderr and the rest go on; the exit code is 2 only if none can be read.
"""

import contextlib
import dataclasses
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from lrfr_tf.cli.drawn import drawn_path, mark_of, write_drawn
from lrfr_tf.config import option
from lrfr_tf.errors import UserError
from lrfr_tf.faces.detect import FaceDetector
from lrfr_tf.files import make_folder
from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.gallery.kept_file import is_gallery_file
from lrfr_tf.images.annotate import draw_caption, draw_faces
from lrfr_tf.images.decode import IMAGE_SUFFIXES, read_image
from lrfr_tf.main import note
from lrfr_tf.models.backbone import BACKBONES
from lrfr_tf.networks.embedding import check_embedder, load_embedder
from lrfr_tf.networks.super_resolution import load_super_resolver
from lrfr_tf.plural import counted
from lrfr_tf.printable import printable
from lrfr_tf.recognition.calibration import FPIR, KNOWN, UNKNOWN, DecisionRule, Threshold
from lrfr_tf.recognition.face_crops import CROP_KINDS
from lrfr_tf.recognition.identifier import IdentifiedFace, Identifier, identifier_of_classifier
from lrfr_tf.recognition.recognizer import Recognizer, calibration_of
from lrfr_tf.sources.image_source import FolderSource, ImageSource, open_source
from lrfr_tf.sources.pictures import Picture, in_chunks, read_photos
from lrfr_tf.sources.video import VideoReader, VideoWriter

DEFAULT_EMBEDDER = "siamese"
KEEP = (
    "The photos of {folder} are embedded anew each time; lrfr gallery create --gallery=people.db and lrfr gallery "
    "enroll --gallery=people.db --folder={folder} keep the people in a file."
)
LONGEST_NAME = 32
ROW = "{:<32} {:>24} {:>8} {:<20} {:>6} {:>9}  {}"
DECISION = "{:>8}  {}"  # its number in the audit, which `lrfr gallery confirm` takes; in front of the last column


@dataclasses.dataclass(frozen=True)
class Config:
    image: str | None = option(None, "a photo")
    folder: str | None = option(None, "a folder or zip of photos, with folders in it or without")
    video: str | None = option(None, "a video")
    model: str | None = option(None, "an exported classifier, whose classes are the names")
    embedder: str | None = option(
        None, "a shipped network by its name, facenet, the folder of an exported embedder, or a file *.weights.h5; its "
        f"names are those of --gallery; default: {DEFAULT_EMBEDDER}"
    )  # fmt: skip
    gallery: str | None = option(
        None, "the people: a file that `lrfr gallery` keeps, or a folder or zip of <person>/<photo>"
    )
    audit: bool = option(False, "note every decision in the gallery's file (see lrfr gallery audit)")
    who: str | None = option(None, "who asks; noted by --audit")
    backbone: str = option("spherenet20", "network that a file of weights belongs to", BACKBONES)
    super_resolver: str | None = option(
        None, "a super-resolution network for faces of about its size (16 px), in front of --embedder"
    )
    fpir: float | None = option(
        None, f"false positive identification rate: the share of decisions about strangers that give a name; default "
        f"{FPIR}"
    )  # fmt: skip
    far: float | None = option(
        None, "instead of --fpir, the false accept rate of each comparison with one person of the gallery"
    )
    threshold: float | None = option(None, "instead of both, the least score for a name")
    cropped: bool = option(
        False,
        "every picture is one face that is cut out already, and aligned if the network needs it; neither is done here",
    )
    cut: str | None = option(None, "how faces are cut out of photos; default: as the network was trained", CROP_KINDS)
    min_face_size: int = option(20, "smallest face to look for, in pixels")
    every: int = option(1, "of a video, only every n-th frame", at_least=1)
    format: str = option("table", "how the answers are printed", ("table", "json"))
    output: str | None = option(None, "a folder for the pictures or the video with faces and names drawn in")


def main(config: Config) -> None:
    check_flags(config)
    if config.output is not None:
        make_folder(config.output)
    if config.video is not None:
        _identify_video(config, VideoReader(config.video))
        return
    source, names = _photos(config)
    identifier = _load(config)
    errors = []
    progress = tqdm(desc="identify", total=len(names), unit="image")
    for picture, faces in _answers(config, identifier, read_photos(source, names), progress):
        if picture.error is not None:
            errors.append(picture.error)
            if config.image is None:
                note(picture.error)
        elif config.output is not None:
            mark = mark_of(source.label(picture.name))
            path = drawn_path(config.output, picture.name, ".png", mark)
            write_drawn(path, _drawn(config, picture, faces), mark)
    if errors and (config.image is not None or len(names) == 1):
        raise UserError(errors[0])
    if len(errors) == len(names):
        raise UserError(f"Of {counted(len(names), 'image')} of {config.folder} none can be read.")


def _identify_video(config: Config, video: VideoReader) -> None:
    identifier = _load(config)
    progress = tqdm(desc="identify", total=-(-video.promised // config.every) or None, unit="frame")
    with contextlib.ExitStack() as stack:
        writer = None
        if config.output is not None:
            mark = mark_of(video.path)
            path = drawn_path(config.output, Path(video.path).name, ".mp4", mark)
            writer = stack.enter_context(VideoWriter(path, video.rate / config.every, video.path, mark))
        note(
            "Each frame is answered by itself, so that the rate for strangers does not hold: a stranger who stays in "
            "view is decided about again in every frame."
        )
        for picture, faces in _answers(config, identifier, video.frames(config.every), progress):
            if writer is not None:
                writer.write(_drawn(config, picture, faces), picture.seconds)
    if video.error_at_end is not None:
        note(video.error_at_end)


def check_flags(config: Config) -> None:
    """Refuses settings that do not go together, and a photo that cannot be read."""
    if config.embedder is not None and config.gallery is None:
        raise UserError("--embedder and --gallery go together: the one compares faces, the other has the names.")
    for names in (("image", "folder", "video"), ("model", "gallery")):
        if sum(getattr(config, name) is not None for name in names) != 1:
            raise UserError(f"Give one of {', '.join(f'--{name}' for name in names)}, and one only.")
    if config.super_resolver is not None and config.gallery is None:
        raise UserError("--super_resolver stands in front of --embedder; an exported classifier holds its own.")
    if sum(rate is not None for rate in (config.fpir, config.far, config.threshold)) > 1:
        raise UserError("Give one of --fpir, --far and --threshold, and one only.")
    if config.audit and not is_gallery_file(str(config.gallery)):
        raise UserError("--audit notes decisions in the file of a gallery; --gallery is none.")
    if config.cropped and config.video is not None:
        raise UserError("--cropped is for photos; in a video the faces are searched for.")
    if config.model is None:
        check_embedder(config.embedder or DEFAULT_EMBEDDER)
    if config.gallery is not None and not Path(config.gallery).exists():
        raise UserError(f"--gallery={config.gallery} does not exist.")
    if config.image is not None:
        read_image(config.image)


def _photos(config: Config) -> tuple[ImageSource, list[str]]:
    if config.image is not None:
        return FolderSource(Path(config.image).parent), [Path(config.image).name]
    source = open_source(Path(str(config.folder)))
    names = source.names()
    if not names:
        raise UserError(f"{config.folder} holds no images ({', '.join(IMAGE_SUFFIXES)}).")
    return source, names


def _load(config: Config) -> Identifier:
    detector = FaceDetector(min_face_size=config.min_face_size)
    rule = DecisionRule(FPIR if config.fpir is None else config.fpir, config.far, config.threshold)
    if config.model is not None:
        return identifier_of_classifier(config.model, detector, rule, config.cut)
    stored = is_gallery_file(str(config.gallery))
    gallery = Gallery.open(str(config.gallery), rule=rule) if stored else None
    model = config.embedder or (DEFAULT_EMBEDDER if gallery is None else gallery.identity.find())
    embedder = load_embedder(model, None, config.backbone)
    resolver = None if config.super_resolver is None else load_super_resolver(Path(config.super_resolver))
    strangers = calibration_of(model, embedder) if config.threshold is None else None
    recognizer = Recognizer(embedder, cut=config.cut, super_resolver=resolver, detector=detector, strangers=strangers)
    if gallery is None:
        gallery = Gallery.from_folder(
            str(config.gallery), recognizer, rule=rule, note=note,
            progress=lambda persons: tqdm(persons, desc="embed the gallery", unit="person"),
        )  # fmt: skip
        note(KEEP.format(folder=config.gallery))
    else:
        gallery.use(recognizer)  # first: whoever gives another network is told of that, not of its calibration
        recognizer.check_rule(rule)
        if not gallery.names:
            note(f"{config.gallery} has nobody in force, so nobody is named.")
    gallery.audits_decisions, gallery.who = config.audit, config.who
    return Identifier(recognizer, gallery)


def _answers(
    config: Config, identifier: Identifier, pictures: Iterable[Picture], progress: tqdm
) -> Iterator[tuple[Picture, list[IdentifiedFace]]]:
    """Identifies the faces of each picture and prints the answer."""
    note(identifier.threshold.in_words())
    with progress:
        if config.format == "table":
            tqdm.write(
                ROW.format(
                    "picture",
                    "box (x1, y1, x2, y2)",
                    "detected",
                    "candidate",
                    "score",
                    "threshold",
                    DECISION.format("decision", "next best") if config.audit else "next best",
                )  # fmt: skip
            )
        for chunk in in_chunks(pictures):
            pixels = [picture.pixels for picture in chunk if picture.pixels is not None]
            if config.cropped:
                found = iter([[face] for face in identifier.identify_crops(pixels)])
            else:
                found = iter(identifier.identify(pixels))
            for picture in chunk:
                faces = [] if picture.pixels is None else next(found)
                for line in (
                    [json_line(picture, faces, identifier.threshold)]
                    if config.format == "json"
                    else table_rows(picture, faces)
                ):
                    tqdm.write(line)
                yield picture, faces
                progress.update()


def json_line(picture: Picture, faces: Sequence[IdentifiedFace], threshold: Threshold) -> str:
    """The answer for one picture, as one line."""
    answer: dict[str, Any] = {"image": picture.name}
    if picture.frame is not None:
        answer |= {"frame": picture.frame, "seconds": picture.seconds, "per_frame": True}
    if picture.error is not None:
        return json.dumps({**answer, "error": picture.error})
    answer["decided_by"] = threshold.as_json()
    answer["faces"] = [
        {
            "box": one.face.box,
            "landmarks": None if one.face.landmarks is None else one.face.landmarks.tolist(),
            "detection_score": one.face.detection_score,
            "decision": one.match.decision,
            "name": one.match.name,
            "score": one.match.score,
            "threshold": one.match.threshold,
            **({} if one.match.record is None else {"record": one.match.record}),
            "names": [{"name": name, "score": score} for name, score in one.match.candidates],
        }
        for one in faces
    ]
    return json.dumps(answer)


def table_rows(picture: Picture, faces: Sequence[IdentifiedFace]) -> list[str]:
    """A row for each face, or one that says why there is none."""
    where = picture.name if picture.frame is None else f"{picture.seconds:.2f} s, frame {picture.frame}"
    where = printable(where)
    if len(where) > LONGEST_NAME:
        where = "…" + where[1 - LONGEST_NAME :]
    if not faces:
        return [f"{where:<32} {'no face' if picture.error is None else 'cannot be read'}"]
    rows = []
    for one in faces:
        face, match = one.face, one.match
        box = f"({', '.join(f'{value:.0f}' for value in face.box)})"
        detected = "" if face.detection_score is None else f"{face.detection_score:.3f}"
        others = printable(", ".join(f"{name} {score:.3f}" for name, score in match.next_best[:2]))
        if match.record is not None:
            others = DECISION.format(match.record, others)
        least = "-" if match.threshold is None else f"{match.threshold:.3f}"
        name = printable(match.name or UNKNOWN)
        rows.append(ROW.format(where, box, detected, name, f"{match.score:.3f}", least, others).rstrip())
    return rows


def _drawn(config: Config, picture: Picture, faces: Sequence[IdentifiedFace]) -> np.ndarray:
    assert picture.pixels is not None
    # A name is a candidate until somebody has looked.
    names = [UNKNOWN if one.match.name is None else f"{one.match.name}?" for one in faces]
    labels = [" ".join(f"{name} {one.match.score:.2f}".split()) for name, one in zip(names, faces, strict=True)]
    known = [one.match.decision == KNOWN for one in faces]
    if config.cropped:
        return draw_caption(picture.pixels, labels[0], known[0])
    return draw_faces(picture.pixels, [one.face.box for one in faces], labels, known)

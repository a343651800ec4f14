"""Routes about faces in images: whose they are, whether two are one person's, where they are, what they embed to."""

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from lrfr_tf.errors import UserError
from lrfr_tf.gallery.gallery import NAMES_GIVEN
from lrfr_tf.recognition.calibration import LARGEST_RATE, DecisionRule
from lrfr_tf.recognition.face_crops import FoundFace, main_face_of
from lrfr_tf.recognition.match import Match
from lrfr_tf.service import face_forms as forms
from lrfr_tf.service.bodies import BODY, body_with, file_of
from lrfr_tf.service.compute import DETECT, EMBED, EMBED_PERSON, EMBED_SHOWN, SUPER_RESOLVE, Computed
from lrfr_tf.service.images import Images
from lrfr_tf.service.keys import READ, Caller
from lrfr_tf.service.native_pictures import MOST_PICTURES, native_pictures, png_of
from lrfr_tf.service.request_error import RequestError
from lrfr_tf.service.state import Sent, Service, allowed, service_of

FAR = 0.001  # of a verification, unless another one is asked for
FAR_FIELD = {"far": {"type": "number", "exclusiveMinimum": 0, "maximum": LARGEST_RATE, "default": FAR}}
MOST_CANDIDATES = 20

router = APIRouter(tags=["faces"])
Reader = Annotated[Caller, Depends(allowed(READ))]
Pictures = Annotated[bool, Query(description=f"whether faces come with `picture`; of {MOST_PICTURES} at most")]
Candidates = Annotated[int, Query(ge=1, le=MOST_CANDIDATES, description="persons named for each face")]


@router.post("/v1/identify", openapi_extra=BODY, response_model=forms.Identified)
async def identify(
    request: Request, *, caller: Reader, images: Sent, pictures: Pictures = False, candidates: Candidates = NAMES_GIVEN
) -> Any:
    """Whose each face is: `known` with a name, or `unknown`. A name is a candidate until a person has looked."""
    service = service_of(request)
    computed = await service.compute(EMBED_SHOWN if pictures else EMBED, images.uploads)
    matches = await _decide(service, caller, computed, candidates)
    shown = iter(await run_in_threadpool(native_pictures, computed) if pictures else [])
    following = iter(matches)
    rule = matches[0].rule if matches else await run_in_threadpool(service.gallery.known_threshold)
    faces = [
        {**_face(face, one.size, number), **_match(next(following)), "picture": next(shown, None)}
        for number, one in enumerate(computed)
        for face in one.faces
    ]
    return _answer(request, computed, faces) | {"decided_by": None if rule is None else rule.as_json()}


@router.post("/v1/verify", openapi_extra=body_with(FAR_FIELD, least=2), response_model=forms.Verified)
async def verify(request: Request, caller: Reader, images: Sent) -> Any:
    """Whether the main faces of two images are one person's; `far` is the share of strangers who may pass (0.001)."""
    service = service_of(request)
    if len(images.uploads) != 2:
        raise RequestError(400, "two_images", "A verification takes two images.", {"images": len(images.uploads)})
    rule = _far_rule(images)
    computed = await service.compute(EMBED_PERSON, images.uploads)
    meant, embeddings = [], []
    for number, one in enumerate(computed):
        face, ambiguous = main_face_of(one.faces, *one.size)
        if face is None:
            raise RequestError(422, "no_face", "An image shows no face.", {"image": number})
        meant.append({**_face(face, one.size, number), "ambiguous": ambiguous})
        embeddings.append(face.embedding)  # type: ignore[attr-defined]
    first, second = embeddings
    similarity = float(np.clip(first @ second, -1.0, 1.0))
    try:
        threshold = rule.threshold_for(service.networks.recognizer.strangers, 1)
    except UserError:  # there is no calibration, so nobody can say
        threshold = None
    same = None if threshold is None else threshold.reached_by(similarity)
    return _answer(request, computed, meant) | {
        "similarity": similarity,
        "same": same,
        "decided_by": None if threshold is None else threshold.as_json(),
    }


@router.post("/v1/detect", openapi_extra=BODY, response_model=forms.Detected)
async def detect(request: Request, caller: Reader, images: Sent) -> Any:
    """Where faces are: box and landmarks in pixels, and normalized by width and height."""
    service = service_of(request)
    computed = await service.compute(DETECT, images.uploads)
    faces = [_face(face, one.size, number) for number, one in enumerate(computed) for face in one.faces]
    return _answer(request, computed, faces)


@router.post("/v1/embed", openapi_extra=BODY, response_model=forms.Embedded)
async def embed(request: Request, caller: Reader, images: Sent) -> Any:
    """The embedding of each face, of unit length. Those of two networks cannot be compared: see `embedder`."""
    service = service_of(request)
    computed = await service.compute(EMBED, images.uploads)
    faces = [
        {**_face(face, one.size, number), "embedding": face.embedding.tolist()}
        for number, one in enumerate(computed)
        for face in one.faces
    ]
    return _answer(request, computed, faces) | {"embedder": service.networks.recognizer.embedder.name}


@router.post(
    "/v1/super-resolve",
    openapi_extra=BODY,
    response_class=Response,
    responses=file_of("The enlarged face, 64 x 64.", "image/png"),
)
async def super_resolve(request: Request, caller: Reader, images: Sent) -> Response:
    """A small face, cut out, enlarged to 64 x 64 as PNG. Its detail is invented: it is not evidence."""
    service = service_of(request)
    if len(images.uploads) != 1:
        raise RequestError(400, "one_image", "One image at a time is super-resolved.", {"images": len(images.uploads)})
    (pixels,) = await service.compute(SUPER_RESOLVE, images.uploads)
    return Response(png_of(pixels), media_type="image/png", headers={"x-invented-detail": "true"})


@router.post("/face-recognition", openapi_extra=BODY, response_model=forms.FirstSystem)
async def face_recognition(request: Request, caller: Reader, images: Sent, include_predictions: bool = False) -> Any:
    """The answer in the form of the first system; `confidence` is the cosine, and unknown faces are called so."""
    service = service_of(request)
    if len(images.uploads) != 1:
        raise RequestError(400, "one_image", "This route takes one image.", {"images": len(images.uploads)})
    computed = await service.compute(EMBED, images.uploads)
    matches = await _decide(service, caller, computed)
    wanted = include_predictions or str(images.fields.get("include_predictions", "")).lower() in ("true", "1")
    faces = []
    for face, match in zip(computed[0].faces, matches, strict=True):
        left, top, right, bottom = face.box
        names = [
            {"id": number, "name": one.name, "confidence": one.score} for number, one in enumerate(match.candidates)
        ]
        faces.append(
            {
                "top_prediction": {"id": 0 if match.name else -1, "name": match.name or "unknown",
                                   "confidence": match.score},
                "bounding_box": {"left": left, "top": top, "right": right, "bottom": bottom},
                "all_predictions": names if wanted else None,
            }
        )  # fmt: skip
    return {"faces": faces}


async def _decide(
    service: Service, caller: Caller, computed: Sequence[Computed], candidates: int = NAMES_GIVEN
) -> list[Match]:
    """A match for each face of all images."""
    faces: list[Any] = [face for one in computed for face in one.faces]
    with service.metrics.stage_seconds.labels("decide").time():
        matches = await service.decide(caller, faces, candidates)
    for match in matches:
        service.metrics.decisions.labels(match.decision).inc()
    return matches


def _far_rule(images: Images) -> DecisionRule:
    try:
        return DecisionRule(far=float(images.fields.get("far", FAR)))
    except (TypeError, ValueError, OverflowError):  # JSON may hold whole numbers of 400 digits
        raise RequestError(400, "malformed", "far is not a number.") from None
    except UserError as error:
        raise RequestError(400, "malformed", str(error)) from None


def _answer(request: Request, computed: Sequence[Computed], faces: list[dict[str, Any]]) -> dict[str, Any]:
    sizes = [{"width": width, "height": height} for width, height in (one.size for one in computed)]
    return {"faces": faces, "images": sizes, "request_id": request.state.request_id}


def _face(face: FoundFace, size: tuple[int, int], image: int) -> dict[str, Any]:
    width, height = size
    points = [] if face.landmarks is None else np.asarray(face.landmarks, np.float64).tolist()
    return {
        "image": image,
        "box": list(face.box),
        "box_normalized": [value / side for value, side in zip(face.box, (width, height) * 2, strict=True)],
        "landmarks": points,
        "landmarks_normalized": [[x / width, y / height] for x, y in points],
        "detection_score": face.detection_score,
        "height": face.height,
    }


def _match(match: Match) -> dict[str, Any]:
    return {
        "decision": match.decision,
        "name": match.name,
        "person": match.persons[0] if match.name is not None else None,
        "score": match.score,
        "threshold": match.threshold,
        "next_best": [{"name": one.name, "score": one.score} for one in match.next_best],
        "candidates": [
            {"name": one.name, "score": one.score, "person": person}
            for one, person in zip(match.candidates, match.persons, strict=True)
        ],
        "record": match.record,
    }

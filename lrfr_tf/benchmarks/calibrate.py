"""Faces of people -> the tail of the comparisons of strangers, for the calibration of an embedder."""

import numpy as np

from lrfr_tf.benchmarks.people_faces import NATIVE, PeopleFaces
from lrfr_tf.errors import UserError
from lrfr_tf.evaluation.stranger_tail import MIN_PERSONS, StrangerTail, fit_stranger_tail

HEIGHTS = (12, 16, 24, 32, 48, 64)
SEVERAL = 3  # photos of a template of several
TEMPLATES_OF_ONE, TEMPLATES_OF_SEVERAL = 4, 4  # of each person, at most
PROBES = 8  # photos of each person, at most
MOST_COMPARISONS = 60_000_000


def calibrate(faces: PeopleFaces, seed: int = 0) -> dict[str, StrangerTail]:
    """Compares probes of every condition with templates of one photo and with those of several, of all other persons.

    A probe is a photo that was shrunk (`NATIVE` photos are only enrolled). A person gives eight photos at most, four
    templates of one photo and four of three, drawn at random, so that who has many photos does not count for many.

    Returns:
        "one" and, unless too few persons have three photos, "several": the tail of the comparisons with such templates.

    Raises:
        UserError: the people or their photos are too few.
    """
    random = np.random.default_rng(seed)
    native = faces.embeddings[faces.conditions.index(NATIVE)]
    templates: dict[str, list[np.ndarray]] = {"several": [], "one": []}
    template_persons: dict[str, list[int]] = {"several": [], "one": []}
    probes, probe_persons = [], []
    for person in range(len(faces.names)):
        photos = random.permutation(np.flatnonzero(faces.persons == person))
        for kind, number in (("several", SEVERAL), ("one", 1)):
            made = _templates(native, photos, number, random)
            templates[kind] += made
            template_persons[kind] += [person] * len(made)
        for row, condition in enumerate(faces.conditions):
            if condition == NATIVE:
                continue
            chosen = [photo for photo in photos[:PROBES] if faces.found[row, photo]]
            probes.append(faces.embeddings[row, chosen])
            probe_persons += [person] * len(chosen)
    if not probe_persons:
        raise UserError("No face was found in any photo that was shrunk, so nothing can be calibrated.")
    all_probes, labels = np.concatenate(probes), np.array(probe_persons)
    most = MOST_COMPARISONS // max(map(len, templates.values()))
    if len(labels) > most:
        kept = np.sort(random.permutation(len(labels))[:most])
        all_probes, labels = all_probes[kept], labels[kept]
    tails = {}
    for kind, of_kind in templates.items():
        if kind == "several" and len(set(template_persons[kind])) < MIN_PERSONS:
            continue
        try:
            tails[kind] = fit_stranger_tail(
                all_probes @ np.stack(of_kind).T, labels, np.array(template_persons[kind]), seed=seed
            )
        except ValueError as error:
            raise UserError(str(error)) from None
    return tails


def _templates(native: np.ndarray, photos: np.ndarray, number: int, random: np.random.Generator) -> list[np.ndarray]:
    """Means of `number` photos each, of unit length."""
    if len(photos) < number:
        return []
    count = TEMPLATES_OF_ONE if number == 1 else TEMPLATES_OF_SEVERAL
    if number == 1:
        chosen = photos[:count, None]
    else:
        chosen = np.stack([random.permutation(photos)[:number] for _ in range(count if len(photos) > number else 1)])
    sums = native[chosen].sum(axis=1)
    return list(sums / np.linalg.norm(sums, axis=1, keepdims=True))

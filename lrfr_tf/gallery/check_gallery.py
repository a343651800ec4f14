"""The check of a whole gallery, as it is stored at this moment."""

import numpy as np

from lrfr_tf.errors import UserError
from lrfr_tf.gallery.check import check
from lrfr_tf.gallery.check_report import Report
from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.gallery.last_day import PASSED
from lrfr_tf.gallery.references import ACTIVE, Reference, read_persons
from lrfr_tf.gallery.templates import weights_of

RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)  # false positive identification rates to choose from


def check_gallery(gallery: Gallery) -> Report:
    """Holds each reference against everybody, as if it were a new photo (see `check`).

    Raises:
        UserError: nobody is enrolled, or the file is damaged.
    """
    gallery.store.refuse_damage()
    with gallery.store.transaction():
        references = gallery.references()
        persons = read_persons(gallery.store)
    if not references:
        raise UserError(f"{gallery.store.label} holds nobody yet; lrfr gallery enroll takes photos in.")
    heights = np.array([one.height for one in references])
    return check(
        [one.person for one in references],
        np.stack([one.embedding for one in references]),
        np.array([one.in_force for one in references]),
        heights,
        ids=[one.id for one in references],
        threshold=gallery.known_threshold(),
        weights=weights_of(heights),
        reasons={one.id: why for one in references if (why := _reason(one)) is not None},
        others=gallery.thresholds_at(RATES),
        person_ids={one.name: one.id for one in persons},
        bare=[one.name for one in persons if not one.references],
    )


def _reason(one: Reference) -> str | None:
    return PASSED if one.state == ACTIVE and not one.in_force else one.reason

"""What small references do to the template of one person."""

from collections.abc import Sequence

import numpy as np

from lrfr_tf.gallery.check import check
from lrfr_tf.gallery.check_scores import SMALL
from lrfr_tf.gallery.references import Reference
from lrfr_tf.gallery.templates import weights_of
from lrfr_tf.plural import counted


def small_references_in_words(references: Sequence[Reference]) -> str | None:
    """What the small references in force of one person cost, in one sentence; None where there are none."""
    used = [one for one in references if one.in_force]
    heights = np.array([one.height for one in used])
    small = int(((heights > 0) & (heights < SMALL)).sum())
    if not small:
        return None
    if small == len(used):
        return f"No reference in force is {SMALL:.0f} pixels high; a larger face recognizes its person more often."
    start = (
        f"{small} of {counted(len(used), 'reference')} in force {'is' if small == 1 else 'are'} under {SMALL:.0f} px"
    )
    cost = check(
        [one.person for one in used],
        np.stack([one.embedding for one in used]),
        np.ones(len(used), bool),
        heights,
        ids=[one.id for one in used],
        weights=weights_of(heights),
    ).small_cost
    if cost is None:
        return f"{start}; what that costs can be told with two larger ones."
    return (
        f"{start}: the mean score of {counted(cost.compared, 'larger one')} with the others is "
        f"{cost.similarity_with:.3f} with them, and {cost.similarity_without:.3f} without."
    )

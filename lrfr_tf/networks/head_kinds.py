"""The kinds of classifier heads, and how many persons each needs."""

from lrfr_tf.errors import UserError

PROBABILITY_KINDS = ("logistic", "mlp")  # they divide 1 among the persons they know, and cannot tell strangers
TEMPLATE_KIND = "cosine"  # compares with one template a person
KINDS = (*PROBABILITY_KINDS, TEMPLATE_KIND)


def check_classes(what: str, kind: str, classes: int) -> None:
    """Refuses a head that gives the only person it knows a probability of 1, whoever is shown.

    Raises:
        UserError: such a head; the message begins with `what`.
    """
    if kind in PROBABILITY_KINDS and classes < 2:
        raise UserError(
            f"{what}: a {kind} head of one person names everybody with a probability of 1; take the head "
            f"{TEMPLATE_KIND}, or more persons."
        )

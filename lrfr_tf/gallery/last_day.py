"""Last days of persons and references: what has passed its own is in force nowhere, whether it was set aside or not."""

from datetime import UTC, date, datetime

from lrfr_tf.errors import UserError

PASSED = "Its last day has passed."  # why a reference is not in force that nothing has set aside yet


def today() -> str:
    """The day in UTC, as "2026-11-30"."""
    return datetime.now(UTC).date().isoformat()


def checked_day(day: str | None) -> str | None:
    """A day as "2027-01-31".

    Raises:
        UserError: it is no such day.
    """
    try:
        return None if day is None else date.fromisoformat(day).isoformat()
    except ValueError:
        raise UserError(f"{day!r} is no day; one is written as 2027-01-31.") from None


def in_force(day: str) -> str:
    """An expression of SQL: whether reference `r` of person `p` is in force on a day, such as `today` gives."""
    return f"(r.state = 'active' AND {may_be_in_force(day)})"


def may_be_in_force(day: str) -> str:
    """The same of what is set aside, too: whether neither the reference nor the person has passed the last day."""
    return f"((p.expires IS NULL OR p.expires >= '{day}') AND (r.expires IS NULL OR r.expires >= '{day}'))"

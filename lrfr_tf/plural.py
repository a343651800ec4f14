"""Counts in sentences: "1 person", "2,000 persons"."""


def counted(count: int, one: str, several: str = "") -> str:
    """A number with the word for what is counted.

    Args:
        one: the word, such as "person" or "reference is".
        several: the word for another number than 1; empty: `one` with an s.
    """
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def any_of(count: int, one: str) -> str:
    """All of what is counted, in a sentence that denies: "not in any of the 5 photos", "not in the one photo".

    Args:
        one: the word; for another number than 1 it gets an s.
    """
    return f"the one {one}" if count == 1 else f"any of the {counted(count, one)}"

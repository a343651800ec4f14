"""How the report writes a figure: percent with one decimal, intervals as [a, b], small p values as "< 0.001"."""

from collections.abc import Callable, Sequence

# A figure over nothing: a method that detected no face has no top-1 over detected faces.
ABSENT = "–"


def percent(share: float | None) -> str:
    """0.3456 -> "34.6"; the unit stands in the heading."""
    return ABSENT if share is None else f"{100 * share:.1f}"


def number(value: float | None, decimals: int) -> str:
    """1234.567 -> "1,234.57" for two decimals."""
    return ABSENT if value is None else f"{value:,.{decimals}f}"


def count(value: int | None) -> str:
    """12345 -> "12,345"."""
    return ABSENT if value is None else f"{value:,}"


def interval(bounds: Sequence[float] | None, show: Callable[[float], str]) -> str:
    """(0.312, 0.378) -> "[31.2, 37.8]" with `show=percent`; nothing where there is no interval."""
    return "" if bounds is None else f"[{show(bounds[0])}, {show(bounds[1])}]"


def p_value(p: float | None) -> str:
    """0.0341 -> "0.034", and "< 0.001" below that."""
    if p is None:
        return ABSENT
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def p_text(p: float) -> str:
    """The same for a sentence: "= 0.034" or "< 0.001"."""
    return p_value(p) if p < 0.001 else f"= {p_value(p)}"

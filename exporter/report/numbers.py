"""Numbers as people read them: four digits, thousands apart, ratios in percent, units said."""

from __future__ import annotations

from math import floor, isfinite, log10

from exporter.metrics import CATALOGUE
from exporter.profile.column import TimeProfile
from exporter.snapshot import instant

DIGITS, MOST_DIGITS = 4, 12
LARGEST_PLAIN, SMALLEST_PLAIN = 1e12, 1e-4  # beyond, powers of ten are easier to read
NOTHING = "–"
TIME = "time"  # of figures that are seconds since 1970
GAP = "\u00a0"  # a number stays with its unit
_COUNTED = {
    "rows": ("row", "rows"),
    "columns": ("column", "columns"),
    "values": ("value", "values"),
}
_POWERS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(x: float | None, digits: int = DIGITS) -> str:
    """`27,004`, `0.1735`, `1.235 × 10⁻¹⁵`; whole numbers in full, others at so many digits."""
    if x is None or not isfinite(x):
        return NOTHING
    if x == 0:
        return "0"
    if not SMALLEST_PLAIN <= abs(x) < LARGEST_PLAIN:
        return _in_powers(x, digits)
    if x == int(x):
        return _signed(f"{x:,.0f}")
    places = max(0, digits - 1 - floor(log10(abs(x))))
    text = f"{x:,.{places}f}"
    return _signed(text.rstrip("0").rstrip(".") if "." in text else text)


def measure(x: float | None, unit: str, digits: int = DIGITS) -> str:
    """A figure with the unit of its metric; `value`, `score` and unknown units have none to say."""
    if x is None or not isfinite(x):
        return NOTHING
    if unit == "ratio":
        return _percent(100 * x, digits)
    if unit == "percent":
        return number(x, digits) + GAP + "%"
    if unit == TIME:
        return instant(x).replace(" ", GAP) + GAP + "UTC"
    if unit in _COUNTED:
        return number(x, digits) + GAP + _COUNTED[unit][x != 1]
    return number(x, digits)


def told_apart(x: float | None, unit: str, *others: float | None) -> list[str]:
    """The figures in words, all with the digits that it takes to see where the first differs."""
    apart = [y for y in others if y is not None and x is not None and y != x]
    for digits in range(DIGITS, MOST_DIGITS + 1):
        texts = [measure(y, unit, digits) for y in (x, *others)]
        if all(measure(y, unit, digits) != texts[0] for y in apart):
            break
    return texts


def plural(count: int, word: str) -> str:
    """`1 test`, `1,200 tests`."""
    return f"{count:,}{GAP}{word if count == 1 else word + 's'}"


def unit_of(metric: str) -> str:
    """The unit of a metric, TIME for times; none of one that this program does not know."""
    if metric not in CATALOGUE:
        return ""
    spec = CATALOGUE[metric]
    return TIME if spec.reads == (TimeProfile,) else spec.unit


def _percent(x: float, digits: int) -> str:
    """Never 0 % of some, never 100 % of not quite all."""
    while digits < MOST_DIGITS and x != 100 and f"{x:.{digits}g}" == "100":
        digits += 1
    return number(x, digits) + GAP + "%"


def _in_powers(x: float, digits: int) -> str:
    mantissa, _, exponent = f"{x:.{digits - 1}e}".partition("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return _signed(f"{mantissa}{GAP}×{GAP}10{str(int(exponent)).translate(_POWERS)}")


def _signed(text: str) -> str:
    return text.replace("-", "−", 1)  # noqa: RUF001  a minus as long as a plus

"""French wording of numbers: « 42 k€ », « 3,2 mois », « 12 % », « 1 salarié », « a baissé de 12 % ».

Functions return polars expressions over a column of values and a column of units.
"""

from datetime import date, timedelta

import polars as pl

# Keeps a number and its unit on one line.
NBSP = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
_WORDS = {"person": "salarié", "hour": "heure", "day": "jour", "hour/person": "heure"}
_MULTIPLES = {1e3: "k€", 1e6: "M€", 1e9: "Md€"}
_GROUPS = 5


def number(value: pl.Expr, digits: int = 1) -> pl.Expr:
    """Write a number: `digits` decimals below 10 and none from 10 on, thousands separated, zero decimals dropped."""
    size = value.abs()
    small = size.round(digits).cast(pl.String).str.replace(r"\.0+$", "").str.replace(".", ",", literal=True)
    large = size.round(0).cast(pl.Int128).cast(pl.String)
    for _ in range(_GROUPS):
        large = large.str.replace(r"^(\d+)(\d{3})", f"${{1}}{NBSP}${{2}}")
    text = pl.when(size.round(digits) < 10).then(small).otherwise(large)  # noqa: PLR2004 - two significant digits are enough
    return pl.when((value < 0) & (text != "0")).then(pl.lit(MINUS) + text).otherwise(text)


def quantity(value: pl.Expr, unit: pl.Expr) -> pl.Expr:
    """Write values with their units; `unit` is a unit of the feature registry."""
    counted = number(value)
    # French plurals start at two (1,9 jour, 2 jours). The rounded number decides, since it is the one displayed.
    several = pl.when(value.abs().round(1) >= 2).then(pl.lit("s")).otherwise(pl.lit(""))  # noqa: PLR2004
    words = unit.replace_strict(_WORDS, default="", return_dtype=pl.String)
    return (
        pl.when(unit.is_in(["€", "€/person"]))
        .then(_euros(value))
        .when(unit == "share")
        .then(number(value * 100) + f"{NBSP}%")
        .when(unit == "point")
        .then(_points(value))
        .when(unit == "month")
        .then(counted + f"{NBSP}mois")
        .when(unit == "year")
        .then(_age(value))
        .when(unit.is_in(["ratio", "count"]))
        .then(pl.when(value.abs() < 1).then(number(value, digits=2)).otherwise(number(value)))
        .otherwise(counted + NBSP + words + several)
    )


def evolution(value: pl.Expr, unit: pl.Expr) -> pl.Expr:
    """Write a change: « a augmenté de 12 % », « a baissé de 3 jours »."""
    verb = pl.when(value < 0).then(pl.lit("a baissé de ")).otherwise(pl.lit("a augmenté de "))
    return verb + quantity(value.abs(), unit)


MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip


def month_name(day: pl.Expr) -> pl.Expr:
    """Write the month of a day: « octobre 2026 »."""
    names = dict(enumerate(MONTHS, start=1))
    name = day.dt.month().replace_strict(names, return_dtype=pl.String)
    return name + NBSP + day.dt.year().cast(pl.String)


def end_of(day: date) -> str:
    r"""Write the date of a balance: the end of a month, or a day within a month.

    >>> end_of(date(2026, 10, 31)), end_of(date(2026, 10, 21)), end_of(date(2026, 10, 1))
    ('fin octobre\xa02026', 'au 21 octobre\xa02026', 'au 1er octobre\xa02026')
    """
    name = f"{MONTHS[day.month - 1]}{NBSP}{day.year}"
    if (day + timedelta(days=1)).day == 1:
        return f"fin {name}"
    return f"au {'1er' if day.day == 1 else day.day} {name}"


def _euros(value: pl.Expr) -> pl.Expr:
    text = number(value, digits=0) + f"{NBSP}€"
    for unit, symbol in _MULTIPLES.items():
        text = pl.when(value.abs() < unit).then(text).otherwise(number(value / unit) + f"{NBSP}{symbol}")
    return text


def _points(value: pl.Expr) -> pl.Expr:
    """Write the difference of two shares: 1,5 point, 12 points."""
    several = pl.when((value * 100).abs().round(1) >= 2).then(pl.lit("s")).otherwise(pl.lit(""))  # noqa: PLR2004
    return number(value * 100) + f"{NBSP}point" + several


def _age(value: pl.Expr) -> pl.Expr:
    """Write completed years, or months below two years."""
    months = (value * 12).floor()
    return (
        pl.when(months < 1)
        .then(pl.lit("moins d'un mois"))
        .when(value < 2)  # noqa: PLR2004 - as people say ages
        .then(number(months, digits=0) + f"{NBSP}mois")
        .otherwise(number(value.floor(), digits=0) + f"{NBSP}ans")
    )

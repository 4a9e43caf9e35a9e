"""Who may see what of a list: pure functions from rights, places and past lists to companies and columns (rules §13).

Restricted data of a company are shown to a recipient who follows it, or in whose territory it has an establishment when it
is or was in alert on a published list; and of these only what the recipient's scopes cover.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sf_assets.features.registry import BY_NAME, Feature
from sf_assets.lists.columns import Header
from sf_assets.vocabulary.partitions import add_months
from sf_assets.vocabulary.scopes import SCOPE_OF_SOURCE

NATIONAL = "national"
# Partners review their lists of persons every six months: a line that nobody confirmed since opens nothing.
REVIEW_MONTHS = 6


@dataclass(frozen=True, slots=True)
class Right:
    """The right of one recipient: territory as departments (all of them when `national`), scopes, sirens it follows."""

    recipient: str
    role: str
    departments: frozenset[str]
    national: bool
    scopes: frozenset[str]
    follows: frozenset[str]
    zones: str
    reviewed: date
    valid_until: date

    def lapsed(self, day: date) -> str:
        """Return in French why the right opens nothing on a day; empty when it is in force.

        >>> from datetime import date
        >>> right = Right("codefi-21", "", frozenset({"21"}), False, frozenset(), frozenset(), "21",
        ...               date(2026, 1, 15), date(2026, 12, 31))
        >>> right.lapsed(date(2026, 7, 15)), right.lapsed(date(2026, 7, 16)), right.lapsed(date(2027, 1, 1))
        ('', 'non revu depuis plus de 6 mois', 'expiré')
        """
        if day > self.valid_until:
            return "expiré"
        first = add_months(self.reviewed, REVIEW_MONTHS)
        last = first.replace(day=min(self.reviewed.day, 28))
        return f"non revu depuis plus de {REVIEW_MONTHS} mois" if day > last else ""

    def sees(self, siren: str, departments: Collection[str], *, ever_in_alert: bool) -> bool:
        """Return whether the restricted data of a company may be shown; `departments` are those of its establishments."""
        in_zone = self.national or not self.departments.isdisjoint(departments)
        return siren in self.follows or (in_zone and ever_in_alert)

    def may_read(self, header: Header) -> bool:
        """Return whether a column of the list may be shown."""
        return self.scopes.issuperset(header.scopes)

    def may_state(self, feature: Feature) -> bool:
        """Return whether a reason made of a feature may be shown; a source without declared scope is shown to nobody."""
        return all(
            source in SCOPE_OF_SOURCE and SCOPE_OF_SOURCE[source] in {"", *self.scopes} for source in feature.sources
        )

    def features(self, names: Iterable[str]) -> frozenset[str]:
        """Return those of some features that reasons may state."""
        return frozenset(name for name in names if self.may_state(BY_NAME[name]))


def rights_of(
    rows: Iterable[Mapping[str, object]], departments_of_regions: Mapping[str, Collection[str]]
) -> list[Right]:
    """Return the rights of the rows of `stg_acces`, in the order of their recipients.

    `departments_of_regions` gives the departments of each region code.
    """
    return sorted((_right(row, departments_of_regions) for row in rows), key=lambda right: right.recipient)


def _right(row: Mapping[str, object], departments_of_regions: Mapping[str, Collection[str]]) -> Right:
    zones = str(row["zones"]).split()
    departments = {zone for zone in zones if not zone.startswith("R") and zone != NATIONAL}
    for zone in zones:
        departments |= {*departments_of_regions.get(zone.removeprefix("R"), ())} if zone.startswith("R") else set()
    reviewed, valid_until = row["revu_le"], row["valable_jusqu_au"]
    if not isinstance(reviewed, date) or not isinstance(valid_until, date):
        raise TypeError("stg_acces: expected days in revu_le and valable_jusqu_au, found none")
    return Right(
        recipient=str(row["destinataire"]),
        role=str(row["role"]),
        departments=frozenset(departments),
        national=NATIONAL in zones,
        scopes=frozenset(str(row["droits"]).split()),
        follows=frozenset(filter(None, str(row["suivis"] or "").split(","))),
        zones=str(row["zones"]),
        reviewed=reviewed,
        valid_until=valid_until,
    )

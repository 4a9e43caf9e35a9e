"""The parameters that results depend on, besides files and code: each declared once, with its bounds and meaning."""

import json
from collections.abc import Collection, Mapping
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from sf_assets.vocabulary.delays import delays_with
from sf_assets.vocabulary.modes import FULL, Mode

# The setting behind each parameter `$name` of queries.
SETTING_OF: Mapping[str, str] = MappingProxyType(
    {
        "shift": "cutoff_shift_days",
        "perimeter_months": "perimeter_months",
        "minimum": "perimeter_staff",
        "recent": "perimeter_recent",
    }
)


_DROPPED = "dropped_columns"


def split_commas(value: object) -> object:
    """Return the parts of a comma-separated text, and any other value unchanged.

    >>> split_commas("0.012, 0.06")
    ('0.012', '0.06')
    """
    return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value


class Parameters(BaseModel):
    """The parameters of a deployment: the same values, files and code give the same tables."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Mode = Field(FULL, description="full: every source; open: open data alone, in a data folder of its own")
    cutoff_shift_days: int = Field(0, ge=-27, le=27, description="days between the month's last day and the cut-off")
    perimeter_months: int = Field(
        120,
        ge=1,
        description="head-count columns that decide who enters the perimeter, hence months that models learn from",
    )
    perimeter_staff: int = Field(10, ge=0, description="people needed in one of these months")
    perimeter_recent: bool = Field(default=False, description="also ask for a head-count in the last three columns")
    delays: dict[str, int] = Field({}, description="publication delays that differ from vocabulary/delays.py, as JSON")
    training_failures: int = Field(50, ge=1, description="failing companies needed to train a model")
    alert_shares: tuple[float, ...] = Field(
        (),
        description="wanted shares of companies in alert, 'strong,both levels': 0.012,0.06; empty for the best F-beta",
    )
    alert_precisions: tuple[float, ...] = Field(
        (), description="wanted shares of alerts that fail, 'strong,both levels': 0.4,0.15; empty for the best F-beta"
    )
    corrections: tuple[str, ...] = Field((), description="expert corrections to apply, by name, separated by commas")
    dropped_columns: tuple[str, ...] = Field(
        (), description="columns of staging that are not stored, 'stg_<source>.<column>', separated by commas"
    )

    @field_validator("alert_shares", "alert_precisions", "corrections", "dropped_columns", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return split_commas(value)

    @field_validator("alert_shares", "alert_precisions")
    @classmethod
    def _two_shares(cls, shares: tuple[float, ...]) -> tuple[float, ...]:
        if shares and (len(shares) != 2 or not all(0 < share < 1 for share in shares)):  # noqa: PLR2004 - two levels
            raise ValueError("expected two numbers between 0 and 1, strong first")
        return shares

    @field_validator("delays", mode="before")
    @classmethod
    def _read_delays(cls, value: object) -> object:
        try:
            delays = json.loads(value) if isinstance(value, str) else value
        except json.JSONDecodeError:
            raise ValueError('expected a JSON object such as {"procol_days": 15}') from None
        if isinstance(delays, dict):
            delays_with(delays)
        return delays

    @model_validator(mode="after")
    def _strong_is_within_moderate(self) -> "Parameters":
        if self.alert_shares and self.alert_precisions:
            raise ValueError("SF_ALERT_SHARES and SF_ALERT_PRECISIONS exclude each other")
        if sorted(self.alert_shares) != [*self.alert_shares]:
            raise ValueError("SF_ALERT_SHARES: expected the strong level to hold fewer companies than both levels")
        if sorted(self.alert_precisions, reverse=True) != [*self.alert_precisions]:
            raise ValueError("SF_ALERT_PRECISIONS: expected the strong level to be at least as precise as both levels")
        return self

    def query_values(self) -> dict[str, object]:
        """Return the values of the parameters `$name` of queries, by name."""
        return {name: getattr(self, setting) for name, setting in SETTING_OF.items()}

    def changed(self, settings: Collection[str]) -> dict[str, object]:
        """Return those of some settings that differ from the defaults, with their values.

        `delays.<name>` is one delay, and `dropped_columns.<table>` the columns that one table loses.

        >>> Parameters(perimeter_staff=20, delays={"procol_days": 15}).changed(["perimeter_staff", "delays.procol_days"])
        {'delays.procol_days': 15, 'perimeter_staff': 20}
        """
        values, defaults = self._by_setting(), Parameters.model_validate({})._by_setting()
        dropped = {f"{_DROPPED}.{table}": columns for table, columns in self.dropped_by_table().items()}
        values = dict.fromkeys(settings, ()) | values | dropped
        return {name: values[name] for name in sorted(settings) if values[name] != defaults.get(name, ())}

    def dropped_by_table(self) -> dict[str, tuple[str, ...]]:
        """Return the dropped columns of each table that loses some.

        >>> Parameters(dropped_columns=("stg_a.x", "stg_a.y")).dropped_by_table()
        {'stg_a': ('x', 'y')}
        """
        pairs = [name.partition(".")[::2] for name in self.dropped_columns]
        return {table: tuple(column for one, column in pairs if one == table) for table, _ in pairs}

    def _by_setting(self) -> dict[str, object]:
        return dict(self) | {f"delays.{name}": delay for name, delay in self.all_delays.items()}

    @property
    def all_delays(self) -> dict[str, int]:
        """The publication delays in force."""
        return delays_with(self.delays)

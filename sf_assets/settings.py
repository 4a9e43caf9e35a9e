"""Where things are and how the system is tuned: one validated class, the sole reader of the environment."""

import json
import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from sf_assets.lists.corrections import NAMES as CORRECTIONS
from sf_assets.model.splits import SplitRules, least_months, rules_for
from sf_assets.vocabulary.delays import delays_with

PREFIX = "SF_"
_LOG = logging.getLogger(__name__)
# Dagster sets it for Snowflake in every run that it launches, Great Expectations when it judges.
_FOREIGN = "SF_PARTNER"
_SECRET = {"notice_webhook"}


class Settings(BaseModel):
    """The settings of a deployment, each from the variable `SF_<NAME>`; an unknown or unusable one stops the start."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_dir: Path = Field(Path("data"), description="folder of incoming files, warehouse, models and lists")
    catalog: str = Field(
        "", description="DuckLake catalog: empty for SQLite below data_dir, or 'postgres:<libpq string>'"
    )
    memory_limit: str = Field(
        "2500MB",
        pattern=r"^\d+(\.\d+)? ?[KMGT]i?B$",
        description="memory of one warehouse session before it spills to disk",
    )
    temp_directory: str = Field("", description="where a session spills beyond its memory; empty for the system's")
    threads: int = Field(2, ge=1, description="threads of one warehouse session")
    cutoff_shift_days: int = Field(0, ge=-27, le=27, description="days between the month's last day and the cut-off")
    perimeter_months: int = Field(
        120, ge=1, description="head-count columns looked at to enter the perimeter, hence months learned from"
    )
    perimeter_staff: int = Field(10, ge=0, description="people needed in one of these months")
    perimeter_recent: bool = Field(default=False, description="also ask for a head-count in the last three columns")
    delays: dict[str, int] = Field({}, description="publication delays that differ from sources/delays.py, as JSON")
    training_failures: int = Field(50, ge=1, description="failing companies needed to train a model")
    alert_shares: tuple[float, ...] = Field(
        (),
        description="wanted shares of companies in alert, 'strong,both levels': 0.012,0.06; empty for the best F-beta",
    )
    alert_precisions: tuple[float, ...] = Field(
        (), description="wanted shares of alerts that fail, 'strong,both levels': 0.4,0.15; empty for the best F-beta"
    )
    corrections: tuple[str, ...] = Field((), description="expert corrections to apply, by name, separated by commas")
    ui: str = Field("", description="address of the pages, for the links of notices")
    notice_webhook: SecretStr = Field(SecretStr(""), description="where notices are posted as JSON; empty for nowhere")
    notice_smtp: str = Field(
        "", pattern=r"^([^:\s]+:\d+)?$", description="host:port of the relay that mails notices; empty for none"
    )
    notice_from: str = Field("", description="address that notices come from")
    notice_to: tuple[str, ...] = Field((), description="addresses that notices go to, separated by commas")

    @field_validator("notice_webhook")
    @classmethod
    def _accept_web(cls, given: SecretStr) -> SecretStr:
        address = given.get_secret_value()
        if address and not address.startswith(("http://", "https://")):
            raise ValueError("expected an address in http or https")
        return given

    @field_validator("alert_shares", "alert_precisions")
    @classmethod
    def _two_shares(cls, given: tuple[float, ...]) -> tuple[float, ...]:
        if given and (len(given) != 2 or not all(0 < share < 1 for share in given)):  # noqa: PLR2004 - two levels
            raise ValueError("expected two numbers between 0 and 1, strong first")
        return given

    @field_validator("corrections")
    @classmethod
    def _known_corrections(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := sorted(set(given) - set(CORRECTIONS)):
            raise ValueError(f"expected names among {', '.join(CORRECTIONS)}, found {', '.join(unknown)}")
        return given

    @model_validator(mode="after")
    def _strong_is_within_moderate(self) -> "Settings":
        if self.alert_shares and self.alert_precisions:
            raise ValueError("SF_ALERT_SHARES and SF_ALERT_PRECISIONS exclude each other")
        if sorted(self.alert_shares) != [*self.alert_shares]:
            raise ValueError("SF_ALERT_SHARES: expected the strong level to hold fewer companies than both levels")
        if sorted(self.alert_precisions, reverse=True) != [*self.alert_precisions]:
            raise ValueError("SF_ALERT_PRECISIONS: expected the strong level to be at least as precise as both levels")
        return self

    @field_validator("alert_shares", "alert_precisions", "corrections", "notice_to", mode="before")
    @classmethod
    def _split(cls, given: object) -> object:
        return tuple(filter(None, map(str.strip, given.split(",")))) if isinstance(given, str) else given

    @model_validator(mode="after")
    def _mail_is_whole(self) -> "Settings":
        if bool(self.notice_smtp) != bool(self.notice_from and self.notice_to):
            raise ValueError("SF_NOTICE_SMTP, SF_NOTICE_FROM and SF_NOTICE_TO come together")
        return self

    @field_validator("delays", mode="before")
    @classmethod
    def _read_delays(cls, given: object) -> object:
        delays = json.loads(given) if isinstance(given, str) else given
        if isinstance(delays, dict):
            delays_with(delays)
        return delays

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read the `SF_*` variables and warn of those that exclude one another.

        Raises `ValueError` naming the variable, what it accepts and what was found.
        """
        environ = os.environ if environ is None else environ
        found = {name: value for name, value in environ.items() if name.startswith(PREFIX) and name != _FOREIGN}
        known = {PREFIX + name.upper(): name for name in cls.model_fields}
        unknown = sorted(found.keys() - known.keys())
        if unknown:
            raise ValueError(f"environment: {', '.join(unknown)} unknown, expected one of {', '.join(sorted(known))}")
        try:
            settings = cls.model_validate({known[name]: value for name, value in found.items()})
        except ValidationError as error:
            # A trouble of several settings together has no place, and a secret is not repeated.
            told = (
                f"{PREFIX}{str(one['loc'][0]).upper()}: {one['msg']}"
                + ("" if one["loc"][0] in _SECRET else f", found {one['input']!r}")
                if one["loc"]
                else one["msg"]
                for one in error.errors()
            )
            raise ValueError(f"environment: {'; '.join(told)}") from None
        for sentence in settings.contradictions():
            _LOG.warning(sentence)
        return settings

    @property
    def split_rules(self) -> SplitRules:
        """How months are shared out between those that train, choose the thresholds and measure."""
        return rules_for(self.training_failures, self.cutoff_shift_days, self.delays)

    def contradictions(self) -> Iterator[str]:
        """Say which settings exclude one another: each is accepted alone, together they never give what one of them asks."""
        if self.perimeter_recent:
            yield (
                "SF_PERIMETER_RECENT=true: a company that failed has no recent head-count, so that none is left in the files to "
                "learn from. Lists come from the threshold method."
            )
        needed = least_months(self.split_rules)
        if self.perimeter_months >= needed:
            return
        yield (
            f"SF_PERIMETER_MONTHS={self.perimeter_months}: no model will ever be trained. Of the months before this window "
            f"only the companies that survived are in the files, and {needed} months in a row are needed to train, to choose "
            f"the thresholds and to measure. Lists come from the threshold method; set {needed} or more for a model."
        )
        for name in ("alert_shares", "alert_precisions"):
            if getattr(self, name):
                yield f"{PREFIX}{name.upper()}: without effect, as no model will ever be trained and have its thresholds chosen"

    @property
    def catalog_path(self) -> str:
        """The catalog, resolved: a SQLite file, or a PostgreSQL string as configured."""
        return self.catalog or str(self.data_dir.absolute() / "warehouse" / "catalog.sqlite")

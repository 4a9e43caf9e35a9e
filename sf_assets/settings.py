"""Settings of a deployment: one validated class, the only reader of the environment."""

import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, SettingsConfigDict

from sf_assets.lists.expert_rules import NAMES as EXPERT_RULES
from sf_assets.model.splits import SplitRules, minimum_months, rules_for
from sf_assets.vocabulary.failures import UserError
from sf_assets.vocabulary.modes import OPEN
from sf_assets.vocabulary.parameters import Parameters, split_commas

if TYPE_CHECKING:  # The warehouse imports DuckDB and Polars, which `sf --help` does not need.
    from sf_assets.engine.resources import Folders
    from sf_assets.engine.storage import Warehouse
    from sf_assets.engine.storage.objects import ObjectStore
    from sf_assets.operations.notices import Outbox

PREFIX = "SF_"
_LOG = logging.getLogger(__name__)
ENV_FILE = ".env"
# Dagster sets this variable, which is for Snowflake, in every run that it launches; Great Expectations sets it too.
_NOT_OURS = "SF_PARTNER"
_SECRETS = {"notice_webhook"}


class Settings(Parameters, BaseSettings):
    """The settings of a deployment: its parameters, where its data is, and where its notices go.

    `Settings(...)` takes its arguments; `from_environment` reads the variables `SF_<NAME>` from the file `.env` of the
    working directory, then from the environment, which wins.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix=PREFIX, enable_decoding=False)

    data_dir: Path = Field(Path("data"), description="folder of incoming files, warehouse, models and lists")
    catalog: str = Field(
        "", description="DuckLake catalog: empty for SQLite below data_dir, or 'postgres:<libpq string>'"
    )
    tables: str = Field(
        "",
        pattern=r"^(s3://[^/\s]+(/\S*)?)?$",
        description="where the warehouse's files are: empty for a folder below data_dir, or an address s3://bucket/prefix",
    )
    files: str = Field(
        "",
        pattern=r"^(s3://[^/\s]+(/\S*)?)?$",
        description="where delivered files, models and lists are: empty for folders below data_dir, or s3://bucket/prefix",
    )
    memory_limit: str = Field(
        "2500MB",
        pattern=r"^\d+(\.\d+)? ?[KMGT]i?B$",
        description="memory of one warehouse session before it spills to disk",
    )
    temp_directory: str = Field("", description="where a session spills beyond its memory; empty for the system's")
    threads: int = Field(2, ge=1, description="threads of one warehouse session")
    run_months: int = Field(
        0, ge=0, description="most months of a range in one run of history or scores; 0 for all of them"
    )
    ui: str = Field("", description="address of the pages, for the links of notices")
    notice_webhook: SecretStr = Field(SecretStr(""), description="where notices are posted as JSON; empty for nowhere")
    notice_smtp: str = Field(
        "", pattern=r"^([^:\s]+:\d+)?$", description="host:port of the relay that mails notices; empty for none"
    )
    notice_from: str = Field("", description="address that notices come from")
    notice_to: tuple[str, ...] = Field((), description="addresses that notices go to, separated by commas")

    @classmethod
    def settings_customise_sources(cls, *_: Any, **sources: Any) -> tuple[Any, ...]:
        """Return the arguments as the only source of values: `from_environment` alone reads the environment."""
        return (sources["init_settings"],)

    @field_validator("notice_to", mode="before")
    @classmethod
    def _split_addresses(cls, value: object) -> object:
        return split_commas(value)

    @field_validator("notice_webhook")
    @classmethod
    def _require_web_address(cls, webhook: SecretStr) -> SecretStr:
        address = webhook.get_secret_value()
        if address and not address.startswith(("http://", "https://")):
            raise ValueError("expected an address in http or https")
        return webhook

    @field_validator("corrections")
    @classmethod
    def _require_known_corrections(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := sorted(set(names) - set(EXPERT_RULES)):
            raise ValueError(f"expected names among {', '.join(EXPERT_RULES)}, found {', '.join(unknown)}")
        return names

    @field_validator("dropped_columns")
    @classmethod
    def _require_unused_columns(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if names:
            from sf_assets.catalogue.usage import require_droppable  # noqa: PLC0415 - loads every layer

            require_droppable(names)
        return names

    @model_validator(mode="after")
    def _require_data_of_corrections(self) -> "Settings":
        if self.corrections and self.mode == OPEN:
            raise ValueError(
                "SF_CORRECTIONS: expected none with SF_MODE=open: expert rules read debts and short-time work"
            )
        return self

    @model_validator(mode="after")
    def _require_complete_mail(self) -> "Settings":
        if bool(self.notice_smtp) != bool(self.notice_from and self.notice_to):
            raise ValueError("SF_NOTICE_SMTP, SF_NOTICE_FROM and SF_NOTICE_TO: expected all three or none")
        return self

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None, env_file: Path = Path(ENV_FILE)) -> "Settings":
        """Return the settings of `env_file`, if it exists, and of the environment; warn of contradictory settings.

        Raises:
            UserError: a variable is unknown or invalid; names it, what is accepted and what was found.

        """
        values = _variables(os.environ if environ is None else environ, env_file)
        known = {PREFIX + name.upper(): name for name in cls.model_fields}
        if unknown := sorted(values.keys() - known.keys()):
            raise UserError(f"environment: {', '.join(unknown)} unknown, expected one of {', '.join(sorted(known))}")
        try:
            settings = cls.model_validate({known[name]: value for name, value in values.items()})
        except ValidationError as error:
            # A contradiction between settings has no location; the value of a secret is not repeated.
            problems = (
                f"{PREFIX}{str(problem['loc'][0]).upper()}: {problem['msg']}"
                + ("" if problem["loc"][0] in _SECRETS else f", found {problem['input']!r}")
                if problem["loc"]
                else problem["msg"]
                for problem in error.errors()
            )
            raise UserError(f"environment: {'; '.join(problems)}") from None
        for warning in settings.contradictions():
            _LOG.warning(warning)
        return settings

    @property
    def split_rules(self) -> SplitRules:
        """The rules that assign months to training, to the choice of thresholds, and to the test."""
        return rules_for(self.training_failures, self.cutoff_shift_days, self.delays)

    def contradictions(self) -> Iterator[str]:
        """Yield one warning per setting that another setting makes useless, although each is valid alone."""
        if self.perimeter_recent:
            yield (
                "SF_PERIMETER_RECENT=true: a company that failed has no recent head-count, so that none is left in the files to "
                "learn from. Lists come from the threshold method."
            )
        needed = minimum_months(self.split_rules)
        if self.perimeter_months < needed:
            yield (
                f"SF_PERIMETER_MONTHS={self.perimeter_months}: no model will ever be trained. Of the months before this window "
                f"only the companies that survived are in the files, and {needed} months in a row are needed to train, to choose "
                f"the thresholds and to measure. Lists come from the threshold method; set {needed} or more for a model."
            )
        elif not self.perimeter_recent:
            return
        for name in ("alert_shares", "alert_precisions"):
            if getattr(self, name):
                yield f"{PREFIX}{name.upper()}: without effect, as no model will ever be trained and have its thresholds chosen"

    @property
    def catalog_path(self) -> str:
        """The DuckLake catalog: the path of a SQLite file, or the configured PostgreSQL string."""
        return self.catalog or str(self.data / "warehouse" / "catalog.sqlite")

    @property
    def data(self) -> Path:
        """The data folder, absolute."""
        return self.data_dir.absolute()

    @property
    def incoming(self) -> Path:
        """The folder of delivered files, with one sub-folder per batch."""
        return self.data / "incoming"

    @property
    def folders(self) -> "Folders":
        """The folders of files by month, in the data folder or in an object store."""
        from sf_assets.engine.resources import Folders  # noqa: PLC0415

        return Folders.below(self.data, self.mode, self._shared)

    @property
    def _shared(self) -> "tuple[ObjectStore, str] | None":
        objects = _objects_of(self.files)
        return (objects, self.files) if objects else None

    @property
    def notices(self) -> "Outbox":
        """The outbox of notices: the folder where they wait, and the channels that send them."""
        from sf_assets.engine.resources import shelf_of  # noqa: PLC0415
        from sf_assets.operations.notices import Channels, Outbox  # noqa: PLC0415

        webhook = self.notice_webhook.get_secret_value()
        channels = Channels(webhook, self.notice_smtp, self.notice_from, self.notice_to)
        return Outbox(shelf_of(self.data, "notices", self._shared), channels, self.ui)

    @property
    def parameters(self) -> Parameters:
        """The settings that results depend on, without folders and machine limits."""
        return Parameters(**{name: getattr(self, name) for name in Parameters.model_fields})


def _variables(environ: Mapping[str, str], env_file: Path) -> dict[str, str]:
    """Return the variables `SF_*` of the file and of the environment, which wins, by name."""
    in_file = DotEnvSettingsSource(Settings, env_file=env_file, case_sensitive=True).env_vars
    return {
        name: value
        for name, value in {**in_file, **environ}.items()
        if value is not None and name.startswith(PREFIX) and name != _NOT_OURS
    }


def warehouse_of(settings: Settings) -> "Warehouse":
    """Return the warehouse of a deployment."""
    from sf_assets.catalogue.modes import outside_of  # noqa: PLC0415
    from sf_assets.engine.storage import Warehouse  # noqa: PLC0415 - loads the engine

    return Warehouse(
        catalog=settings.catalog_path,
        data_path=settings.tables or str(settings.data / "warehouse" / "tables"),
        memory_limit=settings.memory_limit,
        temp_directory=settings.temp_directory,
        threads=settings.threads,
        outside=outside_of(settings.mode),
        objects=_objects_of(settings.tables),
    )


def _objects_of(address: str, environ: Mapping[str, str] = os.environ) -> "ObjectStore | None":
    """Return the object store that the variables `AWS_*` open when an address needs one; the keys are no settings."""
    if not address:
        return None
    from sf_assets.engine.storage.objects import ObjectStore  # noqa: PLC0415

    return ObjectStore.of_variables(environ)


def resources_for(settings: Settings) -> dict[str, object]:
    """Return the Dagster resources of a deployment, by the names of the parameters of assets."""
    from sf_assets.catalogue.modes import outside_of  # noqa: PLC0415
    from sf_assets.catalogue.tables import suites_of  # noqa: PLC0415 - loads every layer
    from sf_assets.engine.quality.gate import Gate  # noqa: PLC0415

    return {
        "warehouse": warehouse_of(settings),
        "folders": settings.folders,
        "parameters": settings.parameters,
        "gate": Gate(suites_of(settings.mode), outside_of(settings.mode)),
        "notices": settings.notices,
    }

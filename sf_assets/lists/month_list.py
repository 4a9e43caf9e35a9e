"""The list of a month as read from the warehouse: its rows, its document and the facts of its sheet « Lisez-moi ».

`list_export` writes files from it, a publication writes them again from the same snapshot.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from sf_assets.engine.quality.gate import Gate
from sf_assets.engine.storage import Session
from sf_assets.engine.storage.shelves import Shelf
from sf_assets.lists.departures import departures
from sf_assets.lists.document import Edition, document
from sf_assets.lists.page.content import Sheets, read_evolution, section_names, sheets_of
from sf_assets.lists.page.render import page
from sf_assets.lists.readme import About
from sf_assets.lists.readme_facts import measured_precisions
from sf_assets.lists.scored import SelectedMethod, companies_with_levels, selected_method
from sf_assets.lists.staff import with_bands, with_sizes
from sf_assets.lists.tables import ALERTS, CORRECTED, EXPORT, LIST_VERSIONS
from sf_assets.lists.versions import changes, current_version, require_current
from sf_assets.model.explanations import Waterfall, waterfall
from sf_assets.model.tables import EVALUATION
from sf_assets.vocabulary.parameters import Parameters
from sf_assets.vocabulary.partitions import cutoff_of
from sf_assets.vocabulary.version import VERSION

# The assets of earlier layers that a list is made from.
READS = ("feat_company_month", "feat_matrix", "clean_filter", "siren_blacklist", "model_fitted", "model_scores")
_LISTED = "select * from list_alerts where version = $version order by rang"


@dataclass(frozen=True, slots=True)
class MonthList:
    """The current list of a month.

    `version` is that of `list_alerts`. `companies` has one row per company scored, with its level, and `listed` one row per
    company in alert, by rank. `alerts` are the companies in alert with their features, `explained` what each theme and
    feature adds to their risk, `sheets` what the page shows of them, and `gone` the companies that left the list.
    """

    month: date
    version: int
    selected: SelectedMethod
    companies: pl.DataFrame
    listed: pl.DataFrame
    alerts: pl.DataFrame
    explained: Waterfall
    sheets: Sheets
    gone: pl.DataFrame
    edition: Edition
    about: About

    def document(self) -> Iterator[str]:
        """Yield the JSON document of the application, piece by piece."""
        return document(self.companies, self.alerts, self.explained, self.selected.method.features_, self.edition)

    def page(self) -> str:
        """Return the HTML page of the list."""
        return page(self.sheets, self.about)


def bind_list(session: Session, gate: Gate, month: date) -> None:
    """Make the month of every table that `month_list` reads readable under its plain name."""
    session.bind({gate.table(name): month for name in READS})
    session.bind({EVALUATION: month, ALERTS: month, EXPORT: month, LIST_VERSIONS: month, CORRECTED: month})


def month_list(
    session: Session,
    gate: Gate,
    month: date,
    *,
    models: Shelf,
    parameters: Parameters,
    accepted: tuple[str, ...],
) -> MonthList:
    """Return the current list of a month, whose tables `bind_list` made readable; some are bound anew, to several months.

    `models` is the folder of fitted models, and `accepted` has one French line per failed check that was accepted.

    Raises:
        PermanentFailure: there is no list, no method or no model, or the list is older than the scores.

    """
    cutoff = cutoff_of(month, parameters.cutoff_shift_days)
    selected = selected_method(session, month, models)
    companies = with_bands(companies_with_levels(session, month, selected))
    version = current_version(session)
    listed = with_sizes(session.connection.execute(_LISTED, {"version": version}).pl(), companies)
    alerts = companies.filter(pl.col("niveau") > 0)
    require_current(listed, alerts, month)
    precision_fort, precision_modere = measured_precisions(session, selected.method.name)
    about = About(
        month,
        cutoff,
        selected.method.label,
        selected.method.learns,
        selected.thresholds,
        parameters.perimeter_staff,
        parameters.perimeter_months,
        selected.statement,
        selected.choice,
        changes(session, month, listed, selected.method.name, selected.thresholds),
        accepted,
        precision_fort,
        precision_modere,
        selected.reference,
        mode=parameters.mode,
    )
    edition = Edition(month, cutoff, f"{selected.method.name} {VERSION}", selected.thresholds, parameters.mode)
    contributions = selected.method.contributions(alerts)
    explained = waterfall(contributions, alerts["probabilite"].to_numpy(), selected.method.features_)
    evolution = read_evolution(session, gate, month, version)
    sheets = sheets_of(listed, alerts, evolution, explained.macro, section_names())
    gone = departures(session, month, version, companies)
    return MonthList(month, version, selected, companies, listed, alerts, explained, sheets, gone, edition, about)

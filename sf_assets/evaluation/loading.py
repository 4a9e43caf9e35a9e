"""The backtest of a month read again: its rows with what became of them, and the scores of one method."""

from datetime import date

import polars as pl

from sf_assets.clean.procedures import PROCEDURE_EPISODE
from sf_assets.engine.storage import Session
from sf_assets.evaluation.panel import Panel, panel_of
from sf_assets.evaluation.tables import BACKTEST
from sf_assets.features.tables import COMPANY_MONTH, MATRIX
from sf_assets.model.matrix import Floats
from sf_assets.model.methods import METHODS
from sf_assets.model.tables import TARGET
from sf_assets.vocabulary.failures import PermanentFailure

# `date_defaillance` is the first day of the procedure that makes a row fail.
ROWS = """
    with scored as (
        select siren, periode, origine from eval_backtest
        where entreprises = 'toutes' and methode = (select min(methode) from eval_backtest)
    ),
    labelled as (
        select s.*, t.target, t.en_procedure, last_day(s.periode) + $shift as cutoff
        from scored as s join model_target as t using (siren, periode)
    ),
    openings as (select siren, date_debut from clean_procedure_episode where libelle_procol is not null)
    select
        l.siren, l.periode, l.origine, l.target, l.en_procedure,
        case when l.target then o.date_debut end as date_defaillance,
        c.naf_section as section, c.libelle_region as region, m.effectif, m.age_entreprise
    from labelled as l
    asof left join openings as o on l.siren = o.siren and l.cutoff < o.date_debut
    join feat_company_month as c on l.siren = c.siren and l.periode = c.month
    join feat_matrix as m on l.siren = m.siren and l.periode = m.month
    order by l.periode, l.siren
"""
_SCORES = """
    select probabilite from eval_backtest where methode = $method and entreprises = $companies order by periode, siren
"""


def bind_backtest(session: Session, month: date) -> list[date]:
    """Make the backtest of a month readable, with labels, procedures and features; return the months it scored."""
    session.bind(dict.fromkeys((BACKTEST, TARGET, PROCEDURE_EPISODE), month))
    found = session.connection.execute("select distinct periode from eval_backtest order by periode").fetchall()
    scored = [scored for (scored,) in found]
    session.bind_months([COMPANY_MONTH, MATRIX], scored or [month])
    return scored


def load_panel(session: Session, shift: int) -> Panel | None:
    """Return the rows of the backtest bound in a session, with what became of them; None when no month was scored."""
    rows = session.connection.execute(ROWS, {"shift": shift}).pl()
    return panel_of(rows, shift) if rows.height else None


def load_scores(session: Session, panel: Panel, method: str, companies: str) -> Floats:
    """Return the scores of one method in the order of the panel; raise `PermanentFailure` when rows are missing."""
    found = session.connection.execute(_SCORES, {"method": method, "companies": companies}).pl()["probabilite"]
    if len(found) != panel.company.size:
        raise PermanentFailure(
            f"eval_backtest: expected {panel.company.size} rows of {method} ({companies}) with features and an outcome, "
            f"found {len(found)}. Features or target changed since: materialise eval_backtest again."
        )
    return found.cast(pl.Float64).to_numpy()


def backtested_methods(session: Session) -> list[tuple[str, str]]:
    """Return the methods of a backtest with the companies that each learned from; those since removed are left out."""
    rows = session.connection.execute("select distinct methode, entreprises from eval_backtest order by all").fetchall()
    return [(method, companies) for method, companies in rows if method in METHODS]

"""The explanation of one company's score: a page in French for an officer.

The page names the company: only people who may see its list may read it.
"""

from datetime import date
from html import escape
from pathlib import Path

import numpy as np
import polars as pl

from sf_assets.catalogue.tables import suites_of
from sf_assets.engine.charts.company import radar, waterfall
from sf_assets.engine.quality.gate import Gate
from sf_assets.engine.storage import Session
from sf_assets.engine.storage.folders import make_private_folder
from sf_assets.engine.storage.shelves import Shelf
from sf_assets.features.registry import BY_NAME, THEMES
from sf_assets.lists import contact
from sf_assets.lists.document import list_name
from sf_assets.lists.reasons import main_reasons, reason_columns
from sf_assets.lists.scored import companies_with_levels, selected_method
from sf_assets.lists.selection import LEVELS
from sf_assets.lists.wording import quantity
from sf_assets.model.explanations import by_theme
from sf_assets.model.explanations import waterfall as rescaled
from sf_assets.sources.batch import batch_key
from sf_assets.vocabulary.failures import UserError
from sf_assets.vocabulary.modes import FULL, Mode
from sf_assets.vocabulary.partitions import cutoff_of

_READS = (
    "feat_company_month",
    "feat_matrix",
    "clean_filter",
    "model_fitted",
    "model_scores",
    "list_corrections",
    *contact.READS,
)
_MOST = 12  # features with the largest contributions


class UnknownCompany(UserError):
    """The month has no score for this company."""


def page(session: Session, month: date, siren: str, models: Shelf, *, shift: int = 0, mode: Mode = FULL) -> str:
    """Return the HTML page of a company for a month whose cut-off is `shift` days after its last day.

    Raises:
        UnknownCompany: the company was not scored.
        UserError: no company of the month was scored yet.
        Blocked: a table that the page reads did not pass its checks.
        PermanentFailure: no method was selected, or scores, features and models do not belong together.

    """
    _require_scores(session, month)
    gate = Gate(suites_of(mode))
    gate.check(session, [(name, month) for name in _READS])
    session.bind({gate.table(name): month for name in _READS})
    selected = selected_method(session, month, models)
    companies = companies_with_levels(session, month, selected)
    company = companies.filter(siren=siren)
    if company.is_empty():
        raise UnknownCompany(f"{month:%Y-%m}: expected one of {companies.height} companies scored, found another siren")
    features = selected.method.features_
    contributions = selected.method.contributions(companies)
    here = contributions[companies["siren"].to_numpy() == siren]
    explained = rescaled(here, company["probabilite"].to_numpy(), features)
    themes = by_theme(contributions, features)
    there = {BY_NAME[name].theme for name in features}
    shown = [place for place, theme in enumerate(THEMES) if theme in there]
    labels = [name for theme, name in THEMES.items() if theme in there]
    # The share of companies on which each theme weighs less than on this one.
    places = (themes < by_theme(here, features)).mean(axis=0)
    reasons = main_reasons(company, here, features, cutoff=cutoff_of(month, shift), typical=selected.method.typical_)
    sentences = [text for name in reason_columns() if (text := reasons[name].item())]
    percents = {"modéré": 100 * selected.thresholds.modere, "fort": 100 * selected.thresholds.fort}
    bars = dict(zip(labels, explained.macro[0, shown].tolist(), strict=True))
    has_bars = bool(np.isfinite(explained.macro).all())
    charts = [
        radar(dict(zip(labels, places[shown].tolist(), strict=True)), title="Place parmi les entreprises suivies")
    ]
    if has_bars:
        charts.insert(0, waterfall(bars, percents, title="Ce qui compose le risque"))
    described = contact.with_contact(session, company).with_columns(donnees_au=pl.lit(cutoff_of(month, shift)))
    return _html(month, described, sentences, charts, _weights(company, here, features))


def _require_scores(session: Session, month: date) -> None:
    """Refuse a month without scores in one sentence: the gate would name every check that did not run yet."""
    scored = session.months("model_scores")
    if month not in scored:
        others = f"the newest month that has some is {scored[-1]:%Y-%m}" if scored else "no month has any yet"
        raise UserError(
            f"{month:%Y-%m}: expected a month with scores, found none; {others}. Run `sf run monthly {month:%Y-%m}` first, or "
            "`sf status` to see what stops it."
        )


def _weights(company: pl.DataFrame, contributions: np.ndarray, features: tuple[str, ...]) -> pl.DataFrame:
    """Return one row per feature with the largest contributions: label, theme, value in words, contribution to the score."""
    known = [BY_NAME[name] for name in features]
    return (
        pl.DataFrame(
            {
                "label": [feature.label for feature in known],
                "theme": [THEMES[feature.theme] for feature in known],
                "unit": [feature.unit for feature in known],
                "value": [company[name].cast(pl.Float64).item() for name in features],
                "contribution": contributions[0],
            }
        )
        .filter(pl.col("value").is_not_null() & (pl.col("contribution") != 0))
        .with_columns(text=quantity(pl.col("value"), pl.col("unit")))
        .sort(pl.col("contribution").abs(), descending=True)
        .head(_MOST)
    )


_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #7f879040}"
    "td.n{text-align:right;white-space:nowrap}.note{color:#7f8790}"
)


def _html(month: date, company: pl.DataFrame, sentences: list[str], charts: list[str], weights: pl.DataFrame) -> str:
    row = company.row(0, named=True)
    risk = f"{100 * row['probabilite']:.1f}".replace(".", ",")
    level = row["exclusion"] or LEVELS[row["niveau"]].label
    if row["niveau_modele"] is not None:
        level += f" (niveau du modèle corrigé : {row['corrections']})"
    place = (row["libelle_activite_principale"], ", ".join((row["adresse"] or "").splitlines()))
    lines = "".join(
        f"<tr><td>{escape(weight['label'])}</td><td>{escape(weight['theme'])}</td><td class=n>{escape(weight['text'])}</td>"
        f"<td class=n>{_signed(weight['contribution'])}</td></tr>"
        for weight in weights.iter_rows(named=True)
    )
    return (
        f"<!doctype html><html lang=fr><meta charset=utf-8><title>{escape(list_name(month))}</title><style>{_STYLE}</style>"
        f"<h1>{escape(row['raison_sociale'] or row['siren'])}</h1>"
        f"<p>SIREN {row['siren']} · {escape(list_name(month))} · {escape(level)} · risque {risk} %</p>"
        f"<p>{escape(' · '.join(filter(None, place)))}</p><p>Données connues au {row['donnees_au']:%d/%m/%Y}.</p>"
        "<p class=note>Cette page aide à ouvrir un échange avec l'entreprise. Elle ne sert jamais à contrôler, à sanctionner "
        "ni à recouvrer.</p>"
        f"<h2>Motifs</h2><ul>{''.join(f'<li>{escape(text)}</li>' for text in sentences) or '<li>Aucun</li>'}</ul>"
        f"<h2>Ce qui pèse</h2>{''.join(charts)}"
        "<p class=note>Le radar donne, par thème, la part des entreprises suivies pour lesquelles il pèse moins.</p>"
        "<table><tr><th>Donnée<th>Thème<th>Valeur<th>Effet sur le score</tr>"
        f"{lines}</table></html>\n"
    )


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace(".", ",").replace("-", "\N{MINUS SIGN}")


def write_page(
    session: Session, month: date, siren: str, *, models: Shelf, into: Path, shift: int = 0, mode: Mode = FULL
) -> Path:
    """Write the page of a company below `into`, in the folder of the month; return its path. `shift` and `mode` are as in `page`.

    Raises:
        UserError: the siren has not nine digits, there is no warehouse or no such month yet, or the company was not scored.
        Blocked: a table that the page reads did not pass its checks.

    """
    digits = "".join(siren.split())
    if not (len(digits) == 9 and digits.isascii() and digits.isdigit()):  # noqa: PLR2004 - a siren has nine digits
        raise UserError("siren: expected nine digits, found something else")
    text = page(session, month, digits, models, shift=shift, mode=mode)
    path = make_private_folder(into / batch_key(month)) / f"{digits}.html"
    path.write_text(text, encoding="utf-8")
    return path

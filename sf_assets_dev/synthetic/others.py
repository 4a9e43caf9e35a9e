"""Files of occasional sources, about a few companies: VAT returns, accounts of Diane, groups of Ellisphere.

Each comes in later versions: returns are corrected months later, Diane restates past years, groups show their present state.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import xlsxwriter

from sf_assets.vocabulary.tax_fields import CA3_BOXES, CA12_BOXES
from sf_assets_dev.synthetic.accounts import Statements
from sf_assets_dev.synthetic.timeline import Floats, Ints, Window, dates
from sf_assets_dev.synthetic.world import Block

CA3, CA12, DIANE_EXPORT = "tva_ca3.csv", "tva_ca12.csv", "Diane_Export_1.txt"
GROUPS = "Ellisphère-Tête de groupe-synthese.xlsx"
_QUARTER = 91
_DIANE_YEARS = 4
_FIRST_ROW = [f"colonne {n}" for n in range(16)]


@dataclass(frozen=True, slots=True)
class Others:
    """The rows of one block: two kinds of VAT return, accounts by company and year, companies with the head of their group."""

    ca3: pl.DataFrame
    ca12: pl.DataFrame
    accounts: pl.DataFrame
    groups: pl.DataFrame


@dataclass(frozen=True, slots=True)
class _Form:
    """One form of VAT return: its number and boxes, the box of the turnover, the share of a year that it covers."""

    number: str
    boxes: str
    box: str
    share: float

    @property
    def headers(self) -> tuple[str, ...]:
        """The columns of its file."""
        return (*_RETURN, *(f"{self.number}_{box}" for box in self.boxes.split()))


_RETURN = ("siren", "dte_debut_periode", "dte_fin_periode", "no_ocfi", "mode_depot", "version_form", "dte_depot")


_QUARTERLY = _Form("d3310", CA3_BOXES, "d3310_01", 0.25)
_YEARLY = _Form("d3517s", CA12_BOXES, "d3517s_5a_b", 1.0)


def draw_others(block: Block, statements: Statements, window: Window) -> Others:
    """Draw the rows of one block in the files of a delivery; `statements` includes those filed again."""
    s = statements
    number = block.companies.number[s.company]
    quarterly = np.repeat(np.flatnonzero((number % 10 == 1) & (s.filing == 0)), 4)
    begins = s.begins[quarterly] + np.tile(np.arange(4), len(quarterly) // 4) * _QUARTER
    yearly = np.flatnonzero((number % 10 == 2) & (s.filing == 0))
    return Others(
        ca3=_returns(block, s, window, _QUARTERLY, (quarterly, begins, begins + _QUARTER - 1)),
        ca12=_returns(block, s, window, _YEARLY, (yearly, s.begins[yearly], s.ends[yearly])),
        accounts=_accounts(block, s, window),
        groups=_groups(block, window),
    )


def _returns(
    block: Block, statements: Statements, window: Window, form: _Form, periods: tuple[Ints, Ints, Ints]
) -> pl.DataFrame:
    """Return the VAT returns deposited by the delivery; one in ten is deposited again, with a tenth less turnover.

    `periods` has, for each return, the index of its statement, its first day and its last day.
    """
    item, begins, ends = periods
    noise = statements.noise[item]
    again = np.flatnonzero(noise // 7 % 10 == 0)
    place = np.concatenate((np.arange(len(item)), again))
    late = np.arange(len(place)) >= len(item)
    day = ends[place] + 15 + noise[place] % 20 + np.where(late, 40 + noise[place] % 200, 0)
    turnover = statements.turnover[item][place] * form.share * np.where(late, 0.9, 1.0)
    rows = pl.DataFrame(
        {
            "siren": block.companies.siren.gather(statements.company[item][place]),
            "dte_debut_periode": dates(begins[place]),
            "dte_fin_periode": dates(ends[place]),
            "no_ocfi": pl.Series(noise[place] % 10**9 + 10**9 * (1 + late)).cast(pl.String),
            "mode_depot": pl.Series(["E"]).new_from_index(0, len(place)),
            "version_form": pl.Series(["A"]).new_from_index(0, len(place)),
            "dte_depot": dates(day),
            form.box: np.rint(turnover),
        }
    ).filter(pl.Series(day <= window.delivered))
    empty = [pl.lit(None, pl.String).alias(name) for name in form.headers if name not in rows.columns]
    return rows.with_columns(empty).select(form.headers)


def _accounts(block: Block, statements: Statements, window: Window) -> pl.DataFrame:
    """Return accounts by company and year: a company whose accounts were filed again has two rows, the restated one last."""
    last_year = int(pl.Series([window.delivered]).cast(pl.Int32).cast(pl.Date).dt.year()[0])
    shown = (statements.filed <= window.delivered) & (statements.year > last_year - _DIANE_YEARS)
    item = np.flatnonzero(shown & (block.companies.number[statements.company] % 10 == 3))
    return pl.DataFrame(
        {
            "siren": block.companies.siren.gather(statements.company[item]),
            "filing": statements.filing[item],
            "year": statements.year[item],
            "closed": dates(statements.ends[item]).dt.strftime("%d/%m/%Y"),
            "turnover": _thousands(statements.turnover[item]),
            "ebe": _thousands(statements.ebe[item]),
            "value_added": _thousands(statements.value_added[item]),
        }
    )


def _thousands(values: Floats) -> pl.Series:
    return pl.Series(np.rint(values / 1000)).cast(pl.Int64).cast(pl.String)


def _groups(block: Block, window: Window) -> pl.DataFrame:
    """Return the companies that belong to a group at the delivery: heads change every year, and some companies leave."""
    number = block.companies.number
    year = window.last // 12
    member = np.flatnonzero((number % 10 == 4) & (number % 7 != year % 7))
    head = (member // 40 * 40 + 10 * (year % 3)) % len(number)
    return pl.DataFrame(
        {
            "siren": block.companies.siren.gather(member),
            "head": block.companies.siren.gather(head),
            "share": 50.0 + number[member] % 50,
        }
    )


def write_others(directory: Path, blocks: list[Others]) -> dict[str, int]:
    """Write the four files and return their numbers of rows."""
    ca3, ca12 = pl.concat([block.ca3 for block in blocks]), pl.concat([block.ca12 for block in blocks])
    ca3.write_csv(directory / CA3, separator="|")
    ca12.write_csv(directory / CA12, separator="|")
    accounts = pl.concat([block.accounts for block in blocks])
    groups = pl.concat([block.groups for block in blocks])
    _write_groups(directory / GROUPS, groups)
    return {
        CA3: ca3.height,
        CA12: ca12.height,
        DIANE_EXPORT: _write_diane(directory / DIANE_EXPORT, accounts),
        GROUPS: groups.height,
    }


_NAMED = {
    "Date de clôture": "closed",
    "Chiffre d'affaires net (H.T.) kEUR": "turnover",
    "Excédent brut d'exploitation kEUR": "ebe",
    "Valeur ajoutée kEUR": "value_added",
}
_COMPANY = ("Marquée", "Nom de l'entreprise", "Numéro Siren", "Statut juridique", "Procédure collective")
_YEARLY_HEADERS = (
    "Date de clôture", "Effectif consolidé", "Nombre d'ES", "Nombre de filiales",
    "Taille de la Composition du Groupe", "Nombre de mois", "Dettes fiscales et sociales kEUR",
    "Frais de R&D : net kEUR", "Conces., brev. et droits sim. : net kEUR", "Conc. banc. cour. & sold. cr. kEUR",
    "Equilibre financier", "Indépendance fin. %", "Endettement %", "Autonomie fin. %",
    "Degré d'amort. des immob. corp. %", "Financ. de l'actif circ. net", "Liquidité générale", "Liquidité réduite",
    "Rotation des stocks jours", "Crédit clients jours", "Crédit fournisseurs jours",
    "C. A. par effectif (milliers/pers.) kEUR", "Taux d'intérêt financier %", "Intérêts / Chiffre d'affaires %",
    "Endettement global jours", "Taux d'endettement %", "Capacité de remboursement", "Capacité d'autofin. %",
    "Couv. du C.A. par le f.d.r. jours", "Couv. du C.A. par bes. en fdr jours", "Poids des BFR d'exploitation %",
    "Exportation %", "Efficacité économique (milliers/pers.) kEUR", "Prod. du potentiel de production",
    "Productivité du capital financier", "Productivité du capital investi", "Taux d'invest. productif %",
    "Rentabilité économique %", "Performance %", "Rend. brut des f. propres nets %", "Rentabilité nette %",
    "Rend. des capitaux propres nets %", "Rend. des res. durables nettes %", "Taux de marge commerciale %",
    "Taux de valeur ajoutée %", "Part des salariés %", "Part de l'Etat %", "Part des prêteurs %",
    "Part de l'autofin. %", "Chiffre d'affaires net (H.T.) kEUR", "Dont exportation kEUR",
    "Achats march. et autres approv. kEUR", "Achats de mat. prem. et autres approv. kEUR", "Production de l'ex. kEUR",
    "Marge commerciale kEUR", "Consommation de l'ex. kEUR", "Autres achats et charges externes kEUR",
    "Valeur ajoutée kEUR", "Charges de personnel kEUR", "Impôts, taxes et vers. assimil. kEUR",
    "Subventions d'expl. kEUR", "Excédent brut d'exploitation kEUR", "Autres Prod., char. et Repr. kEUR",
    "Dot. d'exploit. aux amort. et prov. kEUR", "Résultat d'expl. kEUR", "Opérations en commun kEUR",
    "Produits fin. kEUR", "Charges fin. kEUR", "Intérêts et charges assimilées kEUR",
    "Résultat courant avant impôts kEUR", "Produits except. kEUR", "Charges except. kEUR",
    "Particip. des sal. aux résul. kEUR", "Impôts sur le bénéf. et impôts diff. kEUR", "Bénéfice ou perte kEUR",
)  # fmt: skip


def _write_diane(path: Path, accounts: pl.DataFrame) -> int:
    """Write the accounts, years side by side, one record per company and filing; return the records."""
    years = accounts["year"].unique().sort().to_list() or [2020]
    header = [*_COMPANY, *(f"{name} {year}" for name in _YEARLY_HEADERS for year in years)]
    lines = [header]
    for (siren, _), rows in accounts.group_by("siren", "filing", maintain_order=True):
        known = {f"{name} {row['year']}": row[_NAMED[name]] for row in rows.iter_rows(named=True) for name in _NAMED}
        known |= {
            "Numéro Siren": str(siren),
            "Nom de l'entreprise": f"ENTREPRISE {siren}",
            "Procédure collective": "Non",
        }
        lines.append([known.get(name, "") for name in header])
    text = "".join(";".join(f'"{cell}"' for cell in line) + "\r\n" for line in lines)
    path.write_text(text, encoding="utf-16", newline="")
    return len(lines) - 1


def _write_groups(path: Path, groups: pl.DataFrame) -> None:
    with xlsxwriter.Workbook(path) as book:
        # A fixed date, so that the same rows give the same bytes.
        book.set_properties({"created": datetime(2000, 1, 1, tzinfo=UTC)})
        page = book.add_worksheet()
        page.write_row(0, 0, _FIRST_ROW)
        for line, (siren, head, share) in enumerate(groups.iter_rows(), start=1):
            names = [f"G{head}", "G", head, f"R{head}", f"GROUPE {head}", "1 RUE DU SIEGE 75001 PARIS", "", "", ""]
            page.write_row(line, 0, [*names, 1, share, "", f"F{siren}", "P", siren, f"R{siren}"])

import gzip
import re
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sf_assets.sources.nomenclatures import label_tables
from sf_assets_dev.synthetic import write_batch
from sf_assets_dev.synthetic.accounts import draw_statements
from sf_assets_dev.synthetic.activities import ACTIVITIES
from sf_assets_dev.synthetic.help import Help
from sf_assets_dev.synthetic.others import CA3, CA12, DIANE_EXPORT, GROUPS, draw_others
from sf_assets_dev.synthetic.places import PLACES
from sf_assets_dev.synthetic.population import PUBLIC
from sf_assets_dev.synthetic.procedures import LIQUIDATION, REDRESSEMENT, SAUVEGARDE, states
from sf_assets_dev.synthetic.refiled import with_filed_again
from sf_assets_dev.synthetic.timeline import FIRST_DAYS, MONTHS, NEVER, Window, procol_dates, urssaf_dates
from sf_assets_dev.synthetic.world import draw_block

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
DELIVERED = date(2026, 11, 5)
SEPARATORS = {
    "sireneUL.csv": ",",
    "StockEtablissement_utf8_geo.csv": ",",
    "StockEtablissementHistorique_utf8.csv": ",",
    "sigfaible_effectif_siren.csv": ";",
    "sigfaible_effectif_siret.csv": ";",
    "sigfaible_cotisdues.csv.gz": ";",
    "sigfaible_debits.csv": ";",
    "sigfaible_delais.csv": ";",
    "sigfaible_ccsf.csv": ";",
    "sigfaible_pcoll.csv": ";",
    "demande_ap.csv": ",",
    "consommation_ap.csv": ",",
    "altares_paydex.csv": ",",
    "declarations_indmap.csv": "|",
    "declarations_af.csv": "|",
    "ratios_dirco.csv": "|",
    "ratios_inpi_bce.csv.gz": ";",
    "bodacc_procedures.csv": ";",
}
HEADERS = {
    "sigfaible_cotisdues.csv.gz": "Urssaf_gestion;Dep;Siret;Compte;periode;mer;enc_direct;cotis_due",
    "sigfaible_debits.csv": (
        "Urssaf_gestion;Dep;num_cpte;Siren;Siret;Dt_immat;Etat_cpte;Cd_pro_col;Periode;Num_Ecn;Num_Hist_Ecn;Dt_trt_ecn;"
        "Mt_PO;Mt_PP;Cd_op_ecn;Motif_ecn;Recours_en_cours"
    ),
    "sigfaible_delais.csv": (
        "Urssaf_gestion;Dep;Siret;Numero_compte_externe;Numero_structure;Date_creation;Date_echeance;Duree_delai;"
        "Denomination_premiere_ligne;Indic_6M;Annee_creation;Montant_global_echeancier;Code_externe_stade;"
        "Code_externe_action"
    ),
    "sigfaible_ccsf.csv": "Siret;Compte;Date_de_traitement;Code_externe_stade;Code_externe_action",
    "sigfaible_pcoll.csv": "Siret;Siren;Dt_effet;Cat_v2;Lib_actx_stdx",
    "consommation_ap.csv": "ID_DA,ETAB_SIRET,HEURES,MONTANTS,EFFECTIFS,MOIS",
    "demande_ap.csv": (
        "ID_DA,ETAB_SIRET,EFF_ENT,EFF_ETAB,DATE_STATUT,DATE_DEB,DATE_FIN,HTA,MTA,EFF_AUTO,MOTIF_RECOURS_SE,PERIMETRE_AP,"
        "S_HEURE_CONSOM_TOT,S_EFF_CONSOM_TOT,S_MONTANT_CONSOM_TOT,RECOURS_ANTERIEUR"
    ),
    "altares_paydex.csv": (
        "siren,état_organisation,code_paydex,paydex,n_fournisseurs,encours_étudiés,fpi_30,fpi_90,date"
    ),
}


def content(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def lines(path: Path) -> list[str]:
    return content(path).decode("utf-8-sig").splitlines()


def table(folder: Path, name: str) -> pl.DataFrame:
    return pl.read_csv(content(folder / name), separator=SEPARATORS[name], infer_schema=False)


def digest(folder: Path) -> dict[str, str]:
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def october(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synthetic") / "2610"
    write_batch(folder, month=OCTOBER, companies=200, years=20, oracle=folder.parent / "october.parquet")
    return folder


@pytest.fixture(scope="module")
def november(october: Path) -> Path:
    folder = october.parent / "2611"
    write_batch(folder, month=NOVEMBER, companies=200, years=20, oracle=folder.parent / "november.parquet")
    return folder


def test_the_batch_has_every_file_of_the_producers_and_returns_their_rows(tmp_path: Path) -> None:
    rows = write_batch(tmp_path / "2610", month=OCTOBER, companies=40, years=2)
    assert set(rows) == set(SEPARATORS) == {path.name for path in (tmp_path / "2610").iterdir()}
    assert rows == {name: table(tmp_path / "2610", name).height for name in rows}


def test_the_same_arguments_give_the_same_bytes_and_another_seed_gives_others(october: Path, tmp_path: Path) -> None:
    write_batch(tmp_path / "again", month=OCTOBER, companies=200, years=20)
    assert digest(tmp_path / "again") == digest(october)
    write_batch(tmp_path / "other", month=OCTOBER, companies=200, years=20, seed=2)
    assert not set(digest(tmp_path / "other").values()) & set(digest(october).values())


@pytest.mark.parametrize(
    "name",
    [name for name in SEPARATORS if not name.startswith(("sireneUL", "Stock", "sigfaible_effectif", "demande"))],
)
def test_the_next_month_repeats_every_row_already_delivered(name: str, october: Path, november: Path) -> None:
    before, after = lines(october / name), lines(november / name)
    assert not set(before) - set(after)
    assert len(after) > len(before) or len(before) < 300, "only the small files may have nothing new"


def test_records_are_filed_again_later_and_differently(october: Path) -> None:
    exercise = ["siren", "date_deb_exercice", "date_fin_exercice"]
    filings = table(october, "declarations_indmap.csv").sort("date_depot").group_by(exercise).agg(pl.all())
    again = filings.filter(pl.col("date_depot").list.len() == 2)
    assert 0.02 < again.height / filings.height < 0.1
    assert (again["date_depot"].list.get(0) < again["date_depot"].list.get(1)).all()
    assert (again["no_ocfi"].list.get(0).cast(pl.Int64) < again["no_ocfi"].list.get(1).cast(pl.Int64)).all()
    assert (again["d_passf_142_k_propres"].list.n_unique() == 2).all()
    dirco = table(october, "ratios_dirco.csv").group_by(exercise, maintain_order=True).agg(pl.col("rto_6"))
    assert dirco.filter(pl.col("rto_6").list.len() == 2).height > 0.8 * again.height
    demands = table(october, "demande_ap.csv").group_by("ID_DA", maintain_order=True).agg("DATE_STATUT", "HTA")
    decided_again = demands.filter(pl.col("HTA").list.len() == 2)
    assert decided_again.height > 5
    assert (decided_again["DATE_STATUT"].list.get(0) < decided_again["DATE_STATUT"].list.get(1)).all()
    plans = table(october, "sigfaible_delais.csv").group_by("Siret", "Montant_global_echeancier").agg("Date_creation")
    assert plans.filter(pl.col("Date_creation").list.n_unique() == 2).height > 1


def test_occasional_files_are_filed_again_too() -> None:
    block = draw_block(3, 0)
    statements = with_filed_again(block, draw_statements(block))
    now, later = (draw_others(block, statements, Window.of(month, 4)) for month in (OCTOBER, date(2027, 10, 1)))
    for returns, box in ((now.ca3, "d3310_01"), (now.ca12, "d3517s_5a_b")):
        periods = returns.group_by("siren", "dte_debut_periode", maintain_order=True).agg("dte_depot", box)
        corrected = periods.filter(pl.col("dte_depot").list.len() == 2)
        assert corrected.height > 5
        assert (corrected["dte_depot"].list.get(0) < corrected["dte_depot"].list.get(1)).all()
        assert (corrected[box].list.n_unique() == 2).all()
    restated = now.accounts.group_by("siren", "year").agg("ebe").filter(pl.col("ebe").list.n_unique() == 2)
    assert restated.height > 2
    both = now.groups.join(later.groups, on="siren", suffix="_later")
    assert 0 < both.height < now.groups.height, "some have left their group"
    assert not both["head"].equals(both["head_later"])


def test_occasional_files_are_deterministic(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_batch(tmp_path / name, month=OCTOBER, companies=60, years=2, others=True)
    assert digest(tmp_path / "one") == digest(tmp_path / "two")
    assert {CA3, CA12, DIANE_EXPORT, GROUPS} <= digest(tmp_path / "one").keys()


@pytest.mark.parametrize(
    ("name", "key", "moving"),
    [
        ("demande_ap.csv", ("ID_DA", "DATE_STATUT"), r"^S_.*$"),
        ("sireneUL.csv", ("siren",), r"^(etat|caractere|nicSiege).*$"),
        ("StockEtablissement_utf8_geo.csv", ("siret",), r"^(etat|caractere|dateDebut).*$"),
    ],
)
def test_the_next_month_changes_only_what_may_change(
    name: str, key: tuple[str, ...], moving: str, october: Path, november: Path
) -> None:
    before, after = (
        table(folder, name).select(pl.exclude(moving)).select(pl.exclude("etablissementSiege"))
        for folder in (october, november)
    )
    assert before.join(after, on=before.columns, how="anti", nulls_equal=True).is_empty()
    assert before.select(key).is_unique().all()


def test_the_next_month_adds_one_column_of_headcount_and_keeps_the_others(october: Path, november: Path) -> None:
    before, after = (table(folder, "sigfaible_effectif_siren.csv") for folder in (october, november))
    assert [name for name in after.columns if name not in before.columns] == ["eff202641"]
    empty = {"eff202632", "eff202633"}
    assert empty == {name for name in before.columns if before[name].null_count() == before.height}
    shared = [name for name in before.columns if name not in empty]
    assert before.select(shared).join(after.select(shared), on=shared, how="anti", nulls_equal=True).is_empty()


def test_a_company_is_the_same_whatever_the_number_of_companies(october: Path, tmp_path: Path) -> None:
    write_batch(tmp_path / "few", month=OCTOBER, companies=50, years=20)
    for name in SEPARATORS:
        assert not set(lines(tmp_path / "few" / name)) - set(lines(october / name)), name


@pytest.mark.parametrize("name", HEADERS)
def test_headers_are_those_of_the_producers(name: str, october: Path) -> None:
    assert lines(october / name)[0] == HEADERS[name]


def test_sirene_headers_are_those_of_the_published_files(october: Path) -> None:
    units = table(october, "sireneUL.csv").columns
    assert len(units) == 34
    assert "activitePrincipaleNAF25UniteLegale" in units
    assert len(table(october, "StockEtablissement_utf8_geo.csv").columns) == 58
    assert len(table(october, "StockEtablissementHistorique_utf8.csv").columns) == 18


def test_special_encodings_are_kept(october: Path) -> None:
    assert (october / "ratios_inpi_bce.csv.gz").read_bytes()[:2] == b"\x1f\x8b"
    assert content(october / "ratios_inpi_bce.csv.gz").startswith("\ufeffsiren;date_cloture_exercice".encode())
    assert content(october / "sigfaible_delais.csv").count(b"\r\n") == len(lines(october / "sigfaible_delais.csv"))
    assert re.search(r'"[^"]+, [^"]+ ET FILS"', content(october / "sireneUL.csv").decode())


@pytest.mark.parametrize(
    ("name", "column", "pattern"),
    [
        ("sigfaible_cotisdues.csv.gz", "Siret", r"^\d{14}$"),
        ("sigfaible_cotisdues.csv.gz", "periode", r"^20\d\d[1-4][0-3]$"),
        ("sigfaible_cotisdues.csv.gz", "cotis_due", r"^\d+,\d\d$"),
        ("sigfaible_debits.csv", "Siret", r"^\d{14}$"),
        ("sigfaible_debits.csv", "Dt_trt_ecn", r"^1\d{6}$"),
        ("sigfaible_debits.csv", "Mt_PP", r"^\d+$"),
        ("sigfaible_debits.csv", "Num_Ecn", r"^\d{3}$"),
        ("sigfaible_delais.csv", "Date_creation", r"^\d\d/\d\d/20\d\d$"),
        ("sigfaible_delais.csv", "Montant_global_echeancier", r"^\d+,\d\d$"),
        ("sigfaible_pcoll.csv", "Dt_effet", r"^\d\d[A-Z]{3}20\d\d$"),
        ("consommation_ap.csv", "ID_DA", r"^\d{11}$"),
        ("consommation_ap.csv", "HEURES", r"^\d+\.\d\d$"),
        ("demande_ap.csv", "MOTIF_RECOURS_SE", r"^[1-5]$"),
        ("altares_paydex.csv", "date", r"^20\d\d-\d\d-15$"),
        ("sireneUL.csv", "siren", r"^\d{9}$"),
        ("sireneUL.csv", "activitePrincipaleUniteLegale", r"^\d\d\.\d\d[A-Z]$"),
        ("StockEtablissement_utf8_geo.csv", "codeCommuneEtablissement", r"^\d[0-9AB]\d{3}$"),
        ("declarations_indmap.csv", "date_depot", r"^20\d\d-\d\d-\d\d$"),
    ],
)
def test_every_value_has_the_format_of_its_producer(name: str, column: str, pattern: str, october: Path) -> None:
    values = table(october, name)[column].drop_nulls()
    assert len(values) > 0
    assert values.str.contains(pattern).all()


def test_known_dates_are_written_as_the_specification_says() -> None:
    days = np.asarray([np.datetime64("2024-03-21").astype(int), np.datetime64("1999-06-12").astype(int)])
    assert urssaf_dates(days).tolist() == [1240321, 990612]
    assert procol_dates(days).to_list() == ["21MAR2024", "12JUN1999"]


def test_no_past_event_is_dated_after_the_delivery(october: Path) -> None:
    def latest(name: str, column: str, form: str = "%Y-%m-%d") -> date:
        return table(october, name)[column].drop_nulls().str.to_date(form).max()

    for name, column, form in (
        ("sigfaible_pcoll.csv", "Dt_effet", "%d%b%Y"),
        ("sigfaible_delais.csv", "Date_creation", "%d/%m/%Y"),
        ("demande_ap.csv", "DATE_STATUT", "%Y-%m-%d"),
        ("declarations_indmap.csv", "date_depot", "%Y-%m-%d"),
        ("ratios_inpi_bce.csv.gz", "date_cloture_exercice", "%Y-%m-%d"),
        ("bodacc_procedures.csv", "dateparution", "%Y-%m-%d"),
        ("StockEtablissement_utf8_geo.csv", "dateCreationEtablissement", "%Y-%m-%d"),
        ("StockEtablissementHistorique_utf8.csv", "dateDebut", "%Y-%m-%d"),
        ("sireneUL.csv", "dateCreationUniteLegale", "%Y-%m-%d"),
    ):
        assert latest(name, column, form) <= DELIVERED, name
    treated = table(october, "sigfaible_debits.csv")["Dt_trt_ecn"].cast(pl.Int64) + 19_000_000
    assert treated.max() <= 20261105
    assert latest("consommation_ap.csv", "MOIS") == date(2026, 8, 1)
    assert latest("altares_paydex.csv", "date") == date(2026, 9, 15)
    assert table(october, "sigfaible_cotisdues.csv.gz")["periode"].max() == "202632"


def test_establishments_add_up_to_their_company(october: Path) -> None:
    def numbers(name: str, key: str) -> pl.DataFrame:
        months = [column for column in table(october, name).columns if column.startswith("eff")]
        cells = pl.col(months).str.replace_all(r"\D", "").cast(pl.Int64).fill_null(0)
        return table(october, name).select(pl.col(key).str.head(9).alias("siren"), cells)

    company = numbers("sigfaible_effectif_siren.csv", "siren").sort("siren")
    establishments = numbers("sigfaible_effectif_siret.csv", "siret").group_by("siren").sum().sort("siren")
    assert company.equals(establishments)


def test_a_company_has_one_head_office_and_forged_sirets_are_not_in_sirene(tmp_path: Path) -> None:
    write_batch(tmp_path / "2610", month=OCTOBER, companies=1000, years=3)
    register = table(tmp_path / "2610", "StockEtablissement_utf8_geo.csv")
    seats = register.filter(pl.col("etablissementSiege") == "true")
    assert seats["siren"].is_unique().all()
    assert set(seats["siren"]) == set(table(tmp_path / "2610", "sireneUL.csv")["siren"])
    staffed = table(tmp_path / "2610", "sigfaible_effectif_siret.csv").select("siret")
    unknown = staffed.join(register, on="siret", how="anti")["siret"]
    assert len(unknown) > 0
    assert set(unknown.str.slice(9, 1)) <= set("5679")
    assert seats.filter(pl.col("libellePaysEtrangerEtablissement").is_not_null()).height > 0
    assert seats.filter(pl.col("nomenclatureActivitePrincipaleEtablissement") == "NAF1993").height > 0


def test_codes_exist_in_the_nomenclatures() -> None:
    folder = Path(label_tables.__file__).parent
    for name, used in (("naf_codes.csv", ACTIVITIES.naf), ("naf25_codes.csv", ACTIVITIES.naf25)):
        assert set(used) <= set(pl.read_csv(folder / name, infer_schema=False)["niv5"])
    departments = pl.read_csv(folder / "labels_departement_region.csv", infer_schema=False)["departement"]
    assert set(PLACES.departement) <= set(departments)
    assert len(PLACES.departement) == 101


def test_a_debt_is_a_history_that_never_grows(october: Path) -> None:
    events = table(october, "sigfaible_debits.csv").select(
        pl.concat_str("num_cpte", "Periode", "Num_Ecn").alias("debt"),
        pl.col("Num_Hist_Ecn").cast(pl.Int64).alias("rank"),
        pl.col("Dt_trt_ecn").cast(pl.Int64).alias("day"),
        (pl.col("Mt_PO").cast(pl.Int64) + pl.col("Mt_PP").cast(pl.Int64)).alias("left"),
    )
    ordered = events.sort("debt", "rank").with_columns(
        pl.col("left").diff().over("debt").alias("change"),
        pl.col("day").diff().over("debt").alias("wait"),
        pl.col("rank").diff().over("debt").alias("step"),
    )
    assert ordered.filter(pl.col("rank") == 1)["debt"].is_unique().all()
    assert (ordered["change"].drop_nulls() <= 1).all()
    assert (ordered["wait"].drop_nulls() > 0).all()
    assert (ordered["step"].drop_nulls() == 1).all()


@pytest.fixture(scope="module")
def blocks() -> list:
    return [draw_block(1, number) for number in range(2)]


def test_help_prevents_the_share_of_failures_it_is_said_to_and_changes_no_other_company(blocks: list) -> None:
    (without, *_), month = blocks, 120
    opened, siren = without.world.first.opened, without.companies.siren
    soon = np.flatnonzero((opened > month) & (opened <= month + 18))
    contacted = dict.fromkeys(siren.gather(soon).to_list() + siren.head(50).to_list(), date(2023, 1, 1))
    helped = draw_block(1, 0, Help(0.6, contacted)).world.first.opened
    spared = np.flatnonzero(helped != opened)
    assert set(spared) <= set(soon)
    assert set(helped[spared]) == {NEVER}
    assert abs(len(spared) / len(soon) - 0.6) < 0.25
    nothing = draw_block(1, 0, Help(0.0, contacted)).world
    assert (nothing.first.opened == opened).all()
    assert (nothing.headcount == without.world.headcount).all()


def test_failures_are_near_the_published_rates(blocks: list) -> None:
    failing, free = 0, 0
    kinds = np.zeros(3)
    for block in blocks:
        world, months = block.world, np.arange(MONTHS)
        rows = world.alive & (states(world.first, world.second) == 0) & block.companies.perimeter[:, None]
        rows[block.companies.kind == PUBLIC] = False
        rows[:, :46] = rows[:, 165:] = False
        opened = world.first.opened[:, None]
        failing += ((opened > months) & (opened <= months + 18) & rows).sum()
        free += rows.sum()
        failed = (world.first.opened < MONTHS) & block.companies.perimeter
        kinds += np.bincount(world.first.kind[failed], minlength=3)
    assert 0.013 < failing / free < 0.024
    shares = kinds / kinds.sum()
    assert 0.45 < shares[LIQUIDATION] < 0.72
    assert 0.25 < shares[REDRESSEMENT] < 0.50
    assert 0.01 < shares[SAUVEGARDE] < 0.08


def test_failures_dip_in_2020_and_rise_after(blocks: list) -> None:
    opened = np.concatenate([block.world.first.opened for block in blocks])
    before, dip, after = (((opened >= first) & (opened < first + 12)).sum() for first in (72, 87, 135))
    assert dip < 0.8 * before
    assert after > 1.1 * before


def test_sizes_contributions_and_payments_are_near_the_published_figures(tmp_path: Path) -> None:
    write_batch(tmp_path / "2610", month=OCTOBER, companies=2000, years=8)
    staff = table(tmp_path / "2610", "sigfaible_effectif_siren.csv")["eff201913"].str.replace(" ", "").cast(pl.Int64)
    large = staff.filter(staff >= 10)
    assert 0.40 < (large < 20).mean() < 0.60
    assert 0.10 < (large >= 50).mean() < 0.25
    due = table(tmp_path / "2610", "sigfaible_cotisdues.csv.gz").select(
        "periode", pl.col("mer", "cotis_due").str.replace(",", ".").cast(pl.Float64)
    )

    def unpaid(*periods: str) -> float:
        month = due.filter(pl.col("periode").is_in(periods))
        return month["mer"].sum() / month["cotis_due"].sum()

    assert 0.004 < unpaid("201911", "201922", "201933", "201942") < 0.02
    assert 0.04 < unpaid("202012", "202013") < 0.11
    paydex = table(tmp_path / "2610", "altares_paydex.csv")
    assert 4 <= paydex["paydex"].cast(pl.Float64).median() <= 9
    assert 0.65 < paydex["siren"].n_unique() / len(staff) < 0.85
    days = table(tmp_path / "2610", "sigfaible_delais.csv")["Duree_delai"].cast(pl.Int64)
    assert 110 < days.median() < 200
    spring = table(tmp_path / "2610", "demande_ap.csv").filter(pl.col("DATE_DEB").str.starts_with("2020-0"))
    assert (spring["MOTIF_RECOURS_SE"] == "5").mean() > 0.8


def test_the_oracle_has_the_risk_of_companies_without_procedure_and_is_outside_the_batch(
    october: Path, november: Path
) -> None:
    before, after = (pl.read_parquet(october.parent / name) for name in ("october.parquet", "november.parquet"))
    assert before.columns == ["siren", "periode", "hazard", "probability_18m"]
    assert before.select("siren", "periode").is_unique().all()
    assert before.join(after, on=before.columns, how="anti").is_empty()
    assert after["periode"].max() == NOVEMBER
    assert before["probability_18m"].is_between(0, 1).all()
    assert (before["hazard"] <= 0.31).all()
    with pytest.raises(ValueError, match="outside"):
        write_batch(october.parent / "x", month=OCTOBER, companies=1, oracle=october.parent / "x" / "truth.parquet")


def test_the_oracle_is_calibrated(tmp_path: Path) -> None:
    write_batch(tmp_path / "2610", month=OCTOBER, companies=2000, years=12, oracle=tmp_path / "truth.parquet")
    openings = (
        table(tmp_path / "2610", "sigfaible_pcoll.csv")
        .filter(pl.col("Lib_actx_stdx").str.starts_with("ouverture"))
        .select(pl.col("Siren").alias("siren"), pl.col("Dt_effet").str.to_date("%d%b%Y").alias("opened"))
        .unique()
        .sort("opened")
    )
    truth = (
        pl.read_parquet(tmp_path / "truth.parquet")
        .filter(pl.col("periode") <= date(2025, 3, 1))
        .with_columns(pl.col("periode").dt.offset_by("1mo").alias("after"))
        .sort("after")
        .join_asof(openings, left_on="after", right_on="opened", by="siren", strategy="forward", check_sortedness=False)
        .with_columns((pl.col("opened") < pl.col("after").dt.offset_by("18mo")).fill_null(value=False).alias("failed"))
    )
    assert truth["failed"].mean() == pytest.approx(truth["probability_18m"].mean(), rel=0.2)
    risky = truth.filter(pl.col("probability_18m") > 0.1)
    assert risky["failed"].mean() == pytest.approx(risky["probability_18m"].mean(), rel=0.3)
    assert truth.filter(pl.col("probability_18m") < 0.01)["failed"].mean() < 0.01


@pytest.mark.parametrize("month", [date(2013, 6, 1), date(2029, 1, 1)])
def test_a_month_outside_of_the_simulation_is_refused(month: date, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"month: expected between 2014-01 and 2028-12"):
        write_batch(tmp_path / "x", month=month, companies=1)
    assert not (tmp_path / "x").exists()


def test_files_are_delivered_five_days_after_the_month() -> None:
    window = Window.of(OCTOBER, years=10)
    assert date(1970, 1, 1) + timedelta(days=window.delivered) == DELIVERED
    assert date(1970, 1, 1) + timedelta(days=int(FIRST_DAYS[window.first])) == date(2016, 11, 1)

"""INSEE's register: legal units, establishments and the history of their states, as of the delivery."""

from collections.abc import Iterable

import numpy as np
import polars as pl

from sf_assets_dev.synthetic import bands
from sf_assets_dev.synthetic.activities import ACTIVITIES
from sf_assets_dev.synthetic.nomenclature import Nomenclature, coded, without_second
from sf_assets_dev.synthetic.places import (
    ABROAD,
    GIVEN_NAMES,
    PLACES,
    STREET_TYPES,
    STREET_WEIGHTS,
    STREETS,
    SURNAMES,
    company_names,
)  # fmt: skip
from sf_assets_dev.synthetic.population import FOREIGN, NATURAL, RETIRED, Companies, Establishments, pick
from sf_assets_dev.synthetic.timeline import NEVER, Flags, Ints, Window, dates, first_days
from sf_assets_dev.synthetic.world import Block, World

UNIT_HEADER = (
    "siren,statutDiffusionUniteLegale,unitePurgeeUniteLegale,dateCreationUniteLegale,sigleUniteLegale,sexeUniteLegale,"
    "prenom1UniteLegale,prenom2UniteLegale,prenom3UniteLegale,prenom4UniteLegale,prenomUsuelUniteLegale,"
    "pseudonymeUniteLegale,identifiantAssociationUniteLegale,trancheEffectifsUniteLegale,anneeEffectifsUniteLegale,"
    "dateDernierTraitementUniteLegale,nombrePeriodesUniteLegale,categorieEntreprise,anneeCategorieEntreprise,dateDebut,"
    "etatAdministratifUniteLegale,nomUniteLegale,nomUsageUniteLegale,denominationUniteLegale,"
    "denominationUsuelle1UniteLegale,denominationUsuelle2UniteLegale,denominationUsuelle3UniteLegale,"
    "categorieJuridiqueUniteLegale,activitePrincipaleUniteLegale,nomenclatureActivitePrincipaleUniteLegale,"
    "activitePrincipaleNAF25UniteLegale,nicSiegeUniteLegale,economieSocialeSolidaireUniteLegale,caractereEmployeurUniteLegale"
)
ESTABLISHMENT_HEADER = (
    "siren,nic,siret,statutDiffusionEtablissement,dateCreationEtablissement,trancheEffectifsEtablissement,"
    "anneeEffectifsEtablissement,activitePrincipaleRegistreMetiersEtablissement,dateDernierTraitementEtablissement,"
    "etablissementSiege,nombrePeriodesEtablissement,complementAdresseEtablissement,numeroVoieEtablissement,"
    "indiceRepetitionEtablissement,typeVoieEtablissement,libelleVoieEtablissement,codePostalEtablissement,"
    "libelleCommuneEtablissement,libelleCommuneEtrangerEtablissement,distributionSpecialeEtablissement,"
    "codeCommuneEtablissement,codeCedexEtablissement,libelleCedexEtablissement,codePaysEtrangerEtablissement,"
    "libellePaysEtrangerEtablissement,complementAdresse2Etablissement,numeroVoie2Etablissement,"
    "indiceRepetition2Etablissement,typeVoie2Etablissement,libelleVoie2Etablissement,codePostal2Etablissement,"
    "libelleCommune2Etablissement,libelleCommuneEtranger2Etablissement,distributionSpeciale2Etablissement,"
    "codeCommune2Etablissement,codeCedex2Etablissement,libelleCedex2Etablissement,codePaysEtranger2Etablissement,"
    "libellePaysEtranger2Etablissement,dateDebut,etatAdministratifEtablissement,enseigne1Etablissement,"
    "enseigne2Etablissement,enseigne3Etablissement,denominationUsuelleEtablissement,activitePrincipaleEtablissement,"
    "nomenclatureActivitePrincipaleEtablissement,activitePrincipaleNAF25Etablissement,"
    "caractereEmployeurEtablissement,longitude,latitude,geo_score,geo_type,"
    "geo_adresse,geo_id,geo_ligne,geo_l4,geo_l5"
)
HISTORY_HEADER = (
    "siren,nic,siret,dateFin,dateDebut,etatAdministratifEtablissement,changementEtatAdministratifEtablissement,"
    "enseigne1Etablissement,enseigne2Etablissement,enseigne3Etablissement,changementEnseigneEtablissement,"
    "denominationUsuelleEtablissement,changementDenominationUsuelleEtablissement,activitePrincipaleEtablissement,"
    "nomenclatureActivitePrincipaleEtablissement,changementActivitePrincipaleEtablissement,caractereEmployeurEtablissement,"
    "changementCaractereEmployeurEtablissement"
)

_NAF = pl.Series(ACTIVITIES.naf)
_TYPES = pl.Series((*STREET_TYPES, "AVENUE"))


def _text(name: str, values: Iterable[str | None]) -> pl.Series:
    return pl.Series(name, values, dtype=pl.String)


def _fill(header: str, columns: list[pl.Series]) -> pl.DataFrame:
    """Return the columns of an official header, those not given being empty."""
    frame = pl.DataFrame(columns)
    names = header.split(",")
    unknown = set(frame.columns) - set(names)
    if unknown:
        raise ValueError(f"Sirene: expected columns of the official header, found {sorted(unknown)}")
    return frame.select(pl.col(n) if n in frame.columns else pl.lit(None, dtype=pl.String).alias(n) for n in names)


def _closing(companies: Companies, world: World) -> Ints:
    """Return the month in which the establishments of a company close, some months late after a liquidation."""
    late = np.where(world.closed < NEVER, 0, companies.number % 7)
    return np.where(world.ceases < NEVER, world.ceases + late, NEVER)


def _ending(companies: Companies, world: World) -> Ints:
    """Return the month in which the legal unit ceases: with its establishments, or with the end of its liquidation."""
    settled = np.minimum(world.first.settled, world.second.settled)
    return np.where(settled < NEVER, settled, _closing(companies, world))


def _birthdays(companies: Companies) -> Ints:
    return first_days(companies.birth) + companies.number % 28


def unit_frame(block: Block, window: Window, nomenclature: Nomenclature = "before") -> pl.DataFrame:
    """Return the rows of `sireneUL.csv`: one per company born by the delivery."""
    rng = block.generator("units")
    companies, establishments, world = block.companies, block.establishments, block.world
    total = len(companies)
    draws = rng.random((total, 4), dtype=np.float32)
    ceased = first_days(np.minimum(_ending(companies, world), 1000)) <= window.delivered
    natural = pl.Series(companies.kind == NATURAL)
    surname = SURNAMES.gather((draws[:, 1] * len(SURNAMES)).astype(np.int64))
    usage = SURNAMES.gather((draws[:, 2] * len(SURNAMES)).astype(np.int64))
    given = [GIVEN_NAMES.gather(rng.integers(0, len(GIVEN_NAMES), total)) for _ in range(2)]
    birthday = dates(_birthdays(companies))
    seats = np.flatnonzero(_is_seat(establishments, window))
    nic = _text("nic", [None] * total).scatter(
        establishments.company[seats], establishments.siret.gather(seats).str.slice(9)
    )
    columns = [
        companies.siren.alias("siren"),
        _text("statutDiffusionUniteLegale", np.where(companies.number % 400 == 3, "P", "O")),
        birthday.alias("dateCreationUniteLegale"),
        _only(natural, _text("", np.where(draws[:, 3] < 0.5, "F", "M"))).alias("sexeUniteLegale"),
        _only(natural, given[0]).alias("prenom1UniteLegale"),
        _only(natural & pl.Series(draws[:, 0] < 0.6), given[1]).alias("prenom2UniteLegale"),
        _only(natural, given[0]).alias("prenomUsuelUniteLegale"),
        birthday.alias("dateDebut"),
        _text("etatAdministratifUniteLegale", np.where(ceased, "C", "A")),
        _only(natural, surname).alias("nomUniteLegale"),
        _only(natural & pl.Series(draws[:, 0] < 0.2), usage).alias("nomUsageUniteLegale"),
        _only(~natural, company_names(companies.section, draws)).alias("denominationUniteLegale"),
        *bands.current(world, window, ceased=ceased),
        companies.category.alias("categorieJuridiqueUniteLegale"),
        *coded(
            companies,
            np.arange(total),
            active=~ceased,
            old=np.zeros(total, dtype=bool),
            kind="UniteLegale",
            nomenclature=nomenclature,
        ),
        nic.alias("nicSiegeUniteLegale"),
        _text(
            "economieSocialeSolidaireUniteLegale",
            np.where(companies.category.str.starts_with("92").to_numpy(), "O", "N"),
        ),
        _text("caractereEmployeurUniteLegale", np.where(ceased, "N", "O")),
    ]
    rows = _fill(UNIT_HEADER, columns).filter(pl.Series(companies.birth <= window.last))
    return without_second(rows, nomenclature)


def _only(condition: pl.Series, values: pl.Series) -> pl.Series:
    return pl.DataFrame({"c": condition, "v": values}).select(pl.when("c").then("v")).to_series()


def _is_seat(establishments: Establishments, window: Window) -> Flags:
    current = (establishments.opens <= window.last) & (establishments.closes > window.last)
    return establishments.seat & current & establishments.in_sirene


def _lives(companies: Companies, establishments: Establishments, world: World) -> tuple[Ints, Ints]:
    """Return the first day and the day of closing of every establishment."""
    company = establishments.company
    begins = np.where(
        establishments.opens > 0, first_days(np.maximum(establishments.opens, -720)), _birthdays(companies)[company]
    )
    closes = np.minimum(establishments.closes, _closing(companies, world)[company])
    return begins, np.where(closes < NEVER, first_days(np.minimum(closes, 1000)), np.iinfo(np.int64).max)


def establishment_frame(block: Block, window: Window, nomenclature: Nomenclature = "before") -> pl.DataFrame:
    """Return the rows of `StockEtablissement_utf8_geo.csv`: one per establishment opened by the delivery."""
    rng = block.generator("addresses")
    companies, establishments, world = block.companies, block.establishments, block.world
    company = establishments.company
    total = len(company)
    begins, ends = _lives(companies, establishments, world)
    closed = ends <= window.delivered
    place = establishments.place
    seat = _is_seat(establishments, window)
    away = (companies.kind[company] == FOREIGN) & establishments.seat
    country = (companies.number[company] % len(ABROAD)).astype(np.int64)
    here = pl.Series(~away)
    old = (companies.kind[company] == RETIRED) & seat
    wart = rng.random(total)
    draw = rng.random(total)
    street_type = np.where(
        wart < 0.01, len(STREET_TYPES), pick(rng, np.asarray(STREET_WEIGHTS, dtype=np.float32), total)
    )
    number = pl.Series(1 + (draw * draw * 180).astype(np.int64)).cast(pl.String)
    building = pl.Series(["BAT ", "ZA ", "HALL ", "ÉTAGE "]).gather((draw * 4).astype(np.int64))
    building += pl.Series((draw * 1e3).astype(np.int64) % 9 + 1).cast(pl.String)
    towns = pl.Series([town for _, _, town in ABROAD])
    cedex = pl.Series((wart > 0.95) & ~away)
    town = PLACES.name.gather(place)
    jitter = rng.normal(0, 0.05, (2, total))
    located = pl.Series((wart < 0.98) & ~away)
    columns = [
        companies.siren.gather(company).alias("siren"),
        establishments.siret.str.slice(9).alias("nic"),
        establishments.siret.alias("siret"),
        _text("statutDiffusionEtablissement", np.where(companies.number[company] % 400 == 3, "P", "O")),
        dates(begins).alias("dateCreationEtablissement"),
        _text("etablissementSiege", np.where(seat, "true", "false")),
        _only(pl.Series(wart > 0.88), building).alias("complementAdresseEtablissement"),
        _only(here & pl.Series(wart > 0.03), number).alias("numeroVoieEtablissement"),
        _only(here & pl.Series(wart > 0.97), pl.Series(["B", "T"]).gather((draw * 2).astype(np.int64))).alias(
            "indiceRepetitionEtablissement"
        ),
        _only(here, _TYPES.gather(street_type)).alias("typeVoieEtablissement"),
        STREETS.gather((rng.random(total) * len(STREETS)).astype(np.int64)).alias("libelleVoieEtablissement"),
        _only(here, PLACES.postal.gather(place)).alias("codePostalEtablissement"),
        _only(here, town).alias("libelleCommuneEtablissement"),
        _only(~here, towns.gather(country)).alias("libelleCommuneEtrangerEtablissement"),
        _only(cedex, "CS " + number).alias("distributionSpecialeEtablissement"),
        _only(here, PLACES.commune.gather(place)).alias("codeCommuneEtablissement"),
        _only(cedex, PLACES.departement.gather(place).str.head(2) + "099").alias("codeCedexEtablissement"),
        _only(cedex, town + " CEDEX").alias("libelleCedexEtablissement"),
        _only(~here, pl.Series([row[0] for row in ABROAD]).gather(country)).alias("codePaysEtrangerEtablissement"),
        _only(~here, pl.Series([row[1] for row in ABROAD]).gather(country)).alias("libellePaysEtrangerEtablissement"),
        dates(np.where(closed, ends, begins)).alias("dateDebut"),
        _text("etatAdministratifEtablissement", np.where(closed, "F", "A")),
        *coded(companies, company, active=~closed, old=old, kind="Etablissement", nomenclature=nomenclature),
        _text("caractereEmployeurEtablissement", np.where(closed, "N", "O")),
        _only(located, pl.Series(np.round(PLACES.longitude[place] + jitter[0], 6))).alias("longitude"),
        _only(located, pl.Series(np.round(PLACES.latitude[place] + jitter[1], 6))).alias("latitude"),
    ]  # fmt: skip
    shown = establishments.in_sirene & (begins <= window.delivered) & (companies.birth[company] <= window.last)
    shown &= (establishments.opens <= window.last) | (establishments.opens < 0)
    rows = _fill(ESTABLISHMENT_HEADER, columns).with_columns(pl.Series("company", company))
    seats = rows.filter(pl.Series(shown & seat))
    ordered = pl.concat([rows.filter(pl.Series(shown)), _left_behind(companies, seats)])
    return without_second(ordered.sort("company", maintain_order=True).drop("company"), nomenclature)


def _left_behind(companies: Companies, seats: pl.DataFrame) -> pl.DataFrame:
    """Return the former premises of one old company in six, whose activity stays in the nomenclature of 1993."""
    old = pl.Series((companies.number % 6 == 1) & (companies.birth < -120)).gather(seats["company"])
    nic = pl.lit("08902")
    return seats.filter(old).with_columns(
        nic.alias("nic"),
        (pl.col("siren") + nic).alias("siret"),
        pl.lit("false").alias("etablissementSiege"),
        pl.lit("F").alias("etatAdministratifEtablissement"),
        pl.lit("28.5D").alias("activitePrincipaleEtablissement"),
        pl.lit("NAF1993").alias("nomenclatureActivitePrincipaleEtablissement"),
        pl.lit(None, dtype=pl.String).alias("activitePrincipaleNAF25Etablissement"),
        pl.lit("N").alias("caractereEmployeurEtablissement"),
    )


def history_frame(block: Block, window: Window) -> pl.DataFrame:
    """Return the rows of `StockEtablissementHistorique_utf8.csv`: one per state of an establishment, the latest last.

    One establishment in five changed its name while open: that row of its history does not change its state.
    """
    companies, establishments, world = block.companies, block.establishments, block.world
    begins, ends = _lives(companies, establishments, world)
    company = establishments.company
    shown = establishments.in_sirene & (begins <= window.delivered) & (companies.birth[company] <= window.last)
    closed = ends <= window.delivered
    # The date must not depend on anything that a later delivery changes.
    renamed = (companies.number[company] % 5 == 0) & (companies.birth[company] < -24)
    renamed_on = first_days(np.maximum(companies.birth[company] // 2, -720))
    renamed &= (renamed_on > begins) & (renamed_on < ends)
    states = (
        (shown, begins, np.where(renamed, renamed_on, np.where(closed, ends, 0)), "A", "false"),
        (shown & renamed, renamed_on, np.where(closed, ends, 0), "A", "false"),
        (shown & closed, ends, np.zeros_like(ends), "F", "true"),
    )
    parts = []
    for mask, start, stop, state, changed in states:
        row = np.flatnonzero(mask)
        parts.append(
            pl.DataFrame(
                [
                    companies.siren.gather(company[row]).alias("siren"),
                    establishments.siret.gather(row).str.slice(9).alias("nic"),
                    establishments.siret.gather(row).alias("siret"),
                    _only(pl.Series(stop[row] != 0), dates(stop[row] - 1)).alias("dateFin"),
                    dates(start[row]).alias("dateDebut"),
                    _text("etatAdministratifEtablissement", [state]).new_from_index(0, len(row)),
                    _text("changementEtatAdministratifEtablissement", [changed]).new_from_index(0, len(row)),
                    _text("changementEnseigneEtablissement", ["false"]).new_from_index(0, len(row)),
                    _NAF.gather(companies.activity[company[row]]).alias("activitePrincipaleEtablissement"),
                    _text("nomenclatureActivitePrincipaleEtablissement", ["NAFRev2"]).new_from_index(0, len(row)),
                ]
            )
        )
    ordered = pl.concat(parts).sort("siret", "dateDebut", maintain_order=True)
    return _fill(HISTORY_HEADER, ordered.get_columns())

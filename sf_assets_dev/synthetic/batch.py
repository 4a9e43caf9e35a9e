"""One month's batch of synthetic files, written block by block so that memory does not grow with the companies."""

import gzip
from contextlib import ExitStack
from dataclasses import dataclass, fields
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, cast

import polars as pl
import pyarrow.parquet as pq

from sf_assets.engine.storage.folders import make_private_folder
from sf_assets.sources.batch import source_of
from sf_assets.vocabulary.modes import FULL, Mode
from sf_assets_dev.synthetic import accounts, altares, bands, bodacc, debts, dgefp, procol, sirene, urssaf
from sf_assets_dev.synthetic.access import ACCESS, write_access
from sf_assets_dev.synthetic.accounts import Statements
from sf_assets_dev.synthetic.help import NO_HELP, Help
from sf_assets_dev.synthetic.nomenclature import Nomenclature, nomenclature_of
from sf_assets_dev.synthetic.oracle import oracle_frame
from sf_assets_dev.synthetic.others import Others, draw_others, write_others
from sf_assets_dev.synthetic.population import BLOCK, EXTRAS
from sf_assets_dev.synthetic.refiled import with_filed_again
from sf_assets_dev.synthetic.timeline import Ints, Window
from sf_assets_dev.synthetic.world import Block, draw_block


@dataclass(frozen=True, slots=True)
class File:
    """Format of one file: `key` is the column that contains the siren, `head` a header that replaces the column names."""

    name: str
    key: str
    separator: str = ";"
    end: str = "\n"
    decimal_comma: bool = False
    decimals: int = 2
    head: str = ""


FILES = (
    File("sireneUL.csv", "siren", ","),
    File("StockEtablissement_utf8_geo.csv", "siren", ",", decimals=6),
    File("StockEtablissementHistorique_utf8.csv", "siren", ","),
    File("sigfaible_effectif_siren.csv", "siren"),
    File("sigfaible_effectif_siret.csv", "siret"),
    File("sigfaible_cotisdues.csv.gz", "identity", decimal_comma=True,
         head="Urssaf_gestion;Dep;Siret;Compte;periode;mer;enc_direct;cotis_due"),
    File("sigfaible_debits.csv", "Siret"),
    File("sigfaible_delais.csv", "Siret", end="\r\n", decimal_comma=True),
    File("sigfaible_ccsf.csv", "Siret"),
    File("sigfaible_pcoll.csv", "Siret"),
    File("demande_ap.csv", "ETAB_SIRET", ","),
    File("consommation_ap.csv", "ETAB_SIRET", ","),
    File("altares_paydex.csv", "siren", ",", decimals=1),
    File("declarations_indmap.csv", "siren", "|", decimals=4),
    File("declarations_af.csv", "siren", "|", decimals=4),
    File("ratios_dirco.csv", "siren", "|", decimals=4),
    File("ratios_inpi_bce.csv.gz", "siren", decimals=3),
    File("bodacc_procedures.csv", "registre"),
    File(bands.NAME, "siren", ","),
)  # fmt: skip
_ORACLE = "oracle"


def write_batch(
    directory: Path,
    *,
    month: date,
    companies: int = 4000,
    seed: int = 1,
    years: int = 10,
    oracle: Path | None = None,
    nomenclature: Nomenclature | None = None,
    others: bool = False,
    help_given: Help = NO_HELP,
    mode: Mode = FULL,
) -> dict[str, int]:
    """Write the files that the producers deliver for the batch `month` and return the rows written in each.

    The simulation depends on `seed` only, and company number i is the same in every batch: two months differ by what was
    published in between. `companies` is the number of companies that reach ten staff between 2013 and 2030, including the
    few not born yet; smaller companies are added to it. `years` limits the history of the monthly files. `oracle`
    receives, outside of the batch, the true hazard and probability of failure within 18 months of each company and month.
    `nomenclature` is the state of the register's switch to NAF 2025, by default that of the month. `others` adds the
    occasional files: VAT returns, Diane, Ellisphere, rights of access. `help_given` prevents failures of companies that were
    contacted. `mode` restricts the files to those that a mode reads.

    Raises:
        ValueError: no company is requested, or `oracle` is inside the batch.

    """
    if companies < 1:
        raise ValueError(f"companies: expected at least 1, found {companies}")
    if oracle is not None and oracle.resolve().is_relative_to(directory.resolve()):
        raise ValueError(f"oracle: expected a path outside of {directory}, found {oracle}")
    window = Window.of(month, years)
    make_private_folder(directory)
    files = [file for file in FILES if mode in _modes_of(file)]
    rows = dict.fromkeys((file.name for file in files), 0)
    occasional: list[Others] = []
    with ExitStack() as stack:
        outputs = {file.name: _open(directory / file.name, stack) for file in files}
        truth: pq.ParquetWriter | None = None
        for number in range((companies + BLOCK - 1) // BLOCK):
            wanted = min(BLOCK, companies - number * BLOCK)
            drawn = _draw_alone(seed, number) if help_given is NO_HELP else _draw(seed, number, help_given)
            switch = nomenclature or nomenclature_of(month)
            frames = _frames(drawn, window, wanted, nomenclature=switch, with_oracle=oracle is not None)
            if others:
                occasional.append(_within(draw_others(drawn.block, drawn.statements, window), drawn.block, wanted))
            for file in files:
                frame = frames[file.name]
                _write(outputs[file.name], file, frame, header=number == 0)
                rows[file.name] += frame.height
            if oracle is not None:
                table = frames[_ORACLE].to_arrow(compat_level=pl.CompatLevel.oldest())
                if truth is None:
                    make_private_folder(oracle.parent)
                    truth = stack.enter_context(pq.ParquetWriter(oracle, table.schema))
                truth.write_table(table)
    if others:
        rows |= write_others(directory, occasional) | {ACCESS: write_access(directory / ACCESS, month)}
    return rows


def _modes_of(file: File) -> tuple[Mode, ...]:
    """Return the modes that read a file."""
    source = source_of(file.name)
    return source.modes if source else ()


def _open(path: Path, stack: ExitStack) -> BinaryIO:
    plain = stack.enter_context(path.open("wb"))
    if path.suffix != ".gz":
        return plain
    # The archive has neither name nor time, so that the same rows give the same bytes.
    archive = gzip.GzipFile(filename="", mode="wb", fileobj=plain, compresslevel=1, mtime=0)
    return cast("BinaryIO", stack.enter_context(archive))


def _write(output: BinaryIO, file: File, frame: pl.DataFrame, *, header: bool) -> None:
    if header:
        text = file.head or file.separator.join(frame.columns)
        bom = "\ufeff" if file.name.startswith("ratios_inpi") else ""
        output.write((bom + text + file.end).encode())
    frame.write_csv(
        output,
        include_header=False,
        separator=file.separator,
        line_terminator=file.end,
        float_precision=file.decimals,
        decimal_comma=file.decimal_comma,
        quote_style="never" if file.head else "necessary",
    )


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A block and what was drawn of it for all months: a delivery only cuts a window out."""

    block: Block
    statements: Statements
    staff: Ints
    short_time: dgefp.ShortTime
    due: urssaf.Contributions
    owed: debts.Debts


def _draw(seed: int, number: int, help_given: Help = NO_HELP) -> _Drawn:
    block = draw_block(seed, number, help_given)
    staff = urssaf.staff_of(block)
    short_time = dgefp.draw_short_time(block, staff)
    due = urssaf.draw_contributions(block, staff, short_time.idle)
    statements = with_filed_again(block, accounts.draw_statements(block))
    return _Drawn(block, statements, staff, short_time, due, debts.draw_debts(block, due))


# Batches of fewer companies than a block, written month after month, are cut out of the same draws.
_draw_alone = lru_cache(maxsize=1)(_draw)


def _frames(
    drawn: _Drawn, window: Window, wanted: int, *, nomenclature: Nomenclature, with_oracle: bool
) -> dict[str, pl.DataFrame]:
    """Return the rows of every file for the first `wanted` companies of a block and as many extras in proportion."""
    block, statements, staff, due, owed = drawn.block, drawn.statements, drawn.staff, drawn.due, drawn.owed
    short_time = drawn.short_time
    demands, consumption = dgefp.ap_frames(block, short_time, window)
    indmap, af, dirco = accounts.statement_frames(block.companies, statements, window)
    frames = {
        "sireneUL.csv": sirene.unit_frame(block, window, nomenclature),
        "StockEtablissement_utf8_geo.csv": sirene.establishment_frame(block, window, nomenclature),
        "StockEtablissementHistorique_utf8.csv": sirene.history_frame(block, window),
        "sigfaible_effectif_siren.csv": urssaf.effectif_siren_frame(block, window),
        "sigfaible_effectif_siret.csv": urssaf.effectif_siret_frame(block, staff, window),
        "sigfaible_cotisdues.csv.gz": urssaf.cotisation_frame(
            block.establishments, due, owed.unpaid(due.due.shape), window
        ),
        "sigfaible_debits.csv": debts.debit_frame(block, due, owed, window),
        "sigfaible_delais.csv": debts.delai_frame(block.establishments, owed, window),
        "sigfaible_ccsf.csv": debts.ccsf_frame(block.establishments, owed, window),
        "sigfaible_pcoll.csv": procol.procol_frame(block, window),
        "demande_ap.csv": demands,
        "consommation_ap.csv": consumption,
        "altares_paydex.csv": altares.paydex_frame(block, window),
        "declarations_indmap.csv": indmap,
        "declarations_af.csv": af,
        "ratios_dirco.csv": dirco,
        "ratios_inpi_bce.csv.gz": accounts.inpi_frame(block.companies, statements, window),
        "bodacc_procedures.csv": bodacc.bodacc_frame(block, window),
        bands.NAME: bands.history_frame(block, window),
    }
    if with_oracle:
        frames[_ORACLE] = oracle_frame(block, window)
    if wanted < BLOCK:
        kept = _kept(block, wanted)
        keys = {file.name: file.key for file in FILES} | {_ORACLE: "siren"}
        frames = {name: frame.filter(_siren(keys[name]).is_in(kept.implode())) for name, frame in frames.items()}
    return frames


def _kept(block: Block, wanted: int) -> pl.Series:
    siren = block.companies.siren
    return pl.concat([siren.head(wanted), siren.slice(BLOCK, EXTRAS * wanted // BLOCK)])


def _within(others: Others, block: Block, wanted: int) -> Others:
    """Return the rows of the first `wanted` companies of a block and of their share of extras."""
    kept = _kept(block, wanted).implode()
    frames = {field.name: getattr(others, field.name) for field in fields(Others)}
    return Others(**{name: frame.filter(pl.col("siren").is_in(kept)) for name, frame in frames.items()})


def _siren(key: str) -> pl.Expr:
    column = pl.col(key)
    return (column.str.split(";").list.get(2) if key == "identity" else column).str.head(9)

"""VAT returns, as the tax administration extracts them: CA3 (each month or quarter) and CA12 (each year).

The figures of rules §9.11 need these boxes and no others. File names are chosen by this project and names of boxes are
inferred (see `tax_fields`): confirm both on the first delivery.
"""

from dataclasses import replace

from sf_assets.sources.description import Cell, Source
from sf_assets.vocabulary.tax_fields import CA3_BOXES, CA12_BOXES

_RETURN = (
    Cell("siren", column="siren"),
    Cell("dte_debut_periode", "date_compacte", "date_deb_tva", required=True),
    Cell("dte_fin_periode", "date_compacte", "date_fin_tva", required=True),
    Cell("no_ocfi", column="no_ocfi"),
    Cell("mode_depot", column="mode_depot"),
    Cell("version_form", column="version_form"),
    Cell("dte_depot", "date_compacte", "date_depot"),
)


def _amounts(prefix: str, boxes: str) -> tuple[Cell, ...]:
    return tuple(Cell(f"{prefix}_{box}", "decimal_point", f"{prefix}_{box}") for box in boxes.split())


TVA_CA3 = Source(
    name="tva_ca3",
    producer="DGFiP",
    grain="one VAT return of a company under the normal regime",
    names=("tva_ca3.csv",),
    separator="|",
    key="siren",
    expected=False,
    legal_basis="tax secrecy, convention with the producer",
    cells=(*_RETURN, *_amounts("d3310", CA3_BOXES)),
)

TVA_CA12 = replace(
    TVA_CA3,
    name="tva_ca12",
    grain="one yearly VAT return of a company under the simplified regime",
    names=("tva_ca12.csv",),
    cells=(*_RETURN, *_amounts("d3517s", CA12_BOXES)),
)

SOURCES = (TVA_CA3, TVA_CA12)

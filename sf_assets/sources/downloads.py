"""Where open data are published: the address and the licence of each file that the mode of open data alone reads."""

from dataclasses import dataclass

_LICENCE = "Licence Ouverte 2.0"
_STOCKS = "https://www.data.gouv.fr/api/1/datasets/r/"
_BULLETIN = (
    "https://bodacc-datadila.opendatasoft.com/api/explore/v2.1/catalog/datasets/annonces-commerciales/exports/csv"
)
_ACCOUNTS = "https://data.economie.gouv.fr/api/explore/v2.1/catalog/datasets/ratios_inpi_bce/exports/csv"
_COLUMNS = "use_labels=false&delimiter=%3B"


@dataclass(frozen=True, slots=True)
class Download:
    """A published file: the name under which a batch holds it, its address, and the licence of its producer."""

    name: str
    url: str
    licence: str = _LICENCE


DOWNLOADS = (
    Download("StockUniteLegale_utf8.parquet", f"{_STOCKS}350182c9-148a-46e0-8389-76c2ec1374a3"),
    Download("StockEtablissement_utf8.parquet", f"{_STOCKS}a29c1297-1f92-4e2a-8f6b-8c902ce96c5f"),
    Download("StockEtablissementHistorique_utf8.parquet", f"{_STOCKS}2b3a0c79-f97b-46b8-ac02-8be6c1f01a8c"),
    Download("bodacc_procedures.csv", f"{_BULLETIN}?where=familleavis%3D%22collective%22&{_COLUMNS}"),
    Download("ratios_inpi_bce.csv", f"{_ACCOUNTS}?{_COLUMNS}"),
)

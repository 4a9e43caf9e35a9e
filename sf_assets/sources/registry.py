"""The registry of sources: every kind of file that a monthly batch may hold."""

from sf_assets.sources import acces, altares, bdf, bodacc, comptes, dgefp, diane, ellisphere, insee, retour, tva, urssaf
from sf_assets.sources.description import Cell, Source

# An explicit perimeter: in a batch that delivers one, it replaces the perimeter computed from head-counts.
FILTER = Source(
    name="filter",
    producer="Signaux Faibles",
    grain="one company of an explicit perimeter",
    names=(),
    pattern=r"filter.*\.(csv|txt)|filter[^.]*",
    rejects_copies=True,
    key="siren",
    filtered=False,
    expected=False,
    columns=("siren",),
    ragged=True,
    skip="\"siren\" = 'siren'",
    cells=(Cell("siren", column="siren"),),
)

SOURCES = (
    *insee.SOURCES,
    *urssaf.SOURCES,
    *dgefp.SOURCES,
    *altares.SOURCES,
    *comptes.SOURCES,
    *tva.SOURCES,
    *ellisphere.SOURCES,
    *bdf.SOURCES,
    *diane.SOURCES,
    *bodacc.SOURCES,
    *acces.SOURCES,
    *retour.SOURCES,
    FILTER,
)
BY_NAME = {source.name: source for source in SOURCES}

__all__ = ["BY_NAME", "FILTER", "SOURCES", "Cell", "Source"]

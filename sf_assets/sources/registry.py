"""The registry of sources: every kind of file that a monthly batch may hold."""

from sf_assets.sources import acces, altares, bdf, bodacc, comptes, dgefp, diane, ellisphere, insee, retour, tva, urssaf
from sf_assets.sources.description import Cell, Source
from sf_assets.vocabulary.modes import BOTH, Mode

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
    modes=BOTH,
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


def sources_in(mode: Mode) -> tuple[Source, ...]:
    """Return the sources that a mode reads."""
    return tuple(source for source in SOURCES if mode in source.modes)


__all__ = ["BY_NAME", "FILTER", "SOURCES", "Cell", "Source", "sources_in"]

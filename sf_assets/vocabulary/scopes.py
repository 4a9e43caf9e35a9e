"""Rights to data (rules §13): the scopes that a recipient may hold, and the one that each source requires.

A source that is not named here is shown to nobody: a new source is hidden until somebody decides.
"""

from collections.abc import Mapping
from types import MappingProxyType

SCORE, URSSAF, DGEFP, BDF, PGE, DGFIP = "score", "urssaf", "dgefp", "bdf", "pge", "dgfip"

# Label of each scope, as officers read it.
SCOPES: Mapping[str, str] = MappingProxyType({
    SCORE: "détection (score et niveau d'alerte)",
    URSSAF: "données URSSAF (cotisations, dettes, délais)",
    DGEFP: "activité partielle",
    BDF: "données de la Banque de France",
    PGE: "prêts garantis par l'État",
    DGFIP: "comptes déposés auprès de la DGFiP",
})  # fmt: skip

# Every recipient works for a partner and is authorised: what is open, and what no scope covers, needs no further right.
_NO_SCOPE = ""

SCOPE_OF_SOURCE: Mapping[str, str] = MappingProxyType({
    "debit": URSSAF, "cotisation": URSSAF, "delai": URSSAF, "ccsf": URSSAF, "admin_urssaf": URSSAF,
    "apconso": DGEFP, "apdemande": DGEFP,
    "bdf": BDF,
    # Statements that a company deposits as confidential are for the tax administration only.
    "declarations_indmap": DGFIP, "declarations_af": DGFIP, "ratios_dirco": DGFIP, "tva_ca3": DGFIP, "tva_ca12": DGFIP,
    "effectif": _NO_SCOPE, "effectif_ent": _NO_SCOPE, "procol": _NO_SCOPE, "bodacc": _NO_SCOPE, "sirene": _NO_SCOPE,
    "sirene_ul": _NO_SCOPE, "sirene_histo": _NO_SCOPE, "sirene_tranche": _NO_SCOPE,
    "ratios_inpi_bce": _NO_SCOPE, "paydex": _NO_SCOPE, "ellisphere": _NO_SCOPE, "diane": _NO_SCOPE,
})  # fmt: skip

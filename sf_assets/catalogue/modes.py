"""What a mode leaves out: the assets of sources that it does not read, and the tables made from these alone."""

from collections.abc import Mapping
from types import MappingProxyType

from sf_assets.sources.registry import SOURCES
from sf_assets.vocabulary.modes import FULL, OPEN, Mode

# Tables of the later layers that are made from sources of the other mode. A test derives them from the queries; the features
# of `feat_registre` and `feat_lags` are only read by the models of one mode.
_TABLES: Mapping[Mode, frozenset[str]] = MappingProxyType({
    FULL: frozenset({"clean_tranche", "feat_tranche", "feat_registre"}),
    OPEN: frozenset({
        "clean_ap", "clean_cotisation", "clean_debit", "clean_delai", "clean_effectif", "clean_effectif_ent",
        "clean_ellisphere", "clean_paydex", "clean_paydex_mesure", "clean_procol", "clean_procol_at_date",
        "clean_procol_episode", "clean_ratios", "clean_ratios_version", "clean_tva",
        "feat_effectif", "feat_dette", "feat_activite_partielle", "feat_paiement", "feat_lags",
    }),
})  # fmt: skip


def outside_of(mode: Mode) -> frozenset[str]:
    """Return the names of the assets that are no part of a mode: they do not run, and their tables read as empty."""
    unread = [source for source in SOURCES if mode not in source.modes]
    return _TABLES[mode].union(*({f"src_{source.name}", source.table} for source in unread))

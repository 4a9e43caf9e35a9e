"""The sets of features that models are built on: the two of the production model, and the one in use (rules §10.4)."""

from collections.abc import Mapping
from types import MappingProxyType

from sf_assets.features.registry import NAMES, RATIOS

_BASE = (
    *RATIOS,
    "cotisation", "dette_sociale_ouvriere", "dette_sociale_patronale", "dette_sur_cotisation_mean12m", "dette_par_effectif",
    "effectif", "ap_heures_consommees", "paydex", "fpi_30", "fpi_90",
)  # fmt: skip
_DEBTS = ("dette_sociale_ouvriere", "dette_sociale_patronale")
_LAGGED = ("paydex", "cotisation", *_DEBTS, "ap_heures_consommees", "dette_par_effectif", "effectif", *RATIOS)

# Computed, watched and kept in `feat_matrix`, but read by no model: at 4,000 companies none of them raised the average
# precision beyond noise, and together they lowered it (forest -0.010 [-0.017, -0.005], regression -0.009 [-0.018, 0.000]).
_UNPROVEN = frozenset((
    "cotisation_variation3m", "dette_nouvelle_sur_cotisation_12m", "mois_en_dette_24m",
    "delais_demandes_24m", "delais_respectes_24m", "delais_rompus_24m",
    "paydex_mean12m", "fpi_30_diff12m", "fpi_90_diff12m",
    "ebe_sur_ca_diff12m", "rentabilite_economique_diff12m", "solidite_financiere_diff12m",
    "ca_variation12m", "caf_sur_ca", "couverture_des_interets",
    "demenagements_24m", "taille_groupe",
    "taux_defaillance_section", "taux_defaillance_departement", "taux_defaillance_forme",
))  # fmt: skip
IN_USE = tuple(name for name in NAMES if name not in _UNPROVEN)

# Names are columns of `feat_matrix` or, for the past that only the second one reads, of `feat_lags`.
CONFIGURATIONS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "standard": (*_BASE, "cotisation_mean12m", *(f"{debt}_lag{n}m" for debt in _DEBTS for n in (1, 2, 3, 6, 12))),
    "waterfall": (
        *_BASE,
        *(f"{name}_mean{n}m" for name in ("cotisation", *_DEBTS) for n in (3, 6, 12)),
        *(f"{name}_lag{n}m" for name in _LAGGED for n in (12, 24, 36)),
    ),
    "in_use": IN_USE,
    "matrix": NAMES,
})  # fmt: skip

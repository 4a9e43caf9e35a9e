"""The sets of features that models are built on: the two of the production model, and the one in use (sources.md §10.4)."""

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

# Names are columns of `feat_matrix` or, for the past that only the second one reads, of `feat_lags`.
CONFIGURATIONS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "standard": (*_BASE, "cotisation_mean12m", *(f"{debt}_lag{n}m" for debt in _DEBTS for n in (1, 2, 3, 6, 12))),
    "waterfall": (
        *_BASE,
        *(f"{name}_mean{n}m" for name in ("cotisation", *_DEBTS) for n in (3, 6, 12)),
        *(f"{name}_lag{n}m" for name in _LAGGED for n in (12, 24, 36)),
    ),
    "in_use": NAMES,
})  # fmt: skip

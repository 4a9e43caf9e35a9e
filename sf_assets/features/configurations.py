"""The sets of features that models read: the two sets of the former production model, and the set in use (rules §10.4)."""

from collections.abc import Mapping
from types import MappingProxyType

from sf_assets.features.registry import FEATURES_OF, NAMES, RATIOS
from sf_assets.vocabulary.modes import FULL, OPEN, Mode

# Features that the models of this project read. A feature of the registry is in no model until its name is added here:
# those that are absent were tried at 4,000 companies, where none raised the average precision beyond noise and all of
# them together lowered it (forest -0.010 [-0.017, -0.005], regression -0.009 [-0.018, 0.000]).
# Trees draw columns by their position: another order gives other models.
IN_USE = (
    "cotisation", "cotisation_mean12m",
    "dette_sociale_ouvriere", "dette_sociale_ouvriere_lag1m", "dette_sociale_ouvriere_lag2m",
    "dette_sociale_ouvriere_lag3m", "dette_sociale_ouvriere_lag6m", "dette_sociale_ouvriere_lag12m",
    "dette_sociale_patronale", "dette_sociale_patronale_lag1m", "dette_sociale_patronale_lag2m",
    "dette_sociale_patronale_lag3m", "dette_sociale_patronale_lag6m", "dette_sociale_patronale_lag12m",
    "dette_sur_cotisation_mean12m", "dette_sur_cotisation_diff6m", "dette_par_effectif", "dette_par_effectif_diff3m",
    "mois_en_dette_12m", "delai_en_cours",
    "effectif", "effectif_variation3m", "effectif_variation12m", "effectif_variation24m",
    "ap_heures_consommees", "ap_heures_autorisees", "ap_consommee_par_effectif", "ap_autorisee_par_effectif",
    "ap_consommee_par_effectif_mean12m",
    "paydex", "paydex_diff12m", "fpi_30", "fpi_90",
    "dette_nette_sur_caf", "dette_a_terme_sur_k_propres", "ebe_sur_ca", "va_sur_effectif", "charges_personnel_sur_va",
    "stocks_sur_ca", "liquidite_absolue", "liquidite_generale", "liquidite_reduite",
    "delai_paiement_sur_delai_encaissement", "k_propres_sur_k_social", "bfr_sur_k_propres", "taux_investissement",
    "rentabilite_economique", "solidite_financiere", "age_comptes",
    "age_entreprise",
)  # fmt: skip

_BASE = (
    *RATIOS,
    "cotisation", "dette_sociale_ouvriere", "dette_sociale_patronale", "dette_sur_cotisation_mean12m", "dette_par_effectif",
    "effectif", "ap_heures_consommees", "paydex", "fpi_30", "fpi_90",
)  # fmt: skip
_DEBTS = ("dette_sociale_ouvriere", "dette_sociale_patronale")
_LAGGED = ("paydex", "cotisation", *_DEBTS, "ap_heures_consommees", "dette_par_effectif", "effectif", *RATIOS)

# Names are columns of `feat_matrix`; lags and means that only "waterfall" reads are columns of `feat_lags`.
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

# All companies of a month have the same month of the calendar: models that read it would learn single months.
IN_USE_OF: Mapping[Mode, tuple[str, ...]] = MappingProxyType(
    {FULL: IN_USE, OPEN: tuple(feature.name for feature in FEATURES_OF[OPEN] if feature.name != "mois_calendaire")}
)

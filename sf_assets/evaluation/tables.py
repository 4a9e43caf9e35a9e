"""The tables of the evaluation and their checks."""

from sf_assets.engine.quality.rules import Suite
from sf_assets.engine.quality.tolerance_checks import suite_of
from sf_assets.model.selection import CHAMPION
from sf_assets.model.tables import METHODE
from sf_assets.vocabulary.fields import pick
from sf_assets.vocabulary.partitions import HORIZON_MONTHS
from sf_assets.vocabulary.schema import Column, Table, between, no_rows

# The customary limit of the population stability index: above it, the month holds another population.
LARGEST_INDEX = 0.25
# As a share of all companies: the value was known for them when methods learned, and is unknown now.
LARGEST_LOSS_OF_COVERAGE = 0.10

# Figures of fewer companies are hidden.
FEWEST = 11

_ENTREPRISES = Column(
    "entreprises", "VARCHAR", "toutes: by methods that learned from every company; nouvelles: never from the one scored"
)
_LOW = "low end of the 95 % interval, by a bootstrap of companies with all their months"
_HIGH = "high end of the interval"

BACKTEST = Table(
    name="eval_backtest",
    grain="one company and past month scored by one method as it was at an origin before",
    columns=(
        *pick("siren periode"),
        Column("origine", "DATE", "first month scored by the methods learned at this point in time"),
        METHODE,
        _ENTREPRISES,
        Column(
            "probabilite", "FLOAT", f"probability of a procedure within {HORIZON_MONTHS} months, or points for seuils"
        ),
    ),
    key=("siren", "periode", "methode", "entreprises"),
    rules=(
        between("probabilite", 0, 1, "A score lies between 0 and 1: check the method that computed it."),
        no_rows(
            "scored_from_its_origin_on",
            "select siren, periode from {batch} where periode < origine",
            "A method must not score months before its origin: check how origins share the months out.",
        ),
    ),
    # A new warehouse has no origin with enough known failures.
    may_be_empty=True,
)

FIGURES = Table(
    name="eval_figures",
    grain="one figure of one method in the backtest, for all rows or for one group",
    columns=(
        METHODE,
        _ENTREPRISES,
        Column("lecture", "VARCHAR", "hors_procedure: companies in a procedure left out; toutes: counted as failed"),
        Column("dimension", "VARCHAR", "ensemble, origine, section, taille, region, age or periode"),
        Column("groupe", "VARCHAR", "the group of the dimension"),
        Column("mesure", "VARCHAR", "name of the figure"),
        Column("valeur", "DOUBLE", "the figure, NULL when the rows do not define it"),
        Column("bas", "DOUBLE", _LOW),
        Column("haut", "DOUBLE", _HIGH),
        Column("raison", "VARCHAR", "why the figure is not defined"),
    ),
    key=("methode", "entreprises", "lecture", "dimension", "groupe", "mesure"),
    rules=(
        no_rows(
            "interval_in_order",
            "select methode, mesure from {batch} where bas > haut or not isfinite(bas) or not isfinite(haut)",
            "Expected a finite interval whose low end is below its high end: check the draws of companies.",
        ),
        no_rows(
            "gaps_have_a_reason",
            "select methode, mesure from {batch} where valeur is null and raison is null",
            "Expected a reason for every undefined figure: check evaluation/figures.py.",
        ),
    ),
    may_be_empty=True,
)

UTILITY = Table(
    name="eval_utility",
    grain="one theme or source of features",
    columns=(
        Column("nature", "VARCHAR", "theme or source"),
        Column("nom", "VARCHAR", "name of the theme or source", non_identifying=True),
        Column("variables", "BIGINT", "features that use it", unit="feature"),
        Column("perte", "DOUBLE", "average precision lost without these features"),
        Column("perte_bas", "DOUBLE", _LOW),
        Column("perte_haut", "DOUBLE", _HIGH),
        Column("seul", "DOUBLE", "average precision of the features that use nothing else"),
        Column("seul_bas", "DOUBLE", _LOW),
        Column("seul_haut", "DOUBLE", _HIGH),
        Column(
            "apporte",
            "BOOLEAN",
            "the interval of the loss lies above 0; otherwise the other features hold the same information",
        ),
        Column("raison", "VARCHAR", "why there is no figure for these features alone"),
    ),
    key=("nature", "nom"),
    rules=(between("seul", 0, 1, "An average precision lies between 0 and 1: check the rows measured."),),
    may_be_empty=True,
)

DRIFT = Table(
    name="eval_drift",
    grain="one input or score of the month, compared with the same month of the years learned from",
    columns=(
        Column("nature", "VARCHAR", "variable: a feature; score: the score of a method"),
        Column("nom", "VARCHAR", "name of the feature or method", non_identifying=True),
        Column("psi", "DOUBLE", "population stability index of known values, over tenths of those months"),
        Column("connus_reference", "DOUBLE", "share of known values in those months"),
        Column("connus_mois", "DOUBLE", "share of known values in the month"),
        Column("mediane_reference", "DOUBLE", "median of known values in those months"),
        Column("mediane_mois", "DOUBLE", "median of known values in the month"),
    ),
    key=("nature", "nom"),
    rules=(
        no_rows(
            "like_the_months_learned_from",
            f"select nature, nom from {{batch}} where psi > {LARGEST_INDEX}",
            "The month differs from the months that methods learned from: check the source first, then the economy; say so in "
            "the list's covering note, and launch the evaluation before its yearly date.",
            "warning",
        ),
        no_rows(
            "as_well_known",
            f"select nom from {{batch}} where connus_reference - connus_mois > {LARGEST_LOSS_OF_COVERAGE}",
            "A value is known for far fewer companies than in the months learned from: check the month's files.",
            "warning",
        ),
    ),
    # There is no reference when no method of the month has learned.
    may_be_empty=True,
)

VERIFICATION = Table(
    name="eval_verification",
    grain="one past published list whose outcome is known, at one of its two levels",
    columns=(
        Column("mois_liste", "DATE", "month of the list"),
        Column("list_version", "INTEGER", "version of the list, a published one"),
        Column("scores_version", "INTEGER", "version of the scores the list was first made from"),
        Column("niveau", "INTEGER", "1: all alerts; 2: high risks alone"),
        METHODE,
        Column("entreprises", "BIGINT", "companies in alert", unit="company"),
        Column("suivies", "BIGINT", "of these, in no procedure at the date", unit="company"),
        Column("defaillances", "BIGINT", f"of these, in a procedure within {HORIZON_MONTHS} months", unit="company"),
        Column("precision", "DOUBLE", "share of these"),
        Column("bas", "DOUBLE", "low end of its 95 % interval (Wilson)"),
        Column("haut", "DOUBLE", "high end of its 95 % interval"),
        Column("probabilite_moyenne", "DOUBLE", "mean score of the companies in alert"),
        Column("precision_annoncee", "DOUBLE", "precision that the evaluation of the month announced"),
    ),
    key=("mois_liste", "list_version", "niveau"),
    rules=(
        no_rows(
            "as_announced",
            "select mois_liste, niveau from {batch} where haut < precision_annoncee",
            "A past list was less precise than announced: check eval_drift of its month, and launch the evaluation.",
            "warning",
        ),
    ),
    # In the first months no list is old enough for its outcome to be known.
    may_be_empty=True,
)

_AN_INTERVAL_IN_ORDER = no_rows(
    "interval_in_order",
    "select mesure from {batch} where bas > haut or not isfinite(bas) or not isfinite(haut)",
    "Expected a finite interval whose low end is below its high end: look at what computes the figure.",
)
_GAPS_HAVE_A_REASON = no_rows(
    "gaps_have_a_reason",
    "select mesure from {batch} where valeur is null and raison is null",
    "Expected a reason for every figure that is hidden or undefined: look at what computes it.",
)

ANSWERS = Table(
    name="eval_answers",
    grain="one figure of a past published list, at one of its two levels, for all of its companies or one group",
    columns=(
        Column("mois_liste", "DATE", "month of the list"),
        Column("niveau", "INTEGER", "1: all alerts; 2: high risks alone"),
        Column("dimension", "VARCHAR", "ensemble, departement, region, section or taille"),
        Column("groupe", "VARCHAR", "the group of the dimension"),
        Column(
            "mesure",
            "VARCHAR",
            "contactees, delai_jours (median, from publication to first contact), utiles, deja_connues, erronees, hors_ressort "
            f"(of the companies with an opinion), defaillances (within {HORIZON_MONTHS} months), and those of companies "
            "contacted and of the others",
        ),
        Column("entreprises", "BIGINT", f"companies that count; NULL below {FEWEST}", unit="company"),
        Column("valeur", "DOUBLE", "share of these, or days"),
        Column("bas", "DOUBLE", "low end of its 95 % interval"),
        Column("haut", "DOUBLE", "high end of its 95 % interval"),
        Column("raison", "VARCHAR", "why the figure is hidden or undefined"),
    ),
    key=("mois_liste", "niveau", "dimension", "groupe", "mesure"),
    rules=(
        _AN_INTERVAL_IN_ORDER,
        _GAPS_HAVE_A_REASON,
        no_rows(
            "small_groups_hidden",
            f"select mesure from {{batch}} where entreprises between 1 and {FEWEST - 1} "
            "or (entreprises is null and coalesce(valeur, bas, haut) is not null)",
            f"A figure of fewer than {FEWEST} companies could single one out: look at evaluation/answers.py.",
        ),
    ),
    may_be_empty=True,
)

EFFECT = Table(
    name="eval_effect",
    grain="one estimate of what help changes, or of the conditions under which the estimate holds",
    columns=(
        Column(
            "comparaison", "VARCHAR", "seuil: just above against just below the threshold; contact: contacted or not"
        ),
        Column("mesure", "VARCHAR", "name of the estimate"),
        Column("largeur", "DOUBLE", "bandwidth, in log odds on each side of the threshold; NULL for contact"),
        Column("lignes", "BIGINT", "companies and lists used", unit="row"),
        Column("valeur", "DOUBLE", "the estimate, a difference of shares unless the name says otherwise"),
        Column("bas", "DOUBLE", "low end of its 95 % interval, errors clustered by company"),
        Column("haut", "DOUBLE", "high end of its 95 % interval"),
        Column("raison", "VARCHAR", "why it is undefined"),
    ),
    key=("comparaison", "mesure"),
    rules=(
        _AN_INTERVAL_IN_ORDER,
        _GAPS_HAVE_A_REASON,
        no_rows(
            "threshold_not_manipulated",
            "select mesure from {batch} where mesure = 'saut_densite' and not (bas <= 0 and haut >= 0)",
            "Companies gather on one side of the threshold: the comparison around it proves nothing. Look at how scores and "
            "thresholds were chosen.",
            "warning",
        ),
        no_rows(
            "no_effect_elsewhere",
            "select mesure from {batch} where starts_with(mesure, 'temoin') and not (bas <= 0 and haut >= 0)",
            "Outcomes jump where nothing happens: the effect at the threshold is not to be trusted either.",
            "warning",
        ),
    ),
    may_be_empty=True,
)

TABLES = (BACKTEST, FIGURES, CHAMPION, UTILITY, DRIFT, VERIFICATION, ANSWERS, EFFECT)
SUITES: dict[str, Suite] = {table.name: suite_of(table) for table in TABLES}

"""Tables that convert activity codes between NAF rev. 2 and NAF 2025, before and after the switch of January 2027."""

from sf_assets.vocabulary.fields import pick
from sf_assets.vocabulary.schema import Column, Table

NAF_PAIRE = Table(
    name="clean_naf_paire",
    grain="one legal unit whose activity was once delivered in both nomenclatures, with its last such pair of codes",
    columns=(
        *pick("siren"),
        Column("naf", "VARCHAR", "main activity, NAF rev. 2"),
        Column("naf25", "VARCHAR", "main activity, NAF 2025"),
    ),
    key=("siren",),
    may_be_empty=True,
)

NAF_PASSAGE = Table(
    name="clean_naf_passage",
    grain="one code of a nomenclature of activities, with its corresponding code in the other",
    columns=(
        Column("nomenclature", "VARCHAR", "nomenclature of the code: NAFRev2 or NAF2025"),
        Column("code", "VARCHAR", "sub-class"),
        Column("correspondant", "VARCHAR", "sub-class of the other nomenclature"),
        Column(
            "origine", "VARCHAR", "how the correspondence was decided: unique, frequente or presumee, as in origine_naf"
        ),
    ),
    key=("nomenclature", "code"),
)

# In dependency order: each table reads those before it.
TABLES = (NAF_PAIRE, NAF_PASSAGE)

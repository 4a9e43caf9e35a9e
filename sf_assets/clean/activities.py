"""Activities across the switch to NAF 2025: what is remembered of units, and which code stands for which."""

from sf_assets.vocabulary.fields import pick
from sf_assets.vocabulary.schema import Column, Table

NAF_PAIRE = Table(
    name="clean_naf_paire",
    grain="one legal unit of which both codes of its activity were once delivered together, as they last were",
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
    grain="one code of a nomenclature of activities, with the code that stands for it in the other",
    columns=(
        Column("nomenclature", "VARCHAR", "nomenclature of the code: NAFRev2 or NAF2025"),
        Column("code", "VARCHAR", "sub-class"),
        Column("correspondant", "VARCHAR", "sub-class of the other nomenclature"),
        Column("origine", "VARCHAR", "how it was decided: unique, frequente or presumee, as in origine_naf"),
    ),
    key=("nomenclature", "code"),
)

# In the order of what they read.
TABLES = (NAF_PAIRE, NAF_PASSAGE)

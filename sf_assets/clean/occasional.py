"""Clean tables of sources that are not delivered every month: VAT returns and groups of companies."""

from sf_assets.vocabulary import tax_fields
from sf_assets.vocabulary.fields import pick
from sf_assets.vocabulary.schema import Table, between, no_rows, not_null

TVA = Table(
    name="clean_tva",
    grain="one VAT return of a company",
    columns=pick(" ".join(("siren date_deb_tva date_fin_tva date_depot", *(c.name for c in tax_fields.FIGURES)))),
    rules=(
        not_null("siren", "A return without a company: check how stg_tva_ca3 and stg_tva_ca12 are read."),
        no_rows(
            "period_in_order",
            "select * from {batch} where date_fin_tva < date_deb_tva",
            "The period of a return ends before it starts: ask DGFiP.",
            "warning",
        ),
    ),
    may_be_empty=True,
)

ELLISPHERE = Table(
    name="clean_ellisphere",
    grain="one company that belongs to a group, with the head of the group",
    columns=pick("siren siren_groupe raison_sociale_groupe adresse_groupe niveau_detention part_financiere"),
    key=("siren",),
    rules=(between("part_financiere", 0, 100, "A share held is a percentage: ask Ellisphere.", "warning"),),
    may_be_empty=True,
)

TABLES = (TVA, ELLISPHERE)

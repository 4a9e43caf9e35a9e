"""The history of collective procedures after every source that tells of them, and what BODACC tells."""

from sf_assets.vocabulary.fields import pick
from sf_assets.vocabulary.schema import Column, Table, no_rows, not_null

BODACC = Table(
    name="clean_bodacc",
    grain="one company of one announcement of a judgment, for as long as it stood",
    columns=(
        *pick("siren id_annonce date_publication date_retrait date_effet nature_jugement"),
        Column("statut", "VARCHAR", "procedure that the judgment puts the company in, NULL when none"),
        *pick("action_procol stade_procol libelle_procol tribunal"),
        Column("est_connue", "BOOLEAN", "the table of natures knows the nature of the judgment"),
    ),
    key=("siren", "id_annonce"),
    rules=(
        no_rows(
            "known_after_effect",
            "select * from {batch} where date_publication < date_effet or date_retrait <= date_publication",
            "A judgment comes before its publication, and that before its correction: look at clean_bodacc.sql.",
        ),
        no_rows(
            "nature_known",
            "select * from {batch} where not est_connue",
            "A nature that the table does not know means nothing: complete nomenclatures/bodacc_natures.csv.",
            "warning",
        ),
    ),
    may_be_empty=True,
)

PROCEDURE = Table(
    name="clean_procedure",
    grain="one step of a company's collective procedure as one source tells it",
    columns=(
        *pick("siren"),
        Column("source", "VARCHAR", "urssaf or bodacc"),
        Column(
            "est_repetition", "BOOLEAN", "the step was told before and counts there: leave it out to count procedures"
        ),
        *pick("date_effet action_procol stade_procol libelle_procol date_publication date_retrait"),
        Column("date_oubli", "DATE", "day from which the step is known to say nothing of the company any more"),
        Column("est_close", "BOOLEAN", "the step ends its kind of procedure"),
        Column("rang_stade", "INTEGER", "order among the stages of one day: the smallest stands"),
        Column("date_terme", "DATE", "day a plan ends of itself, NULL for other stages"),
    ),
    rules=(
        not_null("date_effet", "A step without a date: look at clean_procol and clean_bodacc."),
        no_rows(
            "known_after_effect",
            "select * from {batch} where date_publication < date_effet",
            "Nothing is known before it happens: look at the delay of procedures and at clean_bodacc.",
        ),
    ),
)

PROCEDURE_EPISODE = Table(
    name="clean_procedure_episode",
    grain="one stretch of time during which a company is in one kind of procedure, after all sources",
    columns=(
        *pick("siren action_procol stade_procol libelle_procol"),
        Column("source", "VARCHAR", "source of the step that starts the stretch: urssaf or bodacc"),
        Column("date_debut", "DATE", "first day of the stretch"),
        Column("date_fin", "DATE", "day after the last day of the stretch, NULL while it lasts"),
    ),
    rules=(
        no_rows(
            "in_order",
            "select * from {batch} where date_debut is null or date_fin <= date_debut",
            "A stretch lasts at least a day: look at the dates of clean_procedure.",
        ),
    ),
)

# In the order of what they read.
TABLES = (BODACC, PROCEDURE, PROCEDURE_EPISODE)

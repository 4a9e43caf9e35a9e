"""Clean tables of collective procedures: the judgments of BODACC, and the history made from all sources."""

from sf_assets.vocabulary.fields import pick
from sf_assets.vocabulary.schema import Column, Table, no_rows, not_null

BODACC = Table(
    name="clean_bodacc",
    grain="one company of one announcement of a judgment, from its publication until its correction",
    columns=(
        *pick("siren id_annonce date_publication date_retrait date_effet nature_jugement"),
        Column("statut", "VARCHAR", "procedure that the company is in after the judgment, NULL when none"),
        *pick("action_procol stade_procol libelle_procol tribunal"),
        Column("est_connue", "BOOLEAN", "the table of natures knows the nature of the judgment"),
    ),
    key=("siren", "id_annonce"),
    rules=(
        no_rows(
            "known_after_effect",
            "select * from {batch} where date_publication < date_effet or date_retrait <= date_publication",
            "A judgment comes before its publication, and a publication before its correction: check clean_bodacc.sql.",
        ),
        no_rows(
            "nature_known",
            "select * from {batch} where not est_connue",
            "Judgments of a nature absent from the table are ignored: complete nomenclatures/bodacc_natures.csv.",
            "warning",
        ),
    ),
    may_be_empty=True,
)

PROCEDURE = Table(
    name="clean_procedure",
    grain="one step of a company's collective procedure according to one source",
    columns=(
        *pick("siren"),
        Column("source", "VARCHAR", "urssaf or bodacc"),
        Column(
            "est_repetition",
            "BOOLEAN",
            "the step repeats one that was published before: leave it out to count procedures",
        ),
        *pick("date_effet action_procol stade_procol libelle_procol date_publication date_retrait"),
        Column("date_oubli", "DATE", "day from which the step is known to be replaced, withdrawn or ended"),
        Column("est_close", "BOOLEAN", "the step ends its kind of procedure"),
        Column("rang_stade", "INTEGER", "order among the stages of one day: the smallest counts"),
        Column("date_terme", "DATE", "day on which a plan ends by itself, NULL for other stages"),
    ),
    rules=(
        not_null("date_effet", "A step without a date: check clean_procol and clean_bodacc."),
        no_rows(
            "known_after_effect",
            "select * from {batch} where date_publication < date_effet",
            "A step is published before it happens: check the publication delay of procedures and clean_bodacc.",
        ),
    ),
)

PROCEDURE_EPISODE = Table(
    name="clean_procedure_episode",
    grain="one stretch of time during which a company is in one kind of procedure, according to all sources",
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
            "A stretch lasts at least one day: check the dates of clean_procedure.",
        ),
    ),
)

# In dependency order: each table reads those before it.
TABLES = (BODACC, PROCEDURE, PROCEDURE_EPISODE)

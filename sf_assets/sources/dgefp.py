"""DGEFP: monthly exports of short-time work, requested and consumed, by the labour administration."""

from sf_assets.sources.description import Cell, Source

APCONSO = Source(
    name="apconso",
    producer="DGEFP",
    grain="the short-time work consumed by one establishment in one month under one request",
    names=("consommation_ap.csv",),
    separator=",",
    unique=("siret", "periode", "id_demande"),
    cells=(
        Cell("ID_DA", column="id_demande"),
        Cell("ETAB_SIRET", column="siret"),
        Cell("HEURES", "decimal_point", "heures"),
        Cell("MONTANTS", "decimal_point", "montant"),
        Cell("EFFECTIFS", "entier_tronque", "effectif"),
        Cell("MOIS", "date_iso", "periode", required=True),
    ),
)

APDEMANDE = Source(
    name="apdemande",
    producer="DGEFP",
    grain="one decision to authorise a request for short-time work",
    names=("demande_ap.csv",),
    separator=",",
    lenient_quotes=True,
    # A request that is decided again is in the file once per decision.
    unique=("id_demande", "date_statut"),
    cells=(
        Cell("ID_DA", column="id_demande"),
        Cell("ETAB_SIRET", column="siret", required=True),
        Cell("EFF_ENT", "entier_tronque"),
        Cell("EFF_ETAB", "entier_tronque"),
        Cell("DATE_STATUT", "date_iso", "date_statut", required=True),
        Cell("DATE_DEB", "date_iso", "periode_debut", required=True),
        Cell("DATE_FIN", "date_iso", "periode_fin", required=True),
        Cell("HTA", "decimal_point", "heures"),
        Cell("MTA", "decimal_virgule", "montant"),
        Cell("EFF_AUTO", "entier_tronque", "effectif"),
        Cell("MOTIF_RECOURS_SE", "motif", "motif_recours"),
        Cell("PERIMETRE_AP", "entier"),
        Cell("S_HEURE_CONSOM_TOT", "decimal_point"),
        Cell("S_MONTANT_CONSOM_TOT", "decimal_virgule"),
        Cell("S_EFF_CONSOM_TOT", "entier_tronque"),
    ),
)

SOURCES = (APCONSO, APDEMANDE)

"""Names of the label tables: official names of codes, joined by queries and written by no asset."""

LABEL_TABLES = frozenset({
    "naf_codes", "naf25_codes", "naf_passage", "categories_juridiques", "labels_departement_region", "labels_motif_recours",
    "types_voie", "bodacc_natures",
})  # fmt: skip

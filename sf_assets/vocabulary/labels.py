"""Names of the label tables: official names of codes, which queries join and no asset writes."""

LABEL_TABLES = frozenset({
    "naf_codes", "naf25_codes", "naf_passage", "categories_juridiques", "labels_departement_region", "labels_motif_recours",
    "types_voie", "bodacc_natures",
})  # fmt: skip

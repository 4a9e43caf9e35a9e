"""Ellisphere: the group that a company belongs to, from a sheet read by position (rules §9.3)."""

from sf_assets.sources.description import Cell, Source

_COLUMNS = (
    "code_groupe",
    "poum_groupe",
    "siren_groupe",
    "refid_groupe",
    "raison_sociale_groupe",
    "adresse_groupe",
    "unread_6",
    "unread_7",
    "unread_8",
    "niveau_detention",
    "part_financiere",
    "unread_11",
    "code_filiale",
    "poum_filiale",
    "siren",
    "refid_filiale",
)

ELLISPHERE = Source(
    name="ellisphere",
    producer="Ellisphere",
    grain="one company that belongs to a group, and its place in it",
    names=(),
    # An accented letter is one character or two, depending on the system that made the file.
    pattern="Ellisph(è|e\u0300)re-T(ê|e\u0302)te de groupe-[^.]*[.]xlsx",
    key="siren",
    expected=False,
    # Every sheet holds all groups: another month's beside it would give each company the head of either.
    exclusive=True,
    rejects_copies=True,
    columns=_COLUMNS,
    trims=True,
    # Rows that have a format but no value, and the emptied heading rows, are no records.
    skip='"siren_groupe" || "code_filiale" || "siren" = \'\'',
    legal_basis="contract with the provider",
    cells=(
        Cell("siren", "sans_blancs", "siren"),
        Cell("code_groupe", column="code_groupe"),
        Cell("poum_groupe", column="poum_groupe"),
        Cell("siren_groupe", "sans_blancs", "siren_groupe"),
        Cell("refid_groupe", column="refid_groupe"),
        Cell("raison_sociale_groupe", column="raison_sociale_groupe"),
        Cell("adresse_groupe", column="adresse_groupe"),
        Cell("niveau_detention", "entier", "niveau_detention"),
        Cell("part_financiere", "pourcentage", "part_financiere"),
        Cell("code_filiale", column="code_filiale"),
        Cell("poum_filiale", column="poum_filiale"),
        Cell("refid_filiale", column="refid_filiale"),
    ),
)

SOURCES = (ELLISPHERE,)

"""The staging tables, derived from the sources, and the tables that account for every record."""

from importlib.resources import files

from sf_assets.sources.description import Source
from sf_assets.sources.registry import BY_NAME, SOURCES
from sf_assets.vocabulary.fields import FIELDS, pick
from sf_assets.vocabulary.schema import Column, Rule, Table, no_rows, not_null

# Columns of the staging tables that have a query of their own; the columns of other tables are the cells with a `column`.
_OWN_QUERY = {
    "debit": "siret numero_compte numero_ecart_negatif date_traitement part_ouvriere part_patronale "
    "numero_historique_ecart_negatif etat_compte code_procedure_collective periode_debut periode_fin "
    "code_operation_ecart_negatif code_motif_ecart_negatif recours_en_cours periode_prise_en_compte debit_id",
    "admin_urssaf": "compte siret date_creation date_disparition",
    "procol": "siret date_effet action_procol stade_procol",
    "diane": " ".join(cell.column for cell in BY_NAME["diane"].cells if cell.column)
    + " poids_frng dette_fiscale taux_marge frais_financier",
    "bodacc": "siren id_annonce type_avis date_parution id_avis_precedent famille_jugement nature_jugement "
    "complement_jugement date_jugement tribunal",
    "sirene": "siren siret siege complement_adresse numero_voie indrep type_voie voie commune commune_etranger "
    "distribution_speciale code_commune departement code_cedex cedex code_pays_etranger pays_etranger code_postal "
    "ape code_activite nomenclature_activite date_creation longitude latitude est_actif ape_naf25",
}

# Tables with several rows per record have another key. Rows of `bodacc` may lack a siren, so that its key is a rule below.
_KEYS: dict[str, tuple[str, ...]] = {"bodacc": ()}

_RULES: dict[str, tuple[Rule, ...]] = {
    "debit": (
        no_rows(
            "not_negative",
            "select siret from {batch} where part_ouvriere < 0 or part_patronale < 0",
            "Debts are amounts left to pay. Ask URSSAF whether signs or units changed.",
            "warning",
        ),
    ),
    "cotisation": (
        no_rows(
            "period_in_order",
            "select siret from {batch} where periode_fin <= periode_debut",
            "A period must end after it starts. Ask URSSAF for the file again.",
        ),
    ),
    "bodacc": (
        not_null(
            "id_annonce",
            "An announcement without an identifier can be neither corrected nor counted: look at stg_bodacc.sql.",
        ),
        no_rows(
            "key_unique",
            "select id_annonce from {batch} group by month, siren, id_annonce having count(*) > 1",
            "A company is twice in one announcement: look at stg_bodacc.sql.",
        ),
        no_rows(
            "corrections_named",
            "select id_annonce from {batch} where id_avis_precedent is null and (siren is null or type_avis <> 'annonce')",
            "A correction that does not name its announcement has no effect: check that `parutionavisprecedent` still has a "
            "publication, an issue and a number.",
            "warning",
        ),
    ),
    "sirene": (not_null("siege", "Every establishment either is a head office or is not."),),
}


def columns_of(source: Source) -> tuple[Column, ...]:
    """Return the columns of a source's staging table, without `month`."""
    if source.name in _OWN_QUERY:
        return pick(_OWN_QUERY[source.name])
    columns = tuple(FIELDS[cell.column] for cell in source.cells if cell.column)
    if source.wide:
        columns += pick(f"periode {source.wide}")
    return columns + pick("file_number line") if source.keeps_line else columns


def query_of(source: Source) -> str:
    """Return the query from the view `cells` to staging rows: the source's `.sql` file, or its columns unchanged."""
    if source.name in _OWN_QUERY:
        return files("sf_assets.staging").joinpath(f"{source.table}.sql").read_text(encoding="utf-8")
    return f"select {', '.join(column.name for column in columns_of(source))} from cells"


def _table(source: Source) -> Table:
    # A late or optional file leaves its month without rows; a missing expected file fails the check `delivered`.
    return Table(
        name=source.table,
        grain=source.grain,
        columns=columns_of(source),
        key=_KEYS.get(source.name, source.unique),
        rules=_RULES.get(source.name, ()),
        may_be_empty=not source.expected,
        tags={"producer": source.producer, "legal_basis": source.legal_basis},
    )


STAGING = {source.name: _table(source) for source in SOURCES}

FILTER_IMPORT = Table(
    name="stg_filter_import",
    grain="one company of the import perimeter: it had enough staff in the last known months",
    columns=pick("siren"),
    key=("siren",),
)

STEP_COLUMNS = (
    Column("ordre", "INTEGER", "place of the step, from 1"),
    Column("etape", "VARCHAR", "step of the perimeter, or reason to be left out of it"),
    Column("avant", "BIGINT", "companies before the step", unit="company"),
    Column("exclues", "BIGINT", "companies that the step leaves out", unit="company"),
    Column("apres", "BIGINT", "companies after the step", unit="company"),
)

FILTER_STEPS = Table(
    name="stg_filter_steps",
    grain="one step towards the import perimeter, with the companies before and after it",
    columns=STEP_COLUMNS,
    key=("etape",),
    rules=(
        no_rows(
            "adds_up",
            "select etape from {batch} where exclues < 0 or avant is distinct from exclues + apres",
            "A step retains a company or leaves it out: look at stg_filter_steps.sql.",
        ),
    ),
)

IMPORTS = Table(
    name="stg_import",
    grain="one file and the number of its records by outcome",
    columns=(
        Column("source", "VARCHAR", "source the file belongs to"),
        Column("file", "VARCHAR", "name of the file"),
        Column("records", "BIGINT", "records the file holds, as counted on arrival", unit="record"),
        Column("accepted", "BIGINT", "records whose rows were loaded", unit="record"),
        Column("filtered", "BIGINT", "records outside the perimeter, exact copies, or not needed", unit="record"),
        Column("quarantined", "BIGINT", "records refused", unit="record"),
        Column("cells", "BIGINT", "single cells refused in accepted records", unit="cell"),
        Column("corrected", "BIGINT", "records refused and replaced by a correction", unit="record"),
        Column("outside", "BIGINT", "records filtered as outside the perimeter", unit="record"),
        Column("copies", "BIGINT", "records filtered as exact copies", unit="record"),
    ),
    key=("source", "file"),
    rules=(
        no_rows(
            "nothing_lost",
            "select source, file from {batch} where records is distinct from accepted + filtered + quarantined",
            "Every record counted on arrival has one outcome. This is a bug of the reader: keep the file and report it.",
        ),
    ),
    may_be_empty=True,
)

QUARANTINE = Table(
    name="stg_quarantine",
    grain="one reason to refuse a record, or a cell of a record",
    columns=(
        Column("source", "VARCHAR", "source the file belongs to"),
        Column("file", "VARCHAR", "name of the file"),
        Column("line", "BIGINT", "line of the file, from 1, header included"),
        Column("level", "VARCHAR", "record: nothing of it was loaded; cell: the rest of the record was loaded"),
        Column("column", "VARCHAR", "header of the cell, NULL when the record itself is malformed"),
        Column("expected", "VARCHAR", "expected content of the cell"),
        Column("found", "VARCHAR", "content of the cell"),
        Column("raw", "VARCHAR", "the record as delivered"),
        Column("corrected_by", "VARCHAR", "file that holds the correction, NULL while there is none"),
    ),
    rules=(not_null("source", "Every refusal belongs to a source: this is a bug of the reader."),),
    may_be_empty=True,
    tags={"personal_data": "yes"},
)

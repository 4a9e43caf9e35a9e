"""SQL generated from the description of a source: the typed cells of a record, and its disposition.

The disposition of a record is `accepted`, `filtered` or `quarantined`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sf_assets.engine.sql import read_sql
from sf_assets.engine.storage.catalog import sql_literal
from sf_assets.sources.description import Cell, Source
from sf_assets.sources.retour import UTILITIES
from sf_assets.staging.headcounts import digits_only_condition, headcounts_expression, invalid_headcounts_expression
from sf_assets.staging.stored import field_of, place_of, stored_values, usable_value, without_texts
from sf_assets.vocabulary.fields import FIELDS
from sf_assets.vocabulary.scopes import SCOPES

EXPECTED = {
    "text": "a value",
    "accents": "a text whose accents can be read",
    "sans_blancs": "a value",
    "entier": "a whole number",
    "decimal_point": "a number with a decimal point",
    "decimal_virgule": "a number with a decimal comma or point, without blanks",
    "pourcentage": "a number with a decimal comma or point, with or without %",
    "centimes": "an amount in cents",
    "entier_tronque": "a number with a decimal point",
    "booleen": "1, t, true, 0, f or false",
    "oui_non": "Oui or Non",
    "date_iso": "a date AAAA-MM-JJ",
    "date_fr": "a date JJ/MM/AAAA",
    "date_compacte": "a date AAAA-MM-JJ or AAAAMMJJ",
    "date_urssaf": "a date (A)AAMMJJ",
    "date_procol": "a date JJMMMAAAA with an English month",
    "date_abregee": "a date JJMMMAAAA with an English or French month",
    "periode_debut": "a period AAXY or AAAAXY",
    "periode_fin": "a period AAXY or AAAAXY",
    "motif": "a reason from 1 to 7",
    "nomenclature": "NAFRev2, NAF2025 or NAFRev2025, and `inconnue` for anything else",
    "effectif": "a head-count: digits, blanks between thousands",
    "sirens": "one siren or several, separated by commas",
    "objet": "a JSON object",
    "type_avis": "annonce, rectificatif or annulation",
    "nature": "a nature of judgment whose accents can be read",
    "date_bodacc": "a date AAAA-MM-JJ, JJ/MM/AAAA or in French words",
    "date_cloture": "a date AAAA-MM-JJ or AAAAMMJJ from 1990 to 2099",
    "montant": "a number below 1e12 euros, with a decimal point or comma",
    "ratio": "a number below 1e6, with a decimal point or comma",
    "destinataire": "small letters, digits, and . _ - @ after the first character",
    "zones": "national, or codes of departments and of regions such as R27, separated by blanks",
    "droits": f"rights among {', '.join(SCOPES)}, separated by blanks",
    "lot": "the month of a list, AAMM",
    "cle_age": "a public key of age, age1 and 58 characters",
    "tranche": "a staff band of INSEE: 00, 01, 02, 03, 11, 12, 21, 22, 31, 32, 41, 42, 51, 52 or 53",
    "utilite": f"one of {', '.join(UTILITIES)}",
}

# Readers whose codes are looked up in a table of `known_codes.sql` before they are computed.
LOOKUP_TABLES = {
    "date_urssaf": "known_days",
    "periode_debut": "known_periods",
    "periode_fin": "known_periods",
    # All its codes: DuckDB would hold every row of the register in memory for a query inside an expression.
    "type_voie": "types_voie",
}


# Patterns that a reader always accepts: a cell without a staging column that matches is not read, since its value is not used.
_ALWAYS_READABLE = {"decimal_virgule": "-?[0-9]{1,12}([.,][0-9]{1,9})?"}

_TRAILER = "when starts_with(raw, '{}') then 'filtered'"


def _field(header: Sequence[str], name: str, *, trims: bool) -> str:
    """Return the SQL of a field by header, without case: the right-most of equal headers; empty when it is missing."""
    place = place_of(header, name)
    if not place:
        return "''"
    field = field_of(header, place)
    return f"trim({field})" if trims else field


def _text(header: Sequence[str], cell: Cell, *, trims: bool, undisclosed: str) -> str:
    """Return the SQL of the text of a cell; empty for an undisclosed value, and for a member of malformed JSON."""
    field = _field(header, cell.header, trims=trims)
    if undisclosed:
        field = f"case when {field} = {sql_literal(undisclosed)} then '' else {field} end"
    if not cell.member:
        return field
    member = f"json_extract_string({field}, '$.{cell.member}')"
    if "[*]" in cell.member:
        single = cell.member.replace("[*]", "")
        member = (
            f"concat_ws(',', json_extract_string({field}, '$.{single}'), nullif(array_to_string({member}, ','), ''))"
        )
    return f"coalesce(case when json_valid({field}) then {member} end, '')"


def _identity(source: Source) -> tuple[list["_Error"], str]:
    """Return the possible error of the identifier, and the SQL condition of a record outside the perimeter.

    Sirene writes the identifier of an establishment in two cells. A cell of several sirens is validated by its reader; the
    record is in the perimeter as soon as one of its sirens is.
    """
    if not source.key:
        return [], "false"
    sirens = [n for n, cell in enumerate(source.cells) if cell.reader == "sirens"]
    if sirens:
        joined = f"concat_ws(',', {', '.join(f'v{n}' for n in sirens)})"
        # An unreadable cell of sirens has an error of its own: the record then has no second error for its identifier.
        blank = [f"\"{source.cells[n].label}\" = ''" for n in sirens if source.cells[n].on_error == "record"]
        no_siren = " and ".join((f"({joined} = ''", *blank, f"not ({source.exempt or 'false'}))"))
        split = f"select unnest(string_split({joined}, ',')) as siren"
        outside = f"not exists (select 1 from ({split}) as named join perimeter using (siren))"
        return [_Error(no_siren, source.key, EXPECTED["sirens"], "null")], outside
    labels = [(n, cell.label) for n, cell in enumerate(source.cells) if cell.column == source.key]
    key = f'"{labels[0][1]}"' if labels else '"siren" || "nic"'
    if labels and source.cells[labels[0][0]].reader != "text":
        key = f"coalesce(v{labels[0][0]}, '')"
    wrong = f"not regexp_full_match({key}, '{FIELDS[source.key].pattern}')"
    outside = f"substr({key}, 1, 9) not in (select siren from perimeter)"
    return [_Error(wrong, source.key, "digits only", key)], outside


def typed_query(source: Source, header: Sequence[str], records: str = "records") -> str:
    """Return the query of the typed values and the disposition of every record of the view `records`.

    One row is one record. `is_reported` marks records for which `reasons_query` may return rows; `is_outside` marks records
    filtered because their company is outside the perimeter.
    """
    columns = ", ".join(f"v{n} as {cell.column}" for n, cell in enumerate(source.cells) if cell.column)
    values = f"{headcounts_expression(header)} as {source.wide}," if source.wide else ""
    raw = "raw," if source.unique else ""
    needed = f"not ({without_texts(source.skip, stored_values(source, header))})" if source.skip else "true"
    needed += f" and not starts_with(raw, '{source.trailer}')" if source.trailer else ""
    outside = f"disposition = 'filtered' and {needed}" if source.filtered else "false"
    doubtful = "not is_plain" if source.wide else _any(_notes(source))
    return read_sql(
        "sf_assets.staging",
        "typed_records",
        classified=_classified(source, header, records),
        columns=columns,
        headcounts=values,
        raw=raw,
        doubtful=doubtful,
        outside=outside,
    )


def reasons_query(source: Source, header: Sequence[str], records: str = "reported_records") -> str:
    """Return the query of the errors of the records of a view: one row per wrong cell, or per malformed record."""
    notes = invalid_headcounts_expression(header, EXPECTED["effectif"]) if source.wide else _listed(_notes(source))
    malformed = "[{'column': null::varchar, 'expected': fault, 'found': null::varchar}]"
    return read_sql(
        "sf_assets.staging",
        "refused_records",
        classified=_classified(source, header, records),
        notes=notes,
        malformed=malformed,
        errors=_listed(_errors(source, header)),
    )


def _classified(source: Source, header: Sequence[str], records: str) -> str:
    """Return the query of the records of a view with their values and dispositions."""
    cells = {cell.label: cell for cell in source.cells}
    texts = [
        f'{_text(header, cell, trims=source.trims, undisclosed=source.undisclosed)} as "{label}"'
        for label, cell in cells.items()
    ]
    stored = stored_values(source, header)
    texts += dict.fromkeys(stored.values())
    plain = f"{digits_only_condition(header, source.separator)} as is_plain," if source.wide else ""
    values = ", ".join(f"{_value(cell, stored)} as v{n}" for n, cell in enumerate(source.cells))
    lookups = dict.fromkeys(
        (LOOKUP_TABLES[cell.reader], cell.label) for cell in source.cells if cell.reader in LOOKUP_TABLES
    )
    joins = " ".join(
        f'left join {table} as "{table} {name}" on "{table} {name}".code = "{name}"' for table, name in lookups
    )
    outside = _identity(source)[1] if source.filtered else "false"
    return read_sql(
        "sf_assets.staging",
        "classified_records",
        plain=plain,
        texts=", ".join(texts),
        records=records,
        read=values,
        joins=joins,
        skip=without_texts(source.skip or "false", stored),
        trailer=_TRAILER.format(source.trailer) if source.trailer else "",
        errors=without_texts(_any(_errors(source, header)), stored),
        outside=outside,
        exempt=source.exempt or "false",
        placed=_placed(source) if source.lacks_key(header) else "valued",
    )


def _errors(source: Source, header: Sequence[str]) -> list["_Error"]:
    """Return the possible errors that quarantine a record."""
    errors = [_error(n, cell) for n, cell in enumerate(source.cells) if cell.on_error == "record" and _can_fail(cell)]
    # A period is read twice, for its start and its end: both errors are reported as one.
    cells: dict[tuple[str, str], _Error] = {}
    for error in errors:
        same = cells.get((error.column, error.expected))
        cells[error.column, error.expected] = (
            replace(same, condition=f"({same.condition} or {error.condition})") if same else error
        )
    identity = [] if source.lacks_key(header) else _identity(source)[0]
    return [*cells.values(), *identity, *([_unlisted(source)] if source.about_lists else [])]


def _unlisted(source: Source) -> "_Error":
    """Return the error of an answer about a company that was on no list published until the one it names."""
    # Names are compared without case: `company` is not the name of a cell.
    labels = {cell.column: cell.label for cell in source.cells}
    company, month = labels["siren"], source.about_lists
    listed = f'select 1 from published where published.company = "{company}" and published.first_list <= "{month}"'
    named = f'regexp_full_match("{company}", \'{FIELDS["siren"].pattern}\') and read_lot("{month}") is not null'
    expected = "a company of the published list that the answer names, or of one before"
    return _Error(f"({named} and not exists ({listed}))", company, expected, f'"{company}"')


def _notes(source: Source) -> list["_Error"]:
    """Return the possible errors that quarantine a single cell of an accepted record."""
    return [_error(n, cell) for n, cell in enumerate(source.cells) if cell.on_error == "cell"]


def _placed(source: Source) -> str:
    """Return the SQL of typed records whose establishment is looked up by account and day.

    It is the establishment of the account that closes first, strictly after that day (rules §9.1). Without such an
    establishment the siret stays empty and the record is outside the perimeter: the list holds no accounts of other companies.
    """
    account, day = source.account or ("", "")
    place = {cell.column: n for n, cell in enumerate(source.cells)}
    (label,) = (cell.label for cell in source.cells if cell.column == source.key)
    placed = read_sql(
        "sf_assets.staging",
        "placed_records",
        siret=f"v{place[source.key]}",
        label=f'"{label}"',
        account=f'"{account}"',
        day=f"v{place[day]}",
    )
    return f"({placed})"


def _value(cell: Cell, stored: Mapping[str, str]) -> str:
    if cell.label in stored:
        return usable_value(cell, stored[cell.label])
    if cell.reader == "type_voie":
        return f'"types_voie {cell.label}".libelle'
    read = f'read_{cell.reader}("{cell.label}")'
    if not cell.column and cell.reader in _ALWAYS_READABLE:
        return (
            f"case when regexp_full_match(\"{cell.label}\", '{_ALWAYS_READABLE[cell.reader]}') then 0 else {read} end"
        )
    if cell.reader not in LOOKUP_TABLES:
        return read
    table = f'"{LOOKUP_TABLES[cell.reader]} {cell.label}"'
    return f"case when {table}.code is not null then {table}.{cell.reader} else {read} end"


@dataclass(frozen=True, slots=True)
class _Error:
    """The SQL condition of a wrong cell, and the content of its row in the quarantine."""

    condition: str
    column: str
    expected: str
    found: str

    @property
    def sql(self) -> str:
        reason = f"{{'column': '{self.column}', 'expected': '{self.expected}', 'found': {self.found}::varchar}}"
        return f"case when {self.condition} then {reason} end"


def _can_fail(cell: Cell) -> bool:
    return cell.required or cell.reader not in ("text", "etat_actif")


def _error(n: int, cell: Cell) -> _Error:
    wrong = f"v{n} is null" if cell.required else f"(v{n} is null and \"{cell.label}\" <> '')"
    return _Error(wrong, cell.label, EXPECTED[cell.reader], f'"{cell.label}"')


def _any(errors: Sequence[_Error]) -> str:
    return " or ".join(error.condition for error in errors) or "false"


def _listed(errors: Sequence[_Error]) -> str:
    """Return the SQL of the list of the errors of a record."""
    return f"list_filter([{', '.join(error.sql for error in errors)}], lambda e: e is not null)" if errors else "null"

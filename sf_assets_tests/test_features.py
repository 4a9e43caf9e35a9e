"""Features use only what was published by the cut-off, by calendar months; models read the features in use."""

import runpy
from dataclasses import replace
from datetime import date

import duckdb
import pytest
from polars.testing import assert_frame_equal

from sf_assets.catalogue.queries import table_query
from sf_assets.clean.tables import TABLES as CLEAN
from sf_assets.engine.queries import read_query
from sf_assets.features import assets as feature_assets
from sf_assets.features import configurations, registry, tables
from sf_assets.features.assets import _spans
from sf_assets.features.configurations import CONFIGURATIONS, IN_USE
from sf_assets.features.queries import feature_query
from sf_assets.features.registry import BY_NAME, FEATURES, NAMES, Feature
from sf_assets.features.tables import LAGS, MATRIX
from sf_assets.features.tables import TABLES as FEATURE_TABLES
from sf_assets.sources.known import KNOWN, define_known_from
from sf_assets.sources.nomenclatures import label_tables
from sf_assets.vocabulary.delays import DELAYS
from sf_assets.vocabulary.parameters import Parameters
from sf_assets.vocabulary.partitions import add_months, cutoff_of
from sf_assets_dev.synthetic import write_batch
from sf_assets_tests import plain
from sf_assets_tests.later import rewrite_later, rewritten, split

BATCH = date(2024, 6, 1)
MONTH = date(2023, 3, 1)
CUTOFF = cutoff_of(MONTH)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A small synthetic batch with its clean tables and the features of `MONTH`, as a database file that tests copy."""
    folder = tmp_path_factory.mktemp("world")
    staged = plain.staged_world(folder, BATCH, companies=250, others=True)
    with plain.connect(staged) as connection:
        label_tables.load(connection)
        _rows(connection)
    return staged


@pytest.fixture
def copy(world, tmp_path):
    with plain.copied(world, tmp_path) as connection:
        yield connection


def _rows(connection, first=MONTH, last=MONTH):
    plain.clean(connection, BATCH)
    plain.features(connection, first, last, delivered=BATCH)
    return _stored(connection)


def _stored(connection):
    """Return the features of the month as they were computed last."""
    matrix = connection.execute("select * from feat_matrix where month = $1 order by siren", [MONTH]).fetchall()
    procedures = connection.execute(
        "select siren, procedure_connue from feat_company_month where month = $1 order by siren", [MONTH]
    ).fetchall()
    return matrix, procedures


def test_the_matrix_has_exactly_the_declared_features(copy):
    columns = [name for (name, *_) in copy.execute("describe feat_matrix").fetchall()]
    assert columns == ["month", "siren", *NAMES] == ["month", *MATRIX.column_names]


def test_every_feature_takes_several_values_somewhere(copy):
    # No synthetic company belongs to a group.
    copy.execute("insert into stg_ellisphere by name select siren, siren[:2] as siren_groupe from stg_filter_import")
    plain.clean(copy, BATCH)
    plain.features(copy, date(2020, 1, 1), BATCH)
    counts = copy.execute(
        f"select {', '.join(f'count(distinct {name})' for name in NAMES)} from feat_matrix"
    ).fetchone()
    assert [name for name, count in zip(NAMES, counts, strict=True) if count < 2] == []


def test_whatever_was_published_after_the_cutoff_changes_nothing_for_any_source(copy):
    before = _stored(copy)
    split(copy, CUTOFF)
    empty = [name for name in KNOWN if not copy.execute(f"select count(*) from after_{name}").fetchone()[0]]
    # The synthetic batch has no such files; the first and the last only serve to read other files.
    assert empty == ["sirene_tranche", "admin_urssaf", "bdf", "retour", "filter"]
    rewrite_later(copy)
    assert _rows(copy) == before


def test_values_published_before_the_cutoff_change_the_features(copy):
    """The same changes before the cut-off must change the features of each source, or the test above proves nothing."""
    before = copy.execute("from feat_matrix where month = $1", [MONTH]).pl()
    split(copy, CUTOFF)
    for name in (name for name in KNOWN if name not in ("sirene", "sirene_ul", "procol", "bodacc", "sirene_histo")):
        if rewritten(name):
            copy.execute(f"update stg_{name} set {rewritten(name)} where rowid in (select row from before_{name})")
    _rows(copy)
    after = copy.execute("from feat_matrix where month = $1", [MONTH]).pl()
    both = before.join(after, on="siren", suffix="_after")
    assert both.height > 100
    changed = {name for name in NAMES if not both[name].equals(both[f"{name}_after"])}
    used = {source for feature in FEATURES for source in feature.sources}
    moved = {source for feature in FEATURES if feature.name in changed for source in feature.sources}
    assert used - moved == {"sirene_histo", "ellisphere"}, (
        "rewriting the register would close every head office; groups were delivered after the cut-off"
    )


# Features of files without days only: a later delivery of them may change the past. A month with a batch of its own is
# computed from that batch, whenever it is computed.
_UNDATED = {"ca_variation12m", "caf_sur_ca", "couverture_des_interets", "taille_groupe"}


def test_later_files_give_the_same_features_as_those_scored(copy, tmp_path):
    write_batch(tmp_path / "2303", month=MONTH, companies=250, seed=3, others=True)
    with duckdb.connect(config={"threads": 1}) as then:
        plain.stage(then, tmp_path, MONTH)
        plain.clean(then, MONTH)
        plain.features(then, MONTH, MONTH)
        scored = then.execute("from feat_matrix order by siren").pl()
        described = then.execute("from feat_company_month order by siren").pl()
    recomputed = copy.execute("from feat_matrix where month = $1 order by siren", [MONTH]).pl()
    assert recomputed["siren"].equals(scored["siren"])
    moved = {name for name in NAMES if not recomputed[name].equals(scored[name])}
    assert moved <= _UNDATED
    again = copy.execute("from feat_company_month where month = $1 order by siren", [MONTH]).pl()
    assert_frame_equal(again.drop("taille_groupe"), described.drop("taille_groupe"))
    # Statements were filed again in between, or the test proves nothing.
    later = "select count(*) from clean_ratios_version where date_publication > $1 and no_ocfi >= '2'"
    assert copy.execute(later, [CUTOFF]).fetchone()[0] > 10


def test_no_query_has_a_publication_delay_of_its_own():
    for layer, declared in (("clean", CLEAN), ("features", (*FEATURE_TABLES, LAGS))):
        for table in declared:
            query = table_query(layer, table.name)
            assert not {name for name in query.parameters if name.endswith(("_months", "_days"))} - {"perimeter_months"}
    # Queries call the same rules as these tests; clean tables call those of procedures and statements.
    text = "".join(feature_query(table.name).text for table in FEATURE_TABLES)
    called = {name for name in KNOWN if f"known_from_{name}(" in text}
    assert called == {
        "sirene", "sirene_ul", "sirene_histo", "effectif_ent", "cotisation", "debit", "delai", "apconso", "apdemande", "paydex",
        "ratios_inpi_bce", "ellisphere",
    }  # fmt: skip


class _Built:
    def months(self, _):
        return [MONTH, add_months(MONTH, 1), BATCH]


def test_a_month_with_a_batch_of_its_own_is_computed_from_it_whatever_came_later():
    months = [MONTH, add_months(MONTH, 1)]
    assert _spans(None, _Built(), months, Parameters()) == [(month, [month]) for month in months]


def test_early_months_that_the_newest_batch_no_longer_tells_of_keep_an_older_one(monkeypatch):
    old, bad, new = (add_months(BATCH, n) for n in (0, 1, 2))
    early, known, late = (add_months(BATCH, -n) for n in (40, 38, 12))
    session = _Built()
    session.months = lambda _: [old, bad, new]
    firsts = {old: early, bad: early, new: known}
    monkeypatch.setattr(feature_assets, "_first_months", lambda *_: firsts)
    monkeypatch.setattr(feature_assets, "_has_passed", lambda _, __, state: state != bad)
    before = add_months(early, -1)  # no batch tells of it: the newest says why
    spans = _spans(None, session, [late, before, early, add_months(early, 1), known], Parameters())
    assert spans == [(new, [before]), (old, [early, add_months(early, 1)]), (new, [known]), (new, [late])]


def _lags(connection):
    plain.clean(connection, BATCH)
    plain.lags(connection, MONTH)
    return connection.execute("from feat_lags order by siren").pl()


def test_a_lag_knows_only_what_its_own_month_knew(copy):
    before = _lags(copy)
    assert before.columns == ["month", *LAGS.column_names]
    for table, known in plain.known_from().items():
        # A company without a head office is not followed at all.
        if table != "stg_sirene":
            copy.execute(f"delete from {table} where {known} > $1", [CUTOFF])
    assert_frame_equal(_lags(copy), before)
    # Values of the last year change the present and its means, and no lag.
    rewritten = {"stg_debit": "part_ouvriere = 1e6", "stg_cotisation": "du = 1e6", "stg_paydex": "paydex = 300"}
    for table, rewriting in rewritten.items():
        known = plain.known_from()[table]
        copy.execute(f"update {table} set {rewriting} where {known} > $1", [cutoff_of(add_months(MONTH, -12))])
    after = _lags(copy)
    past = [name for name in before.columns if "_lag" in name]
    assert_frame_equal(after.select(past), before.select(past))
    assert not after["dette_sociale_ouvriere_mean3m"].equals(before["dette_sociale_ouvriere_mean3m"])
    copy.execute("update stg_debit set part_ouvriere = 1e6, part_patronale = 1e6")
    assert not _lags(copy)["dette_sociale_patronale_lag24m"].equals(before["dette_sociale_patronale_lag24m"])


def test_companies_that_grew_into_the_perimeter_later_are_not_followed_yet(copy):
    before = _stored(copy)
    reached = f"select siren from stg_effectif_ent where effectif_ent >= 10 and {plain.known_from()['stg_effectif_ent']} <= $1"
    (later,) = copy.execute(f"delete from stg_filter_import where siren not in ({reached})", [CUTOFF]).fetchone()
    assert later > 0
    assert _rows(copy) == before


def test_a_month_alone_and_within_a_range_are_the_same(copy):
    assert _stored(copy) == _rows(copy, date(2021, 11, 1), date(2024, 2, 1))


def _one_company(connection):
    """Empty every staging table but the identity of one company that has employed people throughout."""
    (siren,) = connection.execute(
        "select siren from feat_matrix where month = $1 and effectif_variation12m is not null order by siren limit 1",
        [MONTH],
    ).fetchone()
    for table in ("stg_debit", "stg_cotisation", "stg_apdemande", "stg_apconso", "stg_delai", "stg_paydex"):
        connection.execute(f"delete from {table}")
    connection.execute("delete from stg_effectif_ent where siren <> $1", [siren])
    return siren


def _feature(connection, *names):
    _rows(connection)
    return connection.execute(f"select {', '.join(names)} from feat_matrix where month = $1", [MONTH]).fetchone()


def _debit(connection, siren, day, rank, ouvriere, patronale):
    connection.execute(
        """
        insert into stg_debit by name select
            $siren || '00019' as siret, 'D' as debit_id, $day::date as date_traitement, $rank::int as
            numero_historique_ecart_negatif, $po::double as part_ouvriere, $pp::double as part_patronale
        """,
        {"siren": siren, "day": day, "rank": rank, "po": ouvriere, "pp": patronale},
    )


def test_a_debt_is_the_last_state_known_at_each_months_end(copy):
    siren = _one_company(copy)
    _debit(copy, siren, "2022-12-31", 1, 100, 400)
    _debit(copy, siren, "2023-03-01", 2, 60, 240)
    _debit(copy, siren, "2023-04-01", 3, 0, 0)
    names = ("dette_sociale_ouvriere", "dette_sociale_ouvriere_lag1m", "dette_sociale_patronale_lag3m",
             "dette_sociale_patronale_lag6m", "mois_en_dette_12m")  # fmt: skip
    assert _feature(copy, *names) == (60, 100, 400, 0, 4)


def test_mean_contributions_are_over_twelve_calendar_months_with_quarters_spread(copy):
    siren = _one_company(copy)
    copy.execute(
        """
        insert into stg_cotisation
        select $1 || '00019', m::date, (m + interval 1 month)::date, 100
        from generate_series(date '2021-01-01', date '2022-06-01', interval 1 month) t(m)
        union all
        select $1 || '00019', m::date, (m + interval 3 month)::date, 600
        from generate_series(date '2022-07-01', date '2022-10-01', interval 3 month) t(m)
        """,
        [siren],
    )
    # Known at the end of March 2023: monthly ones up to June 2022 fall out of the window from April 2022 on.
    mean, last = _feature(copy, "cotisation_mean12m", "cotisation")
    assert last == pytest.approx(200)
    assert mean == pytest.approx((5 * 100 + 600 + 600) / 12)


def test_contributions_booked_later_do_not_lengthen_the_time_that_a_mean_is_over(copy):
    siren = _one_company(copy)
    booked = "insert into stg_cotisation by name select $1 || '00019' as siret, $2::date as periode_debut, $3::date as "
    copy.execute(f"{booked} periode_fin, 120 as du", [siren, "2023-01-01", "2023-02-01"])
    assert _feature(copy, "cotisation_mean12m") == (120,)
    # A whole year is settled afterwards: until then the company was known to contribute for a month.
    copy.execute(f"{booked} periode_fin, 120 as du", [siren, "2022-05-01", "2023-05-01"])
    assert _feature(copy, "cotisation_mean12m") == (120,)


def test_a_head_count_is_known_three_months_later(copy):
    siren = _one_company(copy)
    copy.execute("update stg_effectif_ent set effectif_ent = 40 where periode = '2022-12-01'")
    copy.execute("update stg_effectif_ent set effectif_ent = 50 where periode = '2021-12-01'")
    copy.execute("update stg_effectif_ent set effectif_ent = 99 where periode > '2022-12-01'")
    assert _feature(copy, "effectif", "effectif_variation12m") == (40, pytest.approx(-0.2))
    assert siren


def test_the_sets_of_features_are_those_of_production_and_their_columns_exist():
    counts = {name: (len(features), len(set(features))) for name, features in CONFIGURATIONS.items()}
    assert counts == {
        "standard": (36, 36),
        "waterfall": (100, 100),
        "in_use": (50, 50),
        "matrix": (len(NAMES), len(NAMES)),
    }
    columns = {*MATRIX.column_names, *LAGS.column_names}
    assert all(set(features) <= columns & set(BY_NAME) for features in CONFIGURATIONS.values())
    assert set(CONFIGURATIONS["standard"]) <= set(NAMES)
    # Lags are declared for the second set only: other sets do not compute them.
    assert set(LAGS.column_names) - {"siren"} == set(CONFIGURATIONS["waterfall"]) - set(NAMES)


def test_a_feature_that_no_list_of_use_names_is_in_no_model(monkeypatch):
    assert [name for name in NAMES if name in IN_USE] == list(IN_USE), "models were learned with features in this order"
    monkeypatch.setattr(registry, "NAMES", (*NAMES, "new_feature"))
    declared = runpy.run_path(configurations.__file__)
    assert declared["IN_USE"] == IN_USE
    assert "new_feature" in declared["CONFIGURATIONS"]["matrix"]
    assert [name for name, names in declared["CONFIGURATIONS"].items() if "new_feature" in names] == ["matrix"]


_FAMILIES = (
    "feat_company_month",
    "feat_effectif",
    "feat_dette",
    "feat_activite_partielle",
    "feat_paiement",
    "feat_comptes",
)


def test_a_feature_is_added_by_its_line_of_the_registry_and_its_expression_alone(copy):
    """Whatever family computes it, or the matrix itself, and no other file is changed."""
    define_known_from(copy, DELAYS, {name: BATCH for name, known in KNOWN.items() if not known.is_dated})
    values = plain.PARAMETERS | {"first": MONTH, "last": MONTH, "shift": 0}
    before = copy.execute("from feat_matrix order by siren").pl()
    new = Feature("essai", "Essai", registry.PROFIL, "count", ("debit",), "a trial", "Essai : {value}")
    for family in _FAMILIES:
        for absent, elsewhere in ((None, None), (0, 0.0)):
            query = feature_query("feat_matrix", features=(*FEATURES, replace(new, absent=absent)))
            with_trial = query.text.replace(f"from {family} ", f"from (select *, 7 as essai from {family}) ").replace(
                f"join {family} as", f"join (select *, 7 as essai from {family}) as"
            )
            assert with_trial != query.text
            copy.execute(f"create or replace table tried as {with_trial}", query.bind_values(values))
            tried = copy.execute("from tried order by siren").pl()
            assert_frame_equal(tried.drop("essai"), before)
            rows = dict(copy.execute(f"select siren, 7.0 from {family} where month = $1", [MONTH]).fetchall())
            assert tried["essai"].to_list() == [rows.get(siren, elsewhere) for siren in tried["siren"]]
    query = feature_query("feat_matrix", features=(*FEATURES, new))
    computed = query.text.replace("    from known", "        , effectif + 1 as essai\n    from known")
    copy.execute(f"create or replace table tried as {computed}", query.bind_values(values))
    assert copy.execute("select bool_and(essai = effectif + 1) from tried").fetchone() == (True,)
    assert "essai" not in IN_USE


class _Folder:
    """A folder of queries that holds one text, whatever the name asked for."""

    def __init__(self, text):
        self.text = text

    def joinpath(self, _):
        return self

    def read_text(self, **_):
        return self.text


def test_a_family_declares_the_features_that_its_query_selects(monkeypatch):
    (paydex,) = (column for column in MATRIX.columns if column.name == "paydex")
    (siren,) = (column for column in MATRIX.columns if column.name == "siren")
    text = "with a as (select month, siren, paydex from clean_paydex) select * from a where month > $first"
    monkeypatch.setattr(tables, "feature_query", lambda name: read_query(_Folder(text), name))
    assert tables._columns_of("feat_paiement", siren) == (siren, paydex)
    with pytest.raises(ValueError, match=r"feat_paiement\.sql: expected columns .*, found siren"):
        tables._columns_of("feat_paiement")
    monkeypatch.setattr(tables, "feature_query", lambda name: read_query(_Folder(text.replace("siren, ", "")), name))
    with pytest.raises(ValueError, match=r"feat_paiement\.sql: expected columns siren, found none"):
        tables._columns_of("feat_paiement", siren)


def test_every_feature_has_a_label_a_reason_and_a_publication_rule():
    for feature in BY_NAME.values():
        assert all(KNOWN[source].describe(DELAYS) for source in feature.sources), feature.name
        assert feature.label, feature.name
        assert feature.reason, feature.name
        places = [place for place in ("{value}", "{evolution}") if place in feature.phrase]
        # The phrase of a flag has no value; any other phrase has the value, or its change, once.
        assert len(places) == (feature.unit != "flag"), feature.name


def test_a_second_or_repeated_head_office_changes_no_count_and_is_the_same_in_every_table(copy):
    chosen = "select siren, siret_siege from feat_company_month where month = $1 order by all"
    before = copy.execute(chosen, [MONTH]).fetchall()
    copy.execute("insert into stg_sirene from stg_sirene where siege using sample 20 rows (reservoir, 1)")
    copy.execute(
        "insert into stg_sirene by name select * replace (siren || '99999' as siret, date '2023-01-01' as date_creation) "
        "from stg_sirene where siege and siren[9] in ('1', '5', '9')"
    )
    _rows(copy)
    after = copy.execute(chosen, [MONTH]).fetchall()
    assert [siren for siren, _ in after] == [siren for siren, _ in before]
    assert any(siret.endswith("99999") for _, siret in after)
    # Before a head office was created, the month has the establishment that stood for it, and the register has today's.
    others = """
        select ul.siren, ul.siret_siege
        from clean_sirene_ul as ul
        join feat_company_month as c on ul.siren = c.siren and c.month = $1
        where ul.siret_siege in (select siret from clean_sirene where known_from_sirene(date_creation) <= $2)
    """
    registered = dict(copy.execute(others, [MONTH, CUTOFF]).fetchall())
    assert len(registered) > 50
    assert {siren: siret for siren, siret in after if siren in registered} == registered

"""Clean tables of debts and collective procedures. Comments give the numbers of the specification's traps."""

from datetime import date

import pytest
from clean_world import OTHER, SIRET, World, fresh_world

world = pytest.fixture(fresh_world, name="world")


# ---- debts

DEBIT = (
    "siret debit_id numero_historique_ecart_negatif date_traitement periode_prise_en_compte "
    "part_ouvriere part_patronale"
)


def test_a_debt_is_the_running_sum_of_its_events(world):  # traps 37, 38, 40, 41
    world.add(
        "stg_debit", DEBIT,
        (SIRET, "D1", 1, "2024-01-25", "2024-02-01", 100, 400), (SIRET, "D1", 2, "2024-02-10", "2024-02-01", 60, 240),
        (SIRET, "D2", 1, "2024-04-03", "2024-04-01", 10, 20), (SIRET, "D1", 3, "2024-05-28", "2024-06-01", 0, 0),
        (OTHER, "D3", 1, "2019-01-01", "2019-01-01", 5, 0), (OTHER, "D3", 2, "2019-02-01", "2019-02-01", 0, 0),
    )  # fmt: skip
    assert world.rows("clean_debit") == [
        (SIRET, "2024-02-01", 60, 240, False),
        (SIRET, "2024-04-01", 70, 260, False),
        (SIRET, "2024-06-01", 10, 20, True),
        (OTHER, "2019-01-01", 5, 0, False),
        (OTHER, "2019-02-01", 0, 0, True),
    ]


def test_a_debt_counts_from_its_processing_month_not_from_its_contribution_month(world):  # trap 37
    world.add(
        "stg_debit", DEBIT + " periode_debut periode_fin",
        (SIRET, "D1", 1, "2024-02-21", "2024-03-01", 1250, 800.5, "2023-10-01", "2023-11-01"),
    )  # fmt: skip
    assert world.rows("clean_debit") == [(SIRET, "2024-03-01", 1250, 800.5, True)]


def test_an_event_without_history_number_replaces_the_others_of_its_month(world):  # trap 39
    world.add(
        "stg_debit", DEBIT,
        (SIRET, "D1", 9, "2024-02-10", "2024-02-01", 1, 1), (SIRET, "D1", None, "2024-02-03", "2024-02-01", 2, 2),
    )  # fmt: skip
    assert world.rows("clean_debit", "part_ouvriere") == [(2,)]


def test_events_of_the_same_number_are_ordered_by_day_then_by_amount(world):
    world.add(
        "stg_debit", DEBIT,
        (SIRET, "D1", 1, "2024-02-10", "2024-02-01", 1, 9), (SIRET, "D1", 1, "2024-02-03", "2024-02-01", 50, 50),
        (SIRET, "D1", 1, "2024-02-10", "2024-02-01", 8, 3),
    )  # fmt: skip
    assert world.rows("clean_debit", "part_ouvriere, part_patronale") == [(8, 3)]


def test_debts_of_two_accounts_of_an_establishment_are_separate(world):  # trap 61
    world.add(
        "stg_debit", DEBIT,
        (SIRET, f"{SIRET}-A-101", 1, "2024-02-10", "2024-02-01", 100, 0),
        (SIRET, f"{SIRET}-B-101", 2, "2024-02-10", "2024-02-01", 30, 0),
    )  # fmt: skip
    assert world.rows("clean_debit", "part_ouvriere") == [(130,)]


def test_debts_equal_the_definition_by_joins_to_the_cent(world):
    world.connection.execute("""
        insert into stg_debit by name
        select
            '4000000010001' || draw(i, 1, 4) as siret,
            'D' || draw(i, 2, 5) as debit_id,
            nullif(draw(i, 3, 4), 0) as numero_historique_ecart_negatif,
            date '2024-01-01' + cast(i % 28 as integer) as date_traitement,
            make_date(2024, 1 + draw(i, 4, 12), 1) as periode_prise_en_compte,
            draw(i, 5, 1000000) / 100 as part_ouvriere,
            draw(i, 6, 1000000) / 100 as part_patronale
        from range(400) as r (i)
    """)
    expected = world.connection.execute("""
        with simple as (
            select * from stg_debit
            qualify row_number() over (
                partition by siret, debit_id, periode_prise_en_compte
                order by numero_historique_ecart_negatif desc nulls first, date_traitement desc,
                    part_ouvriere + part_patronale desc
            ) = 1
        ),
        asked as (select distinct siret, periode_prise_en_compte as periode from simple)
        select siret, periode, sum(part_ouvriere), sum(part_patronale)
        from (
            select a.siret, a.periode, s.part_ouvriere, s.part_patronale
            from asked as a join simple as s on a.siret = s.siret and s.periode_prise_en_compte <= a.periode
            qualify row_number() over (
                partition by a.siret, a.periode, s.debit_id order by s.periode_prise_en_compte desc
            ) = 1
        )
        group by all order by all
    """).fetchall()
    rows = world.rows("clean_debit", "siret, periode, part_ouvriere, part_patronale")
    assert len(rows) == len(expected) > 40
    for row, wanted in zip(rows, expected, strict=True):
        assert row[:2] == (wanted[0], wanted[1].isoformat())
        assert row[2:] == pytest.approx(wanted[2:], abs=1e-6)


# ---- procedures

PROCOL = "siret date_effet action_procol stade_procol"


def _procedures(world: World, *steps: tuple[str, str, str | None, str | None]) -> None:
    if steps:
        world.add("stg_procol", PROCOL, *((siren + "00011", *step) for siren, *step in steps))
    world.build("clean_procol")
    world.build("clean_procol_episode")


def _months(world: World, siren: str) -> list[tuple[object, ...]]:
    """Return (label, first month, last month, months) of each situation of a company."""
    world.build("clean_procol_at_date")
    query = """
        select libelle_procol, strftime(min(periode), '%Y-%m'), strftime(max(periode), '%Y-%m'), count(*)
        from clean_procol_at_date where siren = ? group by all order by 2
    """
    return world.connection.execute(query, [siren]).fetchall()


def test_steps_are_by_company_and_leave_out_administrative_closings(world):  # traps 47, 51, 52
    world.add(
        "stg_procol", PROCOL,
        ("40000000100011", "2024-01-15", "liquidation", "ouverture"),
        ("40000000100029", "2024-01-15", "liquidation", "ouverture"),
        ("40000000100011", "2024-02-15", "liquidation", "solde_procedure"),
        ("40000000100011", "2024-03-15", "liquidation", None),
        ("40000000100011", "2024-04-15", None, None),
        ("40000000100011", "2024-05-15", "liquidation", "fin_procedure"),
    )  # fmt: skip
    assert world.rows("clean_procol") == [
        ("400000001", "2024-01-15", "liquidation", "ouverture", "Liquidation judiciaire"),
        ("400000001", "2024-03-15", "liquidation", None, "Liquidation judiciaire"),
        ("400000001", "2024-04-15", None, None, None),
        ("400000001", "2024-05-15", "liquidation", "fin_procedure", "In bonis"),
    ]


@pytest.mark.parametrize(
    ("action", "stade", "libelle"),
    [
        ("redressement", "plan_continuation", "Plan de redressement"),
        ("redressement", "ouverture", "Redressement judiciaire"),
        ("liquidation", "plan_continuation", "Liquidation judiciaire"),
        ("sauvegarde", "plan_continuation", "Plan de sauvegarde"),
        ("sauvegarde", "abandon_procedure", "Sauvegarde"),
        ("preliquidation", "ouverture", None),
        (None, "fin_procedure", "In bonis"),
    ],
)
def test_a_step_is_named_by_its_action_and_stage(world, action, stade, libelle):
    world.add("stg_procol", PROCOL, (SIRET, "2024-01-15", action, stade))
    assert world.rows("clean_procol", "libelle_procol") == [(libelle,)]


def test_the_state_of_a_month_is_the_state_on_its_first_day(world):  # traps 47, 48, 50
    _procedures(
        world,
        ("400000001", "2013-04-01", "redressement", "plan_continuation"),
        ("400000001", "2024-01-15", "liquidation", "ouverture"),
        ("400000005", "2019-02-02", "sauvegarde", "ouverture"),
        ("400000005", "2019-12-15", "sauvegarde", "plan_continuation"),
        ("400000005", "2021-06-02", "sauvegarde", "fin_procedure"),
        ("400000008", "2020-03-10", "redressement", "ouverture"),
        ("400000008", "2020-09-01", "liquidation", "inclusion_autre_procedure"),
        ("400000009", "2020-05-01", "liquidation", "ouverture"),
        ("400000009", "2022-05-01", "liquidation", "cloture_insuffisance_actif"),
        ("400000009", "2022-06-01", "liquidation", "solde_procedure"),
    )
    assert _months(world, "400000001") == [
        ("Plan de redressement", "2016-01", "2023-03", 87),
        ("Liquidation judiciaire", "2024-02", "2024-06", 5),
    ]
    assert _months(world, "400000005") == [
        ("Sauvegarde", "2019-03", "2019-12", 10),
        ("Plan de sauvegarde", "2020-01", "2021-06", 18),
    ]
    assert _months(world, "400000008") == [("Redressement judiciaire", "2020-04", "2024-06", 51)]
    assert _months(world, "400000009") == [("Liquidation judiciaire", "2020-05", "2024-06", 50)]


@pytest.mark.parametrize(
    ("day", "last"), [("2014-05-01", "2024-04"), ("2014-05-02", "2024-05"), ("2014-04-02", "2024-04")]
)
def test_a_plan_ends_ten_calendar_years_after_its_date(world, day, last):  # trap 49, as deviation B10 has it
    _procedures(world, ("400000001", day, "sauvegarde", "plan_continuation"))
    assert _months(world, "400000001")[0][2] == last


def test_after_a_closed_procedure_only_another_kind_still_open_has_rows(world):  # trap 48
    _procedures(
        world,
        ("400000001", "2020-01-10", "sauvegarde", "ouverture"),
        ("400000001", "2020-02-10", "liquidation", "ouverture"),
        ("400000001", "2020-03-10", "liquidation", "cloture_insuffisance_actif"),
        ("400000001", "2020-04-10", "liquidation", "fin_procedure"),
    )
    world.build("clean_procol_at_date")
    rows = world.connection.execute("select libelle_procol from clean_procol_at_date order by periode").fetchall()
    labels = [label for (label,) in rows]
    assert labels[:4] == ["Sauvegarde", "Liquidation judiciaire", "Liquidation judiciaire", "Sauvegarde"]


@pytest.mark.parametrize(
    ("stages", "winner"),
    [
        (("ouverture", "fin_procedure"), None),
        (("plan_continuation", "inclusion_autre_procedure"), None),
        (("ouverture", "plan_continuation"), "plan_continuation"),
        (("ouverture", "abandon_procedure"), "abandon_procedure"),
        (("ouverture", "prorogation"), "prorogation"),
        (("cloture_insuffisance_actif", "abandon_procedure"), "abandon_procedure"),
        ((None, "abandon_procedure"), "abandon_procedure"),
    ],
)
def test_of_two_stages_on_one_day_the_later_in_a_procedure_counts(world, stages, winner):  # deviation B11
    for order in (stages, stages[::-1]):
        world.connection.execute("delete from stg_procol")
        _procedures(world, *(("400000001", "2024-05-15", "redressement", stage) for stage in order))
        assert world.rows("clean_procol_at_date", "stade_procol") == ([(winner,)] if winner else [])


def test_an_unnamed_procedure_has_a_row_only_when_no_named_one_is_in_progress(world):
    _procedures(world, ("400000001", "2024-01-15", None, None), ("400000001", "2024-04-15", "sauvegarde", "ouverture"))
    assert _months(world, "400000001") == [(None, "2024-02", "2024-04", 3), ("Sauvegarde", "2024-05", "2024-06", 2)]


def test_states_equal_the_definition_day_by_day(world):
    world.connection.execute("""
        insert into stg_procol by name
        select
            '40000000' || draw(i, 1, 8) || '00011' as siret,
            make_date(
                2004 + draw(i, 2, 21), 1 + draw(i, 3, 12), [1, 2, 15, 28][1 + draw(i, 4, 4)]
            ) as date_effet,
            ['liquidation', 'redressement', 'sauvegarde', null][1 + draw(i, 5, 4)] as action_procol,
            ['ouverture', 'plan_continuation', 'fin_procedure', 'inclusion_autre_procedure', 'abandon_procedure',
                null][1 + draw(i, 6, 6)] as stade_procol
        from range(60) as r (i)
    """)
    _procedures(world)
    expected = world.connection.execute("""
        with days as (
            select cast(d as date) as periode
            from generate_series(timestamp '2016-01-01', timestamp '2024-06-01', interval 1 month) as s (d)
        ),
        latest as (
            select * from days join clean_procol on date_effet <= periode
            qualify row_number() over (
                partition by siren, periode, action_procol
                order by date_effet desc, list_position(['fin_procedure', 'inclusion_autre_procedure',
                    'plan_continuation', 'abandon_procedure', null, 'ouverture'], stade_procol)
            ) = 1
        )
        select siren, periode, date_effet, action_procol, stade_procol, libelle_procol
        from latest
        where coalesce(stade_procol, '') not in ('fin_procedure', 'inclusion_autre_procedure')
            and not (coalesce(stade_procol, '') = 'plan_continuation' and date_effet + interval 10 year <= periode)
        qualify row_number() over (
            partition by siren, periode
            order by coalesce(list_position(['liquidation', 'redressement', 'sauvegarde'], action_procol), 4)
        ) = 1
        order by all
    """).fetchall()
    rows = world.rows("clean_procol_at_date")
    assert len(rows) > 300
    assert rows == [tuple(c.isoformat() if isinstance(c, date) else c for c in row) for row in expected]

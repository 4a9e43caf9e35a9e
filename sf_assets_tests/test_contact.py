"""Addresses and activities of listed companies: those of the register, and no others."""

from types import SimpleNamespace
from typing import Any, cast

import duckdb
import polars as pl
import pytest

from sf_assets.engine.storage import Session
from sf_assets.lists.contact import with_contact

LISTED = pl.DataFrame({"siren": ["000000001", "999999999"], "siret_siege": ["00000000100019", None]})


@pytest.fixture
def register() -> Any:
    """A register of a million units, in a memory that holds it once."""
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(
            """
            create table clean_sirene as
            select lpad(i::varchar, 9, '0') || '00019' as siret, 'rue ' || i as adresse from range(1_000_000) as t(i)
            """
        )
        connection.execute(
            """
            create table clean_sirene_ul as
            select lpad(i::varchar, 9, '0') as siren, 'activité ' || i as libelle_activite_principale
            from range(1_000_000) as t(i)
            """
        )
        yield connection


def test_listed_companies_get_their_address_and_activity_and_unknown_ones_none(register: Any) -> None:
    found = with_contact(cast("Session", SimpleNamespace(connection=register)), LISTED)
    assert found.drop("siren", "siret_siege").rows() == [("rue 1", "activité 1"), (None, None)]


def test_the_rest_of_the_register_stays_in_the_engine(register: Any) -> None:
    """A list of 20,000 companies took 12 GB beside the country's register, of which it needs 20,000 rows."""
    fetched = []

    class Counted:
        def execute(self, query: str) -> Any:
            fetched.append(register.execute(f"select count(*) from ({query})").fetchall()[0][0])
            return register.execute(query)

        def __getattr__(self, name: str) -> Any:
            return getattr(register, name)

    with_contact(cast("Session", SimpleNamespace(connection=Counted())), LISTED)
    assert fetched == [1, 1]

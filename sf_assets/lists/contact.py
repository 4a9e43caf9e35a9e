"""What an officer needs to find a company: the address of its head office and the name of its activity."""

import polars as pl

from sf_assets.engine.storage import Session

# Tables of the batch that a list reads besides features and scores.
READS = ("clean_sirene", "clean_sirene_ul")

# The register is that of the country: only the rows of listed companies leave the engine.
_LISTED = "listed companies"
_ADDRESSES = (
    "select siret as siret_siege, any_value(adresse) as adresse from clean_sirene "
    f'where siret in (select siret_siege from "{_LISTED}") group by siret'
)
_ACTIVITIES = (
    f'select siren, libelle_activite_principale from clean_sirene_ul where siren in (select siren from "{_LISTED}")'
)


def with_contact(session: Session, alerts: pl.DataFrame) -> pl.DataFrame:
    """Return the alerts with `adresse` and `libelle_activite_principale`, NULL where the register has none.

    The tables of `READS` are bound to their month in the session.
    """
    session.connection.register(_LISTED, alerts.select("siren", "siret_siege").to_arrow())
    addresses, activities = (session.connection.execute(query).pl() for query in (_ADDRESSES, _ACTIVITIES))
    session.connection.unregister(_LISTED)
    return alerts.join(addresses, on="siret_siege", how="left", maintain_order="left").join(
        activities, on="siren", how="left", maintain_order="left"
    )

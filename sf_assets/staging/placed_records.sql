-- Typed records with the establishment that their account belonged to on a day.
select valued.* replace (accounts.siret as {siret}, coalesce(accounts.siret, '') as {label})  -- noqa: AM04
from valued
asof left join accounts on valued.{account} = accounts.compte and valued.{day} < accounts.date_disparition

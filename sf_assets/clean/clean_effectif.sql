-- One row is the head-count of one account of an establishment in one month (rules §6.5). Accounts are not added up:
-- one establishment may have several rows for a month, and several latest rows.
with derniers as (
    select siret, max(periode) as periode
    from stg_effectif
    group by siret
)

select
    stg_effectif.siret,
    stg_effectif.periode,
    stg_effectif.effectif,
    stg_effectif.periode = derniers.periode as is_latest
from stg_effectif
inner join derniers on stg_effectif.siret = derniers.siret
where left(stg_effectif.siret, 9) not in (select siren from siren_blacklist)

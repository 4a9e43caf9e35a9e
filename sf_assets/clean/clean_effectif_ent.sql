-- One row is the head-count of one company in one month (rules §6.5).
with derniers as (
    select siren, max(periode) as periode
    from stg_effectif_ent
    group by siren
)

select
    stg_effectif_ent.siren,
    stg_effectif_ent.periode,
    stg_effectif_ent.effectif_ent,
    stg_effectif_ent.periode = derniers.periode as is_latest
from stg_effectif_ent
inner join derniers on stg_effectif_ent.siren = derniers.siren
where stg_effectif_ent.siren not in (select siren from siren_blacklist)

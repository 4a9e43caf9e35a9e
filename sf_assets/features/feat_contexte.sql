-- One row is one sector, territory or legal form, and month: the number of companies followed at the cut-off or that
-- failed in the twelve months before, and the share that failed. A failure counts from the publication of its opening
-- until its correction, and only for companies whose head-count was known to reach the minimum, so that a month uses
-- only what was known at its cut-off. The rate of a small group is drawn towards the national rate, as if 200 companies
-- failing at the national rate belonged to each group.
with months as (
    select
        cast(month as date) as month,
        cast(last_day(cast(month as date)) + $shift as date) as cutoff
    from generate_series($first::date, $last::date, interval 1 month) as s (month)
),

reached as (
    select siren, min(day) as since
    from (
        -- Either head-counts or bands are outside the deployment, and empty.
        select siren, known_from_effectif_ent(periode) as day from clean_effectif_ent where effectif_ent >= $minimum
        union all
        select siren, connue_le as day from clean_tranche where effectif_minimum >= $minimum
    ) as days
    group by siren
),

failed as (
    select distinct months.month, p.siren
    from months
    join clean_procedure as p
        on p.date_publication <= months.cutoff
        and p.date_publication > months.cutoff - interval 12 month
        and (p.date_retrait is null or p.date_retrait > months.cutoff)
    join reached on p.siren = reached.siren and reached.since <= months.cutoff
    join clean_filter as f on p.siren = f.siren
    where p.stade_procol = 'ouverture' and p.action_procol in ('redressement', 'liquidation')
),

companies as (
    select
        month,
        coalesce(c.naf_section, ul.naf_section) as section,
        coalesce(c.departement, ul.departement) as departement,
        coalesce(c.forme, left(ul.categorie_juridique, 2)) as forme,
        count(*) as entreprises,
        count(defaillante) as defaillantes
    from (select month, siren, naf_section, departement, left(categorie_juridique, 2) as forme from feat_company_month) as c
    full join (select month, siren, siren as defaillante from failed) as failed using (month, siren)
    left join clean_sirene_ul as ul using (siren)
    group by all
),

groups as (
    select month, 'section' as axe, section as code, entreprises, defaillantes from companies
    union all
    select month, 'departement', departement, entreprises, defaillantes from companies
    union all
    select month, 'forme', forme, entreprises, defaillantes from companies
),

counted as (
    select
        month,
        axe,
        code,
        cast(sum(entreprises) as bigint) as entreprises,
        cast(sum(defaillantes) as bigint) as defaillantes
    from groups
    group by all
)

select
    month,
    axe,
    code,
    entreprises,
    defaillantes,
    (defaillantes + 200 * sum(defaillantes) over country / sum(entreprises) over country) / (entreprises + 200)
        as taux_defaillance
from counted
where code is not null
window country as (partition by month, axe)

-- One row is one company of the perimeter that employed people and was active at the month's cut-off, with what was then
-- known of it. A company is followed while its last known head-count is less than six months older than the newest that
-- could be known, and while the register says that its seat is open.
with months as (
    select
        cast(month as date) as month,
        cast(last_day(cast(month as date)) + $shift as date) as cutoff
    from generate_series($first::date, $last::date, interval 1 month) as s (month)
),

seats as (
    select siren, siret, code_commune, departement, region, libelle_region, ape, naf_section
    from clean_sirene
    where siege
    qualify row_number() over (partition by siren order by est_actif desc, siret) = 1
),

closed as (
    select seats.siren, months.month
    from months, seats
    join clean_sirene_histo as h using (siret)
    group by all
    having
        count(*) filter (coalesce(h.date_debut, '1900-01-01') <= months.cutoff) > 0
        and not bool_or(
            h.est_actif
            and coalesce(h.date_debut, '1900-01-01') <= months.cutoff
            and coalesce(h.date_fin, '9999-12-31') >= months.cutoff
        )
),

in_procedure as (
    select p.siren, months.month, arg_max(p.libelle_procol, p.date_debut) as procedure_connue
    from months
    join clean_procol_episode as p
        on p.libelle_procol is not null
        and p.date_debut + $procol_days <= months.cutoff
        and (p.date_fin is null or p.date_fin + $procol_days > months.cutoff)
    group by all
)

select
    months.month,
    f.siren,
    ul.raison_sociale,
    seats.siret as siret_siege,
    seats.code_commune,
    seats.departement,
    seats.libelle_region,
    coalesce(ul.activite_principale, seats.ape) as code_naf,
    coalesce(ul.naf_section, seats.naf_section) as naf_section,
    p.procedure_connue,
    date_diff('day', ul.creation, months.cutoff) / 365.25 as age_entreprise
from months
join feat_effectif as e on months.month = e.month and e.effectif > 0
join clean_filter as f on e.siren = f.siren
left join clean_sirene_ul as ul on f.siren = ul.siren
left join seats on f.siren = seats.siren
left join in_procedure as p on f.siren = p.siren and months.month = p.month
where
    (ul.creation is null or ul.creation <= months.cutoff)
    and not exists (select 1 from closed where closed.siren = f.siren and closed.month = months.month)

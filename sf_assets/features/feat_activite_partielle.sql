-- One row is one company and month, with short-time work in the year before: hours consumed in the newest month known
-- at the cut-off; hours authorised for the month itself by demands decided by then (spread over days, reasons 1 to 5);
-- hours consumed over twelve months. A company without such hours has no row.
with consumed as (
    select
        siren,
        cast(date_trunc('month', known_from_apconso(periode) - $shift) as date) as month,
        -- A sum of decimals does not depend on the order of rows; a sum of floating numbers does.
        cast(sum(cast(heures_consommees as decimal(30, 4))) as double) as consommees
    from clean_ap
    where date_trunc('month', known_from_apconso(periode) - $shift)
        between $first::date - interval 11 month and $last::date
    group by all
),

versions as (
    -- Until the day of a new decision, the former decision of the demand counts.
    select
        *,
        known_from_apdemande(date_statut) as known_from,
        case
            when id_demande is not null
                then lead(known_from_apdemande(date_statut)) over (partition by id_demande order by date_statut)
        end as known_until
    from stg_apdemande
),

demands as (
    select
        substr(siret, 1, 9) as siren,
        periode_debut,
        periode_fin,
        heures / (date_diff('day', periode_debut, periode_fin) + 1) as par_jour,
        unnest(generate_series(
            greatest(
                date_trunc('month', periode_debut)::date,
                date_trunc('month', known_from - $shift)::date,
                $first::date
            ),
            least(
                date_trunc('month', periode_fin)::date,
                (date_trunc('month', known_until - $shift) - interval 1 month)::date,
                $last::date
            ),
            interval 1 month
        ))::date as month
    from versions
    where motif_recours < 6 and heures is not null and periode_fin >= periode_debut
),

authorised as (
    select
        siren,
        month,
        cast(sum(cast(par_jour * (
            date_diff('day', greatest(periode_debut, month), least(periode_fin, last_day(month))) + 1
        ) as decimal(30, 4))) as double) as autorisees
    from demands
    group by all
),

panel as (
    select c.siren, cast(s.month as date) as month
    from (select siren from consumed union select siren from authorised) as c,
        generate_series(cast($first::date - interval 11 month as date), $last::date, interval 1 month) as s (month)
),

summed as (
    select
        month,
        siren,
        coalesce(consumed.consommees, 0) as ap_heures_consommees,
        coalesce(authorised.autorisees, 0) as ap_heures_autorisees,
        coalesce(sum(consumed.consommees) over (partition by siren order by month rows 11 preceding), 0)
            as ap_heures_consommees_12m
    from panel
    left join consumed using (siren, month)
    left join authorised using (siren, month)
)

select *
from summed
where
    month between $first::date and $last::date
    -- The panel holds companies of the whole range: a month keeps those it has hours of.
    and (ap_heures_consommees <> 0 or ap_heures_autorisees <> 0 or ap_heures_consommees_12m <> 0)

-- One row is one establishment and period of short-time work, authorised or consumed (rules §6.1). Consumption keeps
-- its delivered day, which may fall inside a month. `etp_autorise` repeats the whole demand on each of its months, as
-- the application expects; `heures_autorisees` spreads the demand over its days, for reasons 1 to 5 (deviation B14,
-- §9.9).
with demandes as (
    select
        siret,
        periode_debut,
        periode_fin,
        heures,
        motif_recours,
        cast(unnest(generate_series(
            date_trunc('month', periode_debut), date_trunc('month', periode_fin), interval 1 month
        )) as date) as periode
    from stg_apdemande
    -- Of a demand decided several times, the last decision counts; a record without a number is a demand of its own.
    qualify id_demande is null or row_number() over (partition by id_demande order by date_statut desc) = 1
),

evenements as (
    select
        demandes.siret,
        demandes.periode,
        coalesce(demandes.heures, 0) / 151.67 as etp_autorise,
        0 as etp_consomme,
        1 << labels.id as motif,
        false as is_last,
        -- A demand whose last day comes before its first one has no day, even within one month.
        case
            when demandes.motif_recours < 6 and demandes.periode_debut <= demandes.periode_fin
                then
                    coalesce(demandes.heures, 0)
                    * (
                        least(demandes.periode_fin, last_day(demandes.periode))
                        - greatest(demandes.periode_debut, demandes.periode) + 1
                    )
                    / (demandes.periode_fin - demandes.periode_debut + 1)
            else 0
        end as heures_autorisees,
        0 as heures_consommees
    from demandes
    left join labels_motif_recours as labels on demandes.motif_recours = labels.id
    union all
    select
        siret,
        periode,
        0,
        coalesce(heures, 0) / 151.67,
        null,
        periode = (select max(periode) from stg_apconso),
        0,
        coalesce(heures, 0)
    from stg_apconso
),

-- A sum of decimals does not depend on the order of rows; a sum of floating numbers does. Reasons are added up as bits: a
-- list of texts for each of the millions of groups would not fit into the memory of a session.
sommes as (
    select
        siret,
        periode,
        cast(sum(cast(etp_autorise as decimal(38, 9))) as double) as etp_autorise,
        cast(sum(cast(etp_consomme as decimal(38, 9))) as double) as etp_consomme,
        bit_or(motif) as motifs,
        bool_or(is_last) as is_last,
        cast(sum(cast(heures_autorisees as decimal(38, 9))) as double) as heures_autorisees,
        cast(sum(cast(heures_consommees as decimal(38, 9))) as double) as heures_consommees
    from evenements
    where left(siret, 9) not in (select siren from siren_blacklist)
    group by siret, periode
),

motifs_recours as (
    select
        sommes.motifs,
        string_agg(distinct labels.label, '; ' order by labels.label) as motif_recours
    from (select distinct motifs from sommes) as sommes
    inner join labels_motif_recours as labels on (sommes.motifs >> labels.id) & 1 = 1
    group by sommes.motifs
)

select
    sommes.siret,
    left(sommes.siret, 9) as siren,
    sommes.periode,
    sommes.etp_autorise,
    sommes.etp_consomme,
    motifs_recours.motif_recours,
    sommes.is_last,
    sommes.heures_autorisees,
    sommes.heures_consommees
from sommes
left join motifs_recours on sommes.motifs = motifs_recours.motifs

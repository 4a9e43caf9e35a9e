-- One row is one company of the month with the signals that expert rules vote on, as known on $cutoff; a signal that cannot
-- be computed is false. The rules of 2022-2024 named calendar months: here the same spans end at the cut-off. Source:
-- rules §12.5.
with decided as (
    -- A demand may be decided several times: only the last decision known at the cut-off is used.
    select *
    from stg_apdemande
    where date_statut <= $cutoff::date
    qualify id_demande is null or row_number() over (partition by id_demande order by date_statut desc) = 1
),

demands as (
    -- Reasons 6 and 7 are not about a lack of activity.
    select
        siret,
        greatest(periode_debut, cast($cutoff::date - interval 12 month as date)) as debut,
        least(periode_fin, $cutoff::date) as fin
    from decided
    where
        motif_recours < 6
        and periode_debut <= $cutoff::date
        and periode_fin > $cutoff::date - interval 12 month
),

uncovered as (
    -- A demand starts where the previous ones of its establishment end, so that a day is counted once. The last day is excluded.
    select
        siret,
        fin,
        greatest(debut, coalesce(max(fin) over earlier, debut)) as debut
    from demands
    window earlier as (partition by siret order by debut, fin rows between unbounded preceding and 1 preceding)
),

requested as (
    select substr(siret, 1, 9) as siren, max(jours) as jours
    from (
        select siret, sum(greatest(date_diff('day', debut, fin), 0)) as jours
        from uncovered
        group by siret
    ) as by_establishment
    group by substr(siret, 1, 9)
),

returns as (
    select
        siren,
        m_tva_bi_b0979_ca,
        date_diff('day', date_deb_tva, date_fin_tva) as jours,
        date_deb_tva >= $cutoff::date - interval 15 month and date_fin_tva <= $cutoff::date - interval 3 month as is_recent,
        date_deb_tva >= $cutoff::date - interval 51 month and date_fin_tva <= $cutoff::date - interval 39 month as is_former
    from clean_tva
    where date_depot <= $cutoff::date
    -- A return filed again replaces the earlier one: for each period, the last deposit known at the cut-off is used.
    qualify row_number() over (
        partition by siren, date_deb_tva, date_fin_tva order by date_depot desc, m_tva_bi_b0979_ca desc
    ) = 1
),

turnover as (
    select
        siren,
        sum(m_tva_bi_b0979_ca) filter (is_recent) >= 0.8 * sum(m_tva_bi_b0979_ca) filter (is_former)
        and abs(sum(jours) filter (is_recent) - sum(jours) filter (is_former)) <= 5 as is_stable
    from returns
    group by siren
),

debts as (
    select
        siren,
        dette_sociale_ouvriere + dette_sociale_patronale as now,
        dette_sociale_ouvriere_lag3m + dette_sociale_patronale_lag3m as recent,
        dette_sociale_ouvriere_lag12m + dette_sociale_patronale_lag12m as old,
        nullif(greatest(cotisation_mean12m, 0), 0) as contribution
    from feat_matrix
)

select
    m.siren,
    coalesce(d.old / d.contribution / 12 > 0.1, false) as dette_urssaf_ancienne_significative,
    coalesce(d.old > 0 and d.now / d.old < 0.1, false) as diminution_dette_urssaf_ancienne,
    coalesce((d.now - d.recent) / d.contribution / 12 > 0.1, false) as augmentation_dette_urssaf_recente,
    coalesce(requested.jours > 240, false) as demande_activite_partielle_elevee,
    coalesce(m.dette_nette_sur_caf > 4, false) as solvabilite_faible,
    coalesce(m.ebe_sur_ca < 0 and turnover.is_stable, false) as rentabilite_faible,
    coalesce(m.k_propres_sur_k_social < 0, false) as k_propres_negatifs
from feat_matrix as m
join debts as d using (siren)
left join requested using (siren)
left join turnover using (siren)

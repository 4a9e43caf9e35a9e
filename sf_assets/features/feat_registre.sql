-- One row is one company followed and month, with what open data alone say of it at the cut-off: its establishments, the
-- deposits of its accounts and their ratios, its earlier procedures. Ratios come from the newest public accounts closed
-- less than two years before. Accounts that a company does not deposit are never known: an expected deposit is missing
-- three months after accounts closed one year after the last known ones would have been known.
with months as (
    select
        cast(month as date) as month,
        cast(last_day(cast(month as date)) + $shift as date) as cutoff
    from generate_series($first::date, $last::date, interval 1 month) as s (month)
),

states as (
    -- A state lasts until the next one starts; of two states that start the same day, the open one counts.
    select
        siret,
        left(siret, 9) as siren,
        known_from_sirene_histo(date_debut) as since,
        bool_or(est_actif) as est_actif,
        lead(since, 1, '9999-12-31') over (partition by siret order by since) as until,
        row_number() over (partition by siret order by since) = 1 as is_first
    from clean_sirene_histo
    group by siret, since
),

places as (
    select siret, min(departement) as departement
    from clean_sirene
    -- The register is ninety times as large as the perimeter, whose periods are here.
    where siret in (select siret from states)
    group by siret
),

establishments as (
    select
        months.month,
        states.siren,
        count(*) filter (states.est_actif and states.until > months.cutoff) as etablissements,
        count(distinct places.departement) filter (states.est_actif and states.until > months.cutoff)
            as departements_etablissements,
        count(*) filter (states.est_actif and states.since > months.cutoff - interval 24 month) as ouvertures_24m,
        count(*) filter (not states.est_actif and not states.is_first and states.since > months.cutoff - interval 24 month)
            as fermetures_24m
    from months
    join states on states.since <= months.cutoff
    left join places on states.siret = places.siret
    group by all
),

accounts as (
    select
        siren,
        date_cloture_exercice,
        known_from_ratios_inpi_bce(date_cloture_exercice) as since,
        known_from_ratios_inpi_bce(cast(date_cloture_exercice + interval 12 month as date)) + interval 3 month as late,
        coalesce(confidentiality, 'Public') <> 'Public' as est_confidentiel,
        case when est_confidentiel then 0 end as inconnu,
        nullif(marge_ebe, inconnu) / 100 as marge_ebe_publiee,
        resultat_net / nullif(greatest(nullif(chiffre_d_affaires, inconnu), 0), 0) as resultat_sur_ca_publie,
        autonomie_financiere / 100 as autonomie_publiee,
        ratio_de_liquidite / 100 as liquidite_publiee,
        taux_d_endettement / 100 as endettement_publie,
        nullif(credit_fournisseurs_jours, inconnu) as credit_fournisseurs_publie
    from stg_ratios_inpi_bce
    qualify row_number() over (
        partition by siren, date_cloture_exercice
        order by case type_bilan when 'K' then 1 when 'C' then 2 when 'S' then 3 else 4 end, type_bilan
    ) = 1
),

deposits as (
    select
        months.month,
        months.cutoff,
        accounts.siren,
        max(accounts.date_cloture_exercice) as date_cloture_exercice,
        count(*) filter (accounts.date_cloture_exercice > months.cutoff - interval 60 month) as exercices_publies_60m
    from months
    join accounts on accounts.since <= months.cutoff and accounts.date_cloture_exercice <= months.cutoff
    group by all
),

statements as (
    select
        deposits.*,
        date_diff('day', deposits.date_cloture_exercice, deposits.cutoff) / 30.4375 as age_comptes_publies,
        (accounts.late <= deposits.cutoff)::double as depot_manquant,
        accounts.est_confidentiel::double as comptes_confidentiels,
        deposits.date_cloture_exercice > deposits.cutoff - interval 24 month as est_recent,
        case when est_recent then accounts.marge_ebe_publiee end as marge_ebe_publiee,
        case when est_recent then accounts.resultat_sur_ca_publie end as resultat_sur_ca_publie,
        case when est_recent then accounts.autonomie_publiee end as autonomie_publiee,
        case when est_recent then accounts.liquidite_publiee end as liquidite_publiee,
        case when est_recent then accounts.endettement_publie end as endettement_publie,
        case when est_recent then accounts.credit_fournisseurs_publie end as credit_fournisseurs_publie
    from deposits
    join accounts using (siren, date_cloture_exercice)
),

procedures as (
    -- An opening is published several times: years with one are counted.
    select months.month, p.siren, count(distinct year(p.date_effet)) as procedures_anterieures
    from months
    join clean_procedure as p
        on p.date_publication <= months.cutoff
        and p.date_effet > months.cutoff - interval 120 month
        and (p.date_retrait is null or p.date_retrait > months.cutoff)
    where p.stade_procol = 'ouverture'
    group by all
)

select
    c.month,
    c.siren,
    e.etablissements::double as etablissements,
    e.departements_etablissements::double as departements_etablissements,
    e.ouvertures_24m::double as ouvertures_24m,
    e.fermetures_24m::double as fermetures_24m,
    d.age_comptes_publies,
    d.depot_manquant,
    coalesce(d.exercices_publies_60m, 0)::double as exercices_publies_60m,
    d.comptes_confidentiels,
    d.marge_ebe_publiee,
    d.resultat_sur_ca_publie,
    d.autonomie_publiee,
    d.liquidite_publiee,
    d.endettement_publie,
    d.credit_fournisseurs_publie,
    coalesce(p.procedures_anterieures, 0)::double as procedures_anterieures,
    month(c.month)::double as mois_calendaire
from feat_company_month as c
left join establishments as e on c.month = e.month and c.siren = e.siren
left join statements as d on c.month = d.month and c.siren = d.siren
left join procedures as p on c.month = p.month and c.siren = p.siren

-- One row is one company of the perimeter and month with every feature of the registry, as known at the cut-off. Models
-- read this table only. A feature that a family computes is here by its name alone, and one that is made of several
-- columns is computed here. The registry says which features are 0 for a company without a row in their family, such as
-- debts and hours of short-time work; any other missing value is unknown and stays NULL.
with plans as (
    select distinct m.month, substr(d.siret, 1, 9) as siren
    from (select distinct month from feat_company_month) as m
    join clean_delai as d
        on known_from_delai(d.date_creation) <= last_day(m.month) + $shift and d.date_echeance >= last_day(m.month) + $shift
),

families as (
    select
        c.*,
        d.* exclude (month, siren),
        e.* exclude (month, siren),
        a.* exclude (month, siren),
        p.* exclude (month, siren),
        f.* exclude (month, siren),
        b.* exclude (month, siren),
        r.* exclude (month, siren),
        plans.siren is not null as delai_en_cours,
        section.taux_defaillance as taux_defaillance_section,
        departement.taux_defaillance as taux_defaillance_departement,
        forme.taux_defaillance as taux_defaillance_forme
    from feat_company_month as c
    left join feat_dette as d using (month, siren)
    left join feat_effectif as e using (month, siren)
    left join feat_activite_partielle as a using (month, siren)
    left join feat_paiement as p using (month, siren)
    left join feat_comptes as f using (month, siren)
    left join feat_tranche as b using (month, siren)
    left join feat_registre as r using (month, siren)
    left join plans using (month, siren)
    left join feat_contexte as section
        on c.month = section.month and section.axe = 'section' and c.naf_section = section.code
    left join feat_contexte as departement
        on c.month = departement.month and departement.axe = 'departement' and c.departement = departement.code
    left join feat_contexte as forme
        on c.month = forme.month and forme.axe = 'forme' and left(c.categorie_juridique, 2) = forme.code
),

known as (
    select * {absent}
    from families
),

computed as (
    select
        *,
        cotisation_mean3m / nullif(greatest(cotisation_mean12m, 0), 0) - 1 as cotisation_variation3m,
        (dette_sociale_ouvriere + dette_sociale_patronale) / nullif(greatest(cotisation_mean12m, 0), 0)
            as dette_sur_cotisation_mean12m,
        dette_sur_cotisation_mean12m
        - (dette_sociale_ouvriere_lag6m + dette_sociale_patronale_lag6m)
        / nullif(greatest(cotisation_mean12m_lag6m, 0), 0) as dette_sur_cotisation_diff6m,
        (dette_sociale_ouvriere + dette_sociale_patronale) / nullif(effectif, 0) as dette_par_effectif,
        dette_par_effectif - (dette_sociale_ouvriere_lag3m + dette_sociale_patronale_lag3m) / nullif(effectif_lag3m, 0)
            as dette_par_effectif_diff3m,
        coalesce(dette_nouvelle_12m, 0) / nullif(greatest(cotisation_mean12m, 0), 0) as dette_nouvelle_sur_cotisation_12m,
        effectif / nullif(effectif_lag3m, 0) - 1 as effectif_variation3m,
        effectif / nullif(effectif_lag12m, 0) - 1 as effectif_variation12m,
        effectif / nullif(effectif_lag24m, 0) - 1 as effectif_variation24m,
        ap_heures_consommees / nullif(effectif, 0) as ap_consommee_par_effectif,
        ap_heures_autorisees / nullif(effectif, 0) as ap_autorisee_par_effectif,
        coalesce(ap_heures_consommees_12m, 0) / 12 / nullif(effectif, 0) as ap_consommee_par_effectif_mean12m
    from known
)

select
    month,
    siren,
    {features}
from computed

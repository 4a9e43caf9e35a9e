-- One row is one company of the perimeter and month with every feature of the registry, as known at the cut-off. Models
-- read this table only. A company without a debt event has zero debt, and a company without short-time work has zero
-- hours; any other missing value is unknown and stays NULL.
with plans as (
    select distinct m.month, substr(d.siret, 1, 9) as siren
    from (select distinct month from feat_company_month) as m
    join clean_delai as d
        on known_from_delai(d.date_creation) <= last_day(m.month) + $shift and d.date_echeance >= last_day(m.month) + $shift
),

dette as (
    select
        c.month,
        c.siren,
        coalesce(dette_sociale_ouvriere, 0) as dette_sociale_ouvriere,
        coalesce(dette_sociale_ouvriere_lag1m, 0) as dette_sociale_ouvriere_lag1m,
        coalesce(dette_sociale_ouvriere_lag2m, 0) as dette_sociale_ouvriere_lag2m,
        coalesce(dette_sociale_ouvriere_lag3m, 0) as dette_sociale_ouvriere_lag3m,
        coalesce(dette_sociale_ouvriere_lag6m, 0) as dette_sociale_ouvriere_lag6m,
        coalesce(dette_sociale_ouvriere_lag12m, 0) as dette_sociale_ouvriere_lag12m,
        coalesce(dette_sociale_patronale, 0) as dette_sociale_patronale,
        coalesce(dette_sociale_patronale_lag1m, 0) as dette_sociale_patronale_lag1m,
        coalesce(dette_sociale_patronale_lag2m, 0) as dette_sociale_patronale_lag2m,
        coalesce(dette_sociale_patronale_lag3m, 0) as dette_sociale_patronale_lag3m,
        coalesce(dette_sociale_patronale_lag6m, 0) as dette_sociale_patronale_lag6m,
        coalesce(dette_sociale_patronale_lag12m, 0) as dette_sociale_patronale_lag12m,
        coalesce(mois_en_dette_12m, 0)::double as mois_en_dette_12m,
        coalesce(mois_en_dette_24m, 0)::double as mois_en_dette_24m,
        coalesce(dette_nouvelle_12m, 0) as dette_nouvelle_12m,
        coalesce(delais_demandes_24m, 0)::double as delais_demandes_24m,
        coalesce(delais_respectes_24m, 0)::double as delais_respectes_24m,
        coalesce(delais_rompus_24m, 0)::double as delais_rompus_24m,
        cotisation,
        cotisation_mean3m,
        cotisation_mean12m,
        cotisation_mean12m_lag6m
    from feat_company_month as c
    left join feat_dette using (month, siren)
)

select
    c.month,
    c.siren,
    d.cotisation,
    d.cotisation_mean12m,
    d.cotisation_mean3m / nullif(greatest(d.cotisation_mean12m, 0), 0) - 1 as cotisation_variation3m,
    d.dette_sociale_ouvriere,
    d.dette_sociale_ouvriere_lag1m,
    d.dette_sociale_ouvriere_lag2m,
    d.dette_sociale_ouvriere_lag3m,
    d.dette_sociale_ouvriere_lag6m,
    d.dette_sociale_ouvriere_lag12m,
    d.dette_sociale_patronale,
    d.dette_sociale_patronale_lag1m,
    d.dette_sociale_patronale_lag2m,
    d.dette_sociale_patronale_lag3m,
    d.dette_sociale_patronale_lag6m,
    d.dette_sociale_patronale_lag12m,
    (dette_sociale_ouvriere + dette_sociale_patronale) / nullif(greatest(d.cotisation_mean12m, 0), 0)
        as dette_sur_cotisation_mean12m,
    dette_sur_cotisation_mean12m
    - (dette_sociale_ouvriere_lag6m + dette_sociale_patronale_lag6m) / nullif(greatest(d.cotisation_mean12m_lag6m, 0), 0)
        as dette_sur_cotisation_diff6m,
    (dette_sociale_ouvriere + dette_sociale_patronale) / nullif(e.effectif, 0) as dette_par_effectif,
    dette_par_effectif - (dette_sociale_ouvriere_lag3m + dette_sociale_patronale_lag3m) / nullif(e.effectif_lag3m, 0)
        as dette_par_effectif_diff3m,
    d.dette_nouvelle_12m / nullif(greatest(d.cotisation_mean12m, 0), 0) as dette_nouvelle_sur_cotisation_12m,
    d.mois_en_dette_12m,
    d.mois_en_dette_24m,
    (plans.siren is not null)::double as delai_en_cours,
    d.delais_demandes_24m,
    d.delais_respectes_24m,
    d.delais_rompus_24m,
    e.effectif::double as effectif,
    e.effectif / nullif(e.effectif_lag3m, 0) - 1 as effectif_variation3m,
    e.effectif / nullif(e.effectif_lag12m, 0) - 1 as effectif_variation12m,
    e.effectif / nullif(e.effectif_lag24m, 0) - 1 as effectif_variation24m,
    coalesce(a.ap_heures_consommees, 0) as ap_heures_consommees,
    coalesce(a.ap_heures_autorisees, 0) as ap_heures_autorisees,
    coalesce(a.ap_heures_consommees, 0) / nullif(e.effectif, 0) as ap_consommee_par_effectif,
    coalesce(a.ap_heures_autorisees, 0) / nullif(e.effectif, 0) as ap_autorisee_par_effectif,
    coalesce(a.ap_heures_consommees_12m, 0) / 12 / nullif(e.effectif, 0) as ap_consommee_par_effectif_mean12m,
    -- All features of these two families: a new one needs no line here.
    p.* exclude (month, siren),  -- noqa: AM04
    f.* exclude (month, siren),
    c.age_entreprise,
    c.demenagements_24m,
    c.taille_groupe,
    section.taux_defaillance as taux_defaillance_section,
    departement.taux_defaillance as taux_defaillance_departement,
    forme.taux_defaillance as taux_defaillance_forme
from feat_company_month as c
join dette as d using (month, siren)
left join feat_effectif as e using (month, siren)
left join feat_activite_partielle as a using (month, siren)
left join feat_paiement as p using (month, siren)
left join feat_comptes as f using (month, siren)
left join plans using (month, siren)
left join feat_contexte as section
    on c.month = section.month and section.axe = 'section' and c.naf_section = section.code
left join feat_contexte as departement
    on c.month = departement.month and departement.axe = 'departement' and c.departement = departement.code
left join feat_contexte as forme
    on c.month = forme.month and forme.axe = 'forme' and left(c.categorie_juridique, 2) = forme.code

-- One row is one company and month: the ratios of the newest statement known at the cut-off and closed less than two
-- years before it, with their changes since the statement of the year before, if it was known too. All ratios come from
-- one statement. Features of INPI's open data come from the newest public accounts in the same way. Partly confidential
-- accounts show the figures of the income statement as zeros: there, zero is unknown (deviation B6).
with months as (
    select
        cast(month as date) as month,
        cast(last_day(cast(month as date)) + $shift as date) as cutoff
    from generate_series($first::date, $last::date, interval 1 month) as s (month)
),

newest as (
    -- Each closing date has one version known at a cut-off: the newest closing date is enough here.
    select months.month, months.cutoff, r.siren, max(r.date_fin_exercice) as date_fin_exercice
    from months
    join clean_ratios_version as r
        on r.date_publication <= months.cutoff
        and r.date_fin_exercice > months.cutoff - interval 24 month
        and r.date_fin_exercice <= months.cutoff
    group by all
),

statements as (
    select
        newest.month,
        newest.siren,
        r.dette_nette_sur_caf,
        r.dette_a_terme_sur_k_propres,
        r.ebe_sur_ca,
        r.va_sur_effectif,
        r.charges_personnel_sur_va,
        r.stocks_sur_ca,
        r.liquidite_absolue,
        r.liquidite_generale,
        r.liquidite_reduite,
        r.delai_paiement_sur_delai_encaissement,
        r.k_propres_sur_k_social,
        r.bfr_sur_k_propres,
        r.taux_investissement,
        r.rentabilite_economique,
        r.solidite_financiere,
        date_diff('day', newest.date_fin_exercice, newest.cutoff) / 30.4375 as age_comptes,
        r.ebe_sur_ca - before.ebe_sur_ca as ebe_sur_ca_diff12m,
        r.rentabilite_economique - before.rentabilite_economique as rentabilite_economique_diff12m,
        r.solidite_financiere - before.solidite_financiere as solidite_financiere_diff12m
    from newest
    join clean_ratios_version as r
        on newest.siren = r.siren
        and newest.date_fin_exercice = r.date_fin_exercice
        and r.date_publication <= newest.cutoff
        and coalesce(r.date_remplacement, '9999-12-31') > newest.cutoff
    left join clean_ratios_version as before
        on newest.siren = before.siren
        and before.date_fin_exercice = case
            -- Financial years that end with a month: 29 February 2024 comes one year after 28 February 2023.
            when newest.date_fin_exercice = last_day(newest.date_fin_exercice)
                then last_day(newest.date_fin_exercice - interval 12 month)
            else cast(newest.date_fin_exercice - interval 12 month as date)
        end
        and before.date_publication <= newest.cutoff
        and coalesce(before.date_remplacement, '9999-12-31') > newest.cutoff
),

published as (
    select
        siren,
        date_cloture_exercice,
        known_from_ratios_inpi_bce(date_cloture_exercice) as date_publication,
        type_bilan,
        case when coalesce(confidentiality, 'Public') <> 'Public' then 0 end as inconnu,
        nullif(chiffre_d_affaires, inconnu) as chiffre_d_affaires,
        nullif(caf_sur_ca, inconnu) / 100 as caf_sur_ca,
        nullif(couverture_des_interets, inconnu) / 100 as couverture_des_interets
    from stg_ratios_inpi_bce
),

open_statements as (
    -- Accounts are compared with accounts of the same kind; of several on a day, consolidated ones come first, then full.
    select p.*, p.chiffre_d_affaires / nullif(greatest(before.chiffre_d_affaires, 0), 0) - 1 as ca_variation12m
    from published as p
    left join published as before
        on p.siren = before.siren
        and p.type_bilan = before.type_bilan
        and before.date_cloture_exercice = case
            when p.date_cloture_exercice = last_day(p.date_cloture_exercice)
                then last_day(p.date_cloture_exercice - interval 12 month)
            else cast(p.date_cloture_exercice - interval 12 month as date)
        end
    qualify row_number() over (
        partition by p.siren, p.date_cloture_exercice
        order by case p.type_bilan when 'K' then 1 when 'C' then 2 when 'S' then 3 else 4 end, p.type_bilan
    ) = 1
),

newest_open as (
    select months.month, o.siren, max(o.date_cloture_exercice) as date_cloture_exercice
    from months
    join open_statements as o
        on o.date_publication <= months.cutoff
        and o.date_cloture_exercice > months.cutoff - interval 24 month
        and o.date_cloture_exercice <= months.cutoff
    group by all
)

select
    month,
    siren,
    statements.dette_nette_sur_caf,
    statements.dette_a_terme_sur_k_propres,
    statements.ebe_sur_ca,
    statements.va_sur_effectif,
    statements.charges_personnel_sur_va,
    statements.stocks_sur_ca,
    statements.liquidite_absolue,
    statements.liquidite_generale,
    statements.liquidite_reduite,
    statements.delai_paiement_sur_delai_encaissement,
    statements.k_propres_sur_k_social,
    statements.bfr_sur_k_propres,
    statements.taux_investissement,
    statements.rentabilite_economique,
    statements.solidite_financiere,
    statements.age_comptes,
    statements.ebe_sur_ca_diff12m,
    statements.rentabilite_economique_diff12m,
    statements.solidite_financiere_diff12m,
    o.ca_variation12m,
    o.caf_sur_ca,
    o.couverture_des_interets
from statements
full join newest_open using (month, siren)
left join open_statements as o using (siren, date_cloture_exercice)

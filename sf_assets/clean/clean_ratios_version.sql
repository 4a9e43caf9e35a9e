-- One row is one closing date of a company with the fifteen ratios of its most complete statement, from the day that
-- statement was filed. The most complete statement has the fewest unknown amounts, then the latest financial year, then
-- the greatest number, then the latest filing (rules §9.6). A statement filed again replaces the former one from its
-- own deposit on, and changes nothing before. A ratio is not divided by days; it is unknown when an operand is unknown
-- or the denominator is zero (deviation B17). Records of `declarations_af` and `ratios_dirco` have no day of deposit:
-- for a filing, or a financial year, the n-th record in file order goes with the n-th deposit, and the last record with
-- the deposits that have none.
with filings as (
    select
        *,
        known_from_declarations_indmap(date_depot, date_fin_exercice) as date_publication,
        row_number() over (
            partition by siren, date_deb_exercice, date_fin_exercice
            order by date_publication, annee_exercice, try_cast(no_ocfi as hugeint), no_ocfi
        ) as rang,
        row_number() over (
            partition by siren, date_deb_exercice, date_fin_exercice, no_ocfi, annee_exercice order by date_publication
        ) as rang_numero
    from stg_declarations_indmap
    where date_fin_exercice > date '2014-01-01' and siren not in (select siren from siren_blacklist)
),

derived as (
    select
        *,
        row_number() over (
            partition by siren, date_deb_exercice, date_fin_exercice, no_ocfi, annee_exercice order by file_number, line
        ) as rang
    from stg_declarations_af
),

audited as (
    select
        *,
        row_number() over (
            partition by siren, date_deb_exercice, date_fin_exercice order by file_number, line
        ) as rang
    from stg_ratios_dirco
),

declarations as (
    select
        indmap.siren,
        indmap.date_deb_exercice as date_debut_exercice,
        indmap.date_fin_exercice,
        indmap.annee_exercice,
        indmap.no_ocfi,
        indmap.date_publication,
        af.mnt_af_endettement_net / nullif(dirco.rto_6, 0) as dette_nette_sur_caf,
        1 / nullif(af.rto_af_endettement_a_terme, 0) as dette_a_terme_sur_k_propres,
        af.mnt_af_sig_ebe_ret / nullif(af.mnt_af_ca, 0) as ebe_sur_ca,
        af.mnt_af_sig_va_ret / nullif(indmap.d_dvs_376_nbr_pers, 0) as va_sur_effectif,
        (indmap.d_cr_250_expl_salaire + indmap.d_cr_252_expl_ch_soc + indmap.d_cr_260_expl_dt_syndic)
        / nullif(af.mnt_af_sig_va_ret, 0) as charges_personnel_sur_va,
        indmap.d_actf_stk_march_net / nullif(af.mnt_af_ca, 0) as stocks_sur_ca,
        (af.mnt_af_bfonc_actif_circ_expl + af.mnt_af_bfonc_actif_circ_h_expl)
        / nullif(af.mnt_af_bfonc_passif_circ_expl + af.mnt_af_bfonc_passif_circ_h_expl, 0) as liquidite_absolue,
        af.mnt_af_bfonc_tresorerie
        / nullif(af.mnt_af_bfonc_actif_circ_expl + af.mnt_af_bfonc_actif_circ_h_expl, 0) as liquidite_generale,
        dirco.rto_56 as liquidite_reduite,
        af.nbr_af_jours_reglt_fourn / nullif(af.nbr_af_jours_creance_cli, 0) as delai_paiement_sur_delai_encaissement,
        indmap.d_passf_142_k_propres / nullif(indmap.d_passf_120_k, 0) as k_propres_sur_k_social,
        af.mnt_af_bfonc_bfr / nullif(indmap.d_passf_142_k_propres, 0) as bfr_sur_k_propres,
        indmap.rto_invest_ca as taux_investissement,
        af.rto_af_rent_eco as rentabilite_economique,
        indmap.rto_af_solidite_financiere as solidite_financiere,
        list_count([
            af.mnt_af_endettement_net,
            af.rto_af_endettement_a_terme,
            af.mnt_af_sig_ebe_ret,
            af.mnt_af_ca,
            af.mnt_af_sig_va_ret,
            af.mnt_af_bfonc_actif_circ_expl,
            af.mnt_af_bfonc_actif_circ_h_expl,
            af.mnt_af_bfonc_passif_circ_expl,
            af.mnt_af_bfonc_passif_circ_h_expl,
            af.mnt_af_bfonc_tresorerie,
            af.nbr_af_jours_reglt_fourn,
            af.nbr_af_jours_creance_cli,
            af.mnt_af_bfonc_bfr,
            af.rto_af_rent_eco,
            indmap.d_dvs_376_nbr_pers,
            indmap.d_cr_250_expl_salaire,
            indmap.d_cr_252_expl_ch_soc,
            indmap.d_cr_260_expl_dt_syndic,
            indmap.d_actf_stk_march_net,
            indmap.d_actf_stk_mat1e_net,
            indmap.d_passf_142_k_propres,
            indmap.d_passf_120_k,
            indmap.rto_invest_ca,
            indmap.rto_af_solidite_financiere,
            dirco.rto_6,
            dirco.rto_56
        ]) as known
    from filings as indmap
    asof join derived as af
        on
            indmap.siren = af.siren
            and indmap.date_deb_exercice = af.date_deb_exercice
            and indmap.date_fin_exercice = af.date_fin_exercice
            and indmap.no_ocfi = af.no_ocfi
            and indmap.annee_exercice = af.annee_exercice
            and indmap.rang_numero >= af.rang
    asof left join audited as dirco
        on
            indmap.siren = dirco.siren
            and indmap.date_deb_exercice = dirco.date_deb_exercice
            and indmap.date_fin_exercice = dirco.date_fin_exercice
            and indmap.rang >= dirco.rang
),

ranked as (
    select
        *,
        row_number() over (
            partition by siren, date_fin_exercice
            order by
                known desc,
                annee_exercice desc,
                try_cast(no_ocfi as hugeint) desc,
                no_ocfi desc,
                date_debut_exercice desc,
                date_publication desc,
                dette_nette_sur_caf,
                liquidite_reduite
        ) as place
    from declarations
),

versions as (
    -- A statement is a version only if it is more complete than all statements filed before it.
    select *
    from ranked
    qualify place < coalesce(
        min(place) over (
            partition by siren, date_fin_exercice
            order by date_publication, place
            rows between unbounded preceding and 1 preceding
        ),
        place + 1
    )
)

select
    * exclude (known, place),
    lead(date_publication) over (partition by siren, date_fin_exercice order by date_publication) as date_remplacement
from versions

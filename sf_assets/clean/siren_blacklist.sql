-- One row is one company of the import perimeter that is excluded from the clean tables, with its reasons (rules §5.4).
-- Codes are compared whole: neighbouring codes, such as 64.20Z (holdings), are not excluded. A closed head office is
-- still a head office; a company absent from the register of legal units is only checked for its head office.
-- Activities are in NAF rev. 2, which units that INSEE codes in NAF 2025 also have.
with examined as (
    select
        siren,
        exists(
            select 1 from clean_sirene_ul as ul
            where
                ul.siren = perimetre.siren
                and ul.categorie_juridique in (
                    '4110', '4120', '4140', '4160', '7210', '7220', '7346', '7348', '7366', '7373', '7379', '7383',
                    '7389', '7410', '7430', '7470', '7490'
                )
        ) as motif_categorie_juridique,
        exists(
            select 1 from clean_sirene_ul as ul
            where
                ul.siren = perimetre.siren
                and ul.activite_principale in (
                    '64.11Z', '64.19Z', '64.30Z', '64.91Z', '64.92Z', '64.99Z',
                    '65.11Z', '65.12Z', '65.20Z', '65.30Z',
                    '66.11Z', '66.12Z', '66.19A', '66.19B', '66.21Z', '66.22Z', '66.29Z', '66.30Z',
                    '84.11Z', '84.12Z', '84.13Z', '84.21Z', '84.22Z', '84.23Z', '84.24Z', '84.25Z',
                    '84.30A', '84.30B', '84.30C',
                    '85.10Z', '85.20Z', '85.31Z', '85.32Z', '85.41Z', '85.42Z',
                    '94.11Z', '94.12Z', '94.20Z', '94.91Z', '94.92Z',
                    '99.00Z'
                )
        ) as motif_activite,
        not exists (
            select 1 from stg_sirene as s
            where s.siren = perimetre.siren and s.siege and s.departement is not null
        ) as motif_siege
    from stg_filter_import as perimetre
)

select
    siren,
    motif_categorie_juridique,
    motif_activite,
    motif_siege
from examined
where motif_categorie_juridique or motif_activite or motif_siege

-- One row is one step of the perimeter with the numbers of companies before and after it, or one reason of the
-- blacklist with its number of companies (a company may have several reasons). Source: rules §5.6.
select ordre, etape, avant, exclues, apres
from stg_filter_steps
union all
select
    4 as ordre,
    'liste_noire' as etape,
    (select count(*) from stg_filter_import) as avant,
    (select count(*) from siren_blacklist) as exclues,
    (select count(*) from clean_filter) as apres
union all
select
    reasons.ordre,
    reasons.etape,
    (select count(*) from stg_filter_import) as avant,
    reasons.exclues,
    null as apres
from (
    select 5 as ordre, 'motif_categorie_juridique' as etape, count(*) as exclues
    from siren_blacklist where motif_categorie_juridique
    union all
    select 6 as ordre, 'motif_activite' as etape, count(*) as exclues from siren_blacklist where motif_activite
    union all
    select 7 as ordre, 'motif_siege' as etape, count(*) as exclues from siren_blacklist where motif_siege
) as reasons

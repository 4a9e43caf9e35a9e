-- One row is one step towards the import perimeter, with the number of companies before and after it. A company that is twice in
-- the head-count file counts once. Companies left out are counted separately, so that the check `adds_up` can fail. The rules
-- are those of stg_filter_import. Source: rules §5.6.
with counts as (
    select
        count(*) as initial,
        count(*) filter (where is_staffed) as staffed,
        count(*) filter (where not is_staffed) as unstaffed,
        count(*) filter (where is_staffed and (is_recent or not $recent)) as recent,
        count(*) filter (where is_staffed and not is_recent and $recent) as outdated
    from headcount_rules
)

select 1 as ordre, 'perimetre_initial' as etape, initial as avant, 0 as exclues, initial as apres from counts
union all
select 2 as ordre, 'effectif' as etape, initial as avant, unstaffed as exclues, staffed as apres from counts
union all
select 3 as ordre, 'donnees_recentes' as etape, staffed as avant, outdated as exclues, recent as apres from counts

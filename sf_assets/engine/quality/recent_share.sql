-- The rows of the last three months, over those of an average quarter of the two years before.
with counted as (
    select
        count(*) filter ({day} >= {month} - interval 2 month) as recent,
        count(*) filter ({day} < {month} - interval 2 month) / 8 as usual
    from {batch}
    where {day} >= {month} - interval 26 month and {day} < {month} + interval 1 month
)
select case when usual >= 12 then recent / usual end from counted

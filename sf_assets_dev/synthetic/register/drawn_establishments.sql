-- One row is one establishment of a drawn unit; its rank is its place in the life of the unit, and the last one is the
-- head office. Four earlier ones of five have closed.
create or replace temp view drawn_establishments as
with ranked as (
    select *, unnest(range(1, establishments + 1)) as rank from drawn_units
),

placed as (
    select
        *,
        n * 16 + rank as e,
        rank = establishments as is_seat,
        first_day + cast((rank - 1) * (end_day - first_day) // establishments as integer) as opened,
        not is_active or (rank < establishments and draw('closed', n * 16 + rank) < 0.8) as is_closed,
        first_day + cast(rank * (end_day - first_day) // establishments as integer) as closed,
        draw('periods', n * 16 + rank) as often
    from ranked
)

select
    *,
    lpad(cast(rank * 10 + (n + rank * 7) % 10 as varchar), 5, '0') as nic,
    if(is_closed, 2, 1) + case
        when often < 0.66 then 0 when often < 0.85 then 1 when often < 0.94 then 2 else 3
    end as periods
from placed;

-- The days from the newest row to the end of the month, NULL below forty rows in three months.
select case
    when count(*) filter ({day} >= {month} - interval 2 month) >= 40
        then date_diff('day', max({day}), cast({month} + interval 1 month as date))
end
from {batch} where {day} < {month} + interval 2 month

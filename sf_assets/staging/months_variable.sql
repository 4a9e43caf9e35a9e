-- The month of each column of a head-count file, from the first that is a month to the last.
set variable months_{number} = (
    select list(periode order by place)
    from (select unnest(range(min(place), max(place) + 1)) as place from months) as places
    left join months using (place)
)

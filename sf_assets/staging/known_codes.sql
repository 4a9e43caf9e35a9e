-- The values of the codes of days and periods, which files repeat by the million: a look-up takes a tenth of the time of a
-- computation. A code that is not in these tables is computed.
create or replace temp table known_periods as
select code, read_periode_debut(code) as periode_debut, read_periode_fin(code) as periode_fin
from (
    select lpad((years.year % forms.century)::varchar, forms.digits, '0') || periods.period as code
    from generate_series(1990, 2049) as years (year),
        (values (100, 2), (10000, 4)) as forms (century, digits),
        (select (10 * q + m)::varchar as period from range(1, 5) as q (q), range(4) as m (m) union all select '62')
            as periods
) as codes;

create or replace temp table known_days as
select (strftime(day, '%Y%m%d')::integer - 19000000)::varchar as code, day::date as date_urssaf
from generate_series(date '1990-01-01', date '2049-12-31', interval 1 day) as d (day);

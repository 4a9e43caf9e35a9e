-- One row is one legal unit of the register that is not followed: what its rows in the three files derive from. Sirens
-- ascend with the number of the unit. Shares and their origins: docs/benchmarks-country.md.
create or replace temp macro draw(subject, number) as
    cast(hash(subject, number, getvariable('seed')) % 1000000 as double) / 1000000;

create or replace temp view drawn_units as
with numbered as (
    select
        n,
        lpad(
            cast(
                n * getvariable('step') + cast(hash('siren', n, getvariable('seed')) % getvariable('step') as bigint)
                as varchar
            ),
            9, '0'
        ) as siren
    from range(getvariable('units')) as units (n)  -- noqa: RF02
),

lived as (
    select
        n,
        siren,
        draw('person', n) < 0.62 as is_person,
        draw('active', n) < 0.5 as is_active,
        draw('masked', n) < 0.1 as is_masked,
        getvariable('delivered') - cast(power(draw('end', n), 1.3) * 16000 as integer) as ended,
        400 + cast(least(-ln(1 - draw('age', n)) * 3000, 20000) as integer) as days,
        draw('establishments', n) as several,
        cast(hash('activity', n, getvariable('seed')) % 1024 as integer) as activity_place,
        cast(hash('town', n, getvariable('seed')) % 1024 as integer) as town_place
    from numbered
    where siren not in (from followed)
)

select
    n,
    siren,
    is_person,
    is_active,
    is_person and is_masked as is_masked,
    activity_place,
    town_place,
    case when is_active then getvariable('delivered') else ended end as end_day,
    case when is_active then getvariable('delivered') else ended end - days as first_day,
    case
        when several < 0.73 then 1
        when several < 0.90 then 2
        when several < 0.96 then 3
        when several < 0.985 then 4
        else 5 + n % 7
    end as establishments,
    -- Units that ceased before a change of nomenclature keep the former code.
    case
        when is_active or ended >= date '2008-01-01' then 'NAFRev2'
        when ended >= date '2003-01-01' then 'NAFRev1'
        when ended >= date '1993-01-01' then 'NAF1993'
        else 'NAP'
    end as nomenclature
from lived;

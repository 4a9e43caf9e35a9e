-- The codes of days and periods that files repeat by the million: looking one up takes a tenth of reading it. A code that
-- is not here is read on the spot.
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

-- Natures of judgments by the ways BODACC writes them: whatever the case, the apostrophe and the blanks, and with the
-- accents spoilt by a reading of UTF-8 as latin-1 or as cp1252. A spelling stands for exactly one nature.
create or replace temp macro key_of_nature(x) as
    lower(trim(regexp_replace(replace(x, '’', ''''), '[\s\x{00A0}]+', ' ', 'g')));

create or replace temp macro bytes_of(x) as
    list_transform(range(1, length(hex(encode(x))), 2), lambda i: cast('0x' || hex(encode(x))[i:i + 1] as integer));

create or replace temp macro spoilt_latin1(x) as array_to_string(list_transform(bytes_of(x), lambda b: chr(b)), '');

create or replace temp macro spoilt_cp1252(x) as
    array_to_string(
        list_transform(
            bytes_of(x),
            lambda b: case
                when b between 128 and 159 then '€?‚ƒ„…†‡ˆ‰Š‹Œ?Ž??‘’“”•–—˜™š›œ?žŸ'[b - 127] else chr(b)
            end
        ),
        ''
    );

create or replace temp table known_natures as
select key, min(nature) as nature
from (
    select nature, key_of_nature(unnest([text, spoilt_latin1(text), spoilt_cp1252(text)])) as key
    from (select nature, unnest([nature, replace(nature, '''', '’')]) as text from bodacc_natures) as texts
) as spellings
group by key
having count(distinct nature) = 1;

-- What still shows spoilt accents could not be repaired exactly.
create or replace temp macro read_nature(x) as
    coalesce(
        (select nature from known_natures where key = key_of_nature(x)),
        case when x <> '' and not regexp_matches(x, '[ÃÂã\x{0080}-\x{009F}\x{FFFD}]|â€|ï¿½') then x end
    );

-- How a cell becomes a value. One macro per reader of `sources/description.py`: the text in, the value out, NULL when
-- the text is empty or cannot be read. Rules: sources.md §2.3 and §3, decisions B4 and B6.

create or replace temp macro read_text(x) as nullif(x, '');

create or replace temp macro read_entier(x) as
    case when regexp_full_match(x, '[+-]?[0-9]+') then try_cast(x as integer) end;

-- The engine's own cast also takes blanks, underscores, `inf` and `nan`: the pattern keeps them out, and the bound what
-- is no amount of this world and would no longer be exact in cents.
create or replace temp macro read_decimal_point(x) as
    case
        when
            regexp_full_match(x, '[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?')
            and abs(try_cast(x as double)) < 1e15
            then try_cast(x as double)
    end;

create or replace temp macro read_decimal_virgule(x) as read_decimal_point(replace(x, ',', '.'));

create or replace temp macro read_centimes(x) as read_decimal_point(x) / 100;

create or replace temp macro read_entier_tronque(x) as try_cast(trunc(read_decimal_point(x)) as integer);

create or replace temp macro read_booleen(x) as
    case
        when x in ('1', 't', 'T', 'TRUE', 'true', 'True') then true
        when x in ('0', 'f', 'F', 'FALSE', 'false', 'False') then false
    end;

create or replace temp macro read_date_iso(x) as
    case when length(x) = 10 and x[5] = '-' and x[8] = '-' then try_cast(x as date) end;

create or replace temp macro read_date_fr(x) as
    case when length(x) = 10 and x[3] = '/' and x[6] = '/' then try_cast(x[7:10] || '-' || x[4:5] || '-' || x[1:2] as date) end;

-- AAAA-MM-JJ, or AAAAMMJJ as in older files of the same producers.
create or replace temp macro read_date_compacte(x) as
    case
        when regexp_full_match(x, '[0-9]{8}') then try_cast(x[1:4] || '-' || x[5:6] || '-' || x[7:8] as date)
        else read_date_iso(x)
    end;

-- (A)AAMMJJ: adding 19 000 000 gives AAAAMMJJ; 9990101 (2899) means never.
create or replace temp macro read_date_urssaf(x) as
    case
        when regexp_full_match(x, '[0-9]{5,7}')
            then read_date_compacte(lpad((cast(x as integer) + 19000000)::varchar, 8, '0'))
    end;

-- JJMMMAAAA with an English month: 26MAY2014.
create or replace temp macro read_date_procol(x) as
    case
        when regexp_full_match(x, '[0-9]{2}[A-Za-z]{3}[0-9]{4}') then
            try_cast(
                x[6:9] || '-'
                || case lower(x[3:5])
                    when 'jan' then '01' when 'feb' then '02' when 'mar' then '03' when 'apr' then '04'
                    when 'may' then '05' when 'jun' then '06' when 'jul' then '07' when 'aug' then '08'
                    when 'sep' then '09' when 'oct' then '10' when 'nov' then '11' when 'dec' then '12'
                end
                || '-' || x[1:2] as date
            )
    end;

-- AAAAXY and AAXY: quarter X, month Y of the quarter, Y = 0 the quarter, XY = 62 the year.
create or replace temp macro periode_longue(x) as
    case length(x) when 6 then x when 4 then case when x[1:2] < '50' then '20' else '19' end || x end;

create or replace temp macro read_periode_debut(x) as
    case
        when regexp_full_match(x, '([0-9]{2}){2,3}') then
            case
                when x[-2:] = '62' then make_date(cast(periode_longue(x)[1:4] as bigint), 1, 1)
                else cast(
                    make_date(cast(periode_longue(x)[1:4] as bigint), 1, 1) + to_months(
                        3 * (cast(x[-2:-2] as integer) - 1) + greatest(cast(x[-1:] as integer) - 1, 0)
                    ) as date
                )
            end
    end;

create or replace temp macro read_periode_fin(x) as
    cast(
        read_periode_debut(x)
        + to_months(case when x[-2:] = '62' then 12 when x[-1:] = '0' then 3 else 1 end) as date
    );

create or replace temp macro read_motif(x) as case when regexp_full_match(x, '[1-7]') then cast(x as integer) end;

create or replace temp macro read_ape(x) as case when regexp_full_match(x, '[0-9]{2}[.][0-9]{2}[A-Z]') then x end;

create or replace temp macro read_code_commune(x) as case when regexp_full_match(x, '[0-9][0-9AB][0-9]{3}') then x end;

create or replace temp macro read_code_postal(x) as case when regexp_full_match(x, '[0-9]{5}') then x end;

create or replace temp macro read_indrep(x) as
    case x when 'B' then 'BIS' when 'T' then 'TER' when 'Q' then 'QUATER' when 'C' then 'QUINQUIES' end;

create or replace temp macro read_type_voie(x) as (select libelle from types_voie where code = x);

create or replace temp macro read_etat_actif(x) as x = 'A';

-- Digits, blanks of any width as thousands separators, and a decimal part made of zeros: `1 204`, `12.0` and `12,0`.
create or replace temp macro read_effectif(x) as
    case
        when regexp_full_match(x, '[0-9]{1,9}') then cast(x as integer)
        when regexp_full_match(x, '[0-9]+([ \x{00A0}\x{2009}\x{202F}]?[0-9]+)*([.,]0+)?')
            then try_cast(regexp_replace(regexp_replace(x, '[.,]0+$', ''), '[^0-9]', '', 'g') as integer)
    end;

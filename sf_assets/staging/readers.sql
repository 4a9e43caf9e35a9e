-- The readers of cells: one macro per reader of `sources/description.py`, from a text to a value, NULL when the text is empty or
-- cannot be read. Source: rules §2.3 and §3, deviations B4 and B6.

create or replace temp macro read_text(x) as nullif(x, '');

-- Removes blanks of any width, as in an identifier written in groups of digits.
create or replace temp macro read_sans_blancs(x) as nullif(regexp_replace(x, '[ \x{00A0}\x{2009}\x{202F}]', '', 'g'), '');

create or replace temp macro read_entier(x) as
    case when regexp_full_match(x, '[+-]?[0-9]+') then try_cast(x as integer) end;

-- DuckDB's cast also accepts blanks, underscores, `inf` and `nan`: the patterns refuse them, and stay simple since they run on
-- every amount. Amounts from 1e15 are refused, since cents would no longer be exact. Fifteen characters cannot reach that limit,
-- so that most cells are cast once.
create or replace temp macro read_decimal_point(x) as
    case
        when regexp_full_match(x, '[+-]?[0-9.]{1,15}') then try_cast(x as double)
        when
            regexp_full_match(x, '[+-]?[0-9.][0-9.eE+-]*') and abs(try_cast(x as double)) < 1e15
            then try_cast(x as double)
    end;

create or replace temp macro read_decimal_virgule(x) as read_decimal_point(replace(x, ',', '.'));

create or replace temp macro read_pourcentage(x) as
    read_decimal_virgule(regexp_replace(x, '[ \x{00A0}\x{2009}\x{202F}]?%$', ''));

create or replace temp macro read_centimes(x) as read_decimal_point(x) / 100;

create or replace temp macro read_entier_tronque(x) as try_cast(trunc(read_decimal_point(x)) as integer);

create or replace temp macro read_booleen(x) as
    case
        when x in ('1', 't', 'T', 'TRUE', 'true', 'True') then true
        when x in ('0', 'f', 'F', 'FALSE', 'false', 'False') then false
    end;

create or replace temp macro read_oui_non(x) as case x when 'Oui' then true when 'Non' then false end;

-- DuckDB's cast ignores any text after a day (`2024-02-1O` is read as 1 February), and accepts `epoch`, `infinity` and a year 0:
-- every reader of dates therefore casts only digits in the right places. Patterns test the original text: a concatenated text
-- would be computed again for each test.
create or replace temp macro read_date_iso(x) as
    case
        when regexp_full_match(x, '[0-9]{4}-[0-9]{2}-[0-9]{2}') and not starts_with(x, '0000') then try_cast(x as date)
    end;

create or replace temp macro read_date_fr(x) as
    case
        when regexp_full_match(x, '[0-9]{2}/[0-9]{2}/[0-9]{4}') and not ends_with(x, '0000')
            then try_cast(try_strptime(x, '%d/%m/%Y') as date)
    end;

-- AAAA-MM-JJ, or AAAAMMJJ in older files of the same producers.
create or replace temp macro read_date_compacte(x) as
    case
        when regexp_full_match(x, '[0-9]{8}') and not starts_with(x, '0000')
            then try_cast(try_strptime(x, '%Y%m%d') as date)
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
        when regexp_full_match(x, '[0-9]{2}[A-Za-z]{3}[0-9]{4}') and not ends_with(x, '0000') then
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

-- JJMMMAAAA with an English or French month: 31DEC2012, 28FEV2013, 30JUIN2013. JUI alone is June or July: unreadable.
create or replace temp macro read_date_abregee(x) as
    case
        when regexp_full_match(strip_accents(x), '[0-9]{2}[A-Za-z]{3,4}[0-9]{4}') then
            read_date_iso(
                x[-4:] || '-'
                || case strip_accents(lower(x[3:-5]))
                    when 'jan' then '01' when 'feb' then '02' when 'fev' then '02' when 'mar' then '03' when 'apr' then '04'
                    when 'avr' then '04' when 'may' then '05' when 'mai' then '05' when 'jun' then '06' when 'juin' then '06'
                    when 'jul' then '07' when 'juil' then '07' when 'aug' then '08' when 'aou' then '08' when 'sep' then '09'
                    when 'oct' then '10' when 'nov' then '11' when 'dec' then '12'
                end
                || '-' || x[1:2]
            )
    end;

-- AAAAXY and AAXY: quarter X, month Y of the quarter, Y = 0 the quarter, XY = 62 the year.
create or replace temp macro periode_longue(x) as
    case length(x) when 6 then x when 4 then case when x[1:2] < '50' then '20' else '19' end || x end;

create or replace temp macro read_periode_debut(x) as
    case
        when regexp_full_match(x, '([0-9]{2}){2,3}') and not starts_with(periode_longue(x), '0000') then
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

-- A public interface of INSEE writes `NAFRev2025` for `NAF2025`: both are accepted. The code of any other nomenclature cannot be
-- used: the nomenclature is `inconnue`, and the record stays.
create or replace temp macro read_nomenclature(x) as
    case when x = 'NAFRev2' then x when x in ('NAF2025', 'NAFRev2025') then 'NAF2025' when x <> '' then 'inconnue' end;

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

-- Sirens in the spellings of BODACC: with or without blanks, repeated, in a list or not.
create or replace temp macro sirens_only(x) as
    regexp_replace(replace(x, ';', ','), '["\[\]\s\x{00A0}\x{202F}]', '', 'g');

create or replace temp macro read_sirens(x) as
    case
        when regexp_full_match(sirens_only(x), ',*[0-9]{9}(,+[0-9]{9})*,*')
            then array_to_string(list_sort(list_distinct(regexp_extract_all(sirens_only(x), '[0-9]{9}'))), ',')
    end;

create or replace temp macro read_objet(x) as case when json_valid(x) and x[1:1] = '{' then x end;

create or replace temp macro read_type_avis(x) as case when x in ('annonce', 'rectificatif', 'annulation') then x end;

-- Older announcements write the month in words, with or without accents, some with wrongly decoded accents.
create or replace temp macro number_of_month(x) as
    case
        when x = 'janvier' then '01' when regexp_full_match(x, 'f(é|e|ã©)vrier') then '02' when x = 'mars' then '03'
        when x = 'avril' then '04' when x = 'mai' then '05' when x = 'juin' then '06' when x = 'juillet' then '07'
        when regexp_full_match(x, 'ao(û|u|ã»)t') then '08' when x = 'septembre' then '09' when x = 'octobre' then '10'
        when x = 'novembre' then '11' when regexp_full_match(x, 'd(é|e|ã©)cembre') then '12'
    end;

create or replace temp macro read_date_bodacc(x) as
    case
        when regexp_full_match(x, '(1er|[0-9]{1,2})[\s\x{00A0}]+[^\s\x{00A0}]+[\s\x{00A0}]+[0-9]{4}') then
            read_date_iso(
                x[-4:] || '-'
                || number_of_month(lower(regexp_extract(x, '^[0-9]+(?:er)?[\s\x{00A0}]+([^\s\x{00A0}]+)', 1))) || '-'
                || lpad(regexp_extract(x, '^[0-9]+'), 2, '0')
            )
        else coalesce(read_date_iso(x), read_date_fr(x))
    end;

-- Years such as 0019 and 2108 are typing errors: no accounts in this open file close before 1990.
create or replace temp macro read_date_cloture(x) as
    case when year(read_date_compacte(x)) between 1990 and 2099 then read_date_compacte(x) end;

-- The largest group of France turns over some 2.5e11 euros: an amount from 1e12 is a typing error.
create or replace temp macro read_montant(x) as
    case when abs(read_decimal_virgule(x)) < 1e12 then read_decimal_virgule(x) end;

-- A ratio from 1e6 per cent, ten thousand times the whole, is a division by a number close to zero.
create or replace temp macro read_ratio(x) as
    case when abs(read_decimal_virgule(x)) < 1e6 then read_decimal_virgule(x) end;

-- The name of a recipient becomes that of a folder: it holds nothing that a file system could read as a path.
create or replace temp macro read_destinataire(x) as
    case when regexp_full_match(x, '[a-z0-9][a-z0-9._@-]{0,63}') then x end;

-- Departments, regions (`R27`), or the whole country, separated by single blanks.
create or replace temp macro read_zones(x) as
    case
        when x = 'national' then x
        when
            x <> '' and list_has_all(
                (select list(departement) || list_distinct(list('R' || region)) from labels_departement_region),
                string_split(x, ' ')
            ) then x
    end;

create or replace temp macro read_droits(x) as
    case
        when
            x <> '' and list_has_all(['score', 'urssaf', 'dgefp', 'bdf', 'pge', 'dgfip'], string_split(x, ' ')) then x
    end;

-- A public key of age: Bech32, without 1, b, i and o.
create or replace temp macro read_cle_age(x) as
    case when regexp_full_match(x, 'age1[02-9ac-hj-np-z]{58}') then x end;

create or replace temp macro read_lot(x) as case when regexp_full_match(x, '[0-9]{2}(0[1-9]|1[0-2])') then x end;

create or replace temp macro read_utilite(x) as
    case when x in ('Utile', 'Déjà connue', 'Alerte erronée', 'Hors de notre ressort') then x end;

-- The band of INSEE as the least number of people in it; `NN`, no employer or not known, is no number.
create or replace temp macro read_tranche(x) as
    case x
        when '00' then 0 when '01' then 1 when '02' then 3 when '03' then 6 when '11' then 10 when '12' then 20
        when '21' then 50 when '22' then 100 when '31' then 200 when '32' then 250 when '41' then 500
        when '42' then 1000 when '51' then 2000 when '52' then 5000 when '53' then 10000
    end;

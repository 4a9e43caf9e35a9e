-- The spellings of a text after a wrong decoding: UTF-8 decoded as latin-1 or as cp1252, or cp1252 decoded as latin-1.
create or replace temp macro bytes_of(x) as
    list_transform(range(1, length(hex(encode(x))), 2), lambda i: cast('0x' || hex(encode(x))[i:i + 1] as integer));

create or replace temp macro garbled_as_latin1(x) as array_to_string(list_transform(bytes_of(x), lambda b: chr(b)), '');

create or replace temp macro in_cp1252(b) as
    case when b between 128 and 159 then '€?‚ƒ„…†‡ˆ‰Š‹Œ?Ž??‘’“”•–—˜™š›œ?žŸ'[b - 127] else chr(b) end;

create or replace temp macro garbled_as_cp1252(x) as
    array_to_string(list_transform(bytes_of(x), lambda b: in_cp1252(b)), '');

-- The right letter of each wrong spelling that has only one.
set variable garbled_letters = (
    select map_from_entries(list((garbled, letter)))
    from (
        select garbled, min(letter) as letter
        from (
            select letter, unnest([garbled_as_latin1(letter), garbled_as_cp1252(letter)]) as garbled
            from (
                select chr(codes.code::integer) as letter from range(160, 256) as codes (code)
                union all
                select unnest(string_split('ŒœŸ€–—‘’“”„…•‚', '')) as letter
            ) as letters
            union all
            select lower(letter), unnest([lower(garbled_as_latin1(letter)), lower(garbled_as_cp1252(letter))])
            from (select chr(codes.code::integer) as letter from range(192, 256) as codes (code)) as letters
            union all
            select in_cp1252(codes.code::integer), chr(codes.code::integer) from range(128, 160) as codes (code)
        ) as spellings
        where not contains(garbled, '?') and letter <> '?'
        group by garbled
        having count(distinct letter) = 1
    ) as known
);

-- These letters show a wrong decoding only before a continuation byte: CHÂTEAU and SÃO are right. The replacement character
-- shows one everywhere.
create or replace temp macro looks_garbled(x) as
    regexp_matches(
        x,
        '[ÃÂÅãå][\x{0080}-\x{00BF}€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|Ã( |$)|â€|ï¿½|[\x{0080}-\x{009F}\x{FFFD}]'
    );

-- The longest spelling first, since one may be the start of another; then any character.
set variable garbled_pattern = (
    select '(?s)' || string_agg(garbled, '|' order by length(garbled) desc, garbled) || '|.'
    from (select unnest(map_keys(getvariable('garbled_letters'))) as garbled) as spellings
);

create or replace temp macro repaired(x) as
    array_to_string(
        list_transform(
            regexp_extract_all(x, getvariable('garbled_pattern')),
            lambda piece: coalesce(getvariable('garbled_letters')[piece], piece)
        ),
        ''
    );

create or replace temp macro read_accents(x) as
    case
        when x = '' then null
        when not looks_garbled(x) then x
        when not looks_garbled(repaired(x)) then repaired(x)
        -- Some texts were wrongly decoded twice.
        when not looks_garbled(repaired(repaired(x))) then repaired(repaired(x))
    end;

-- The natures of judgments by their spellings in BODACC: without case, apostrophe and number of blanks, and with wrongly decoded
-- accents, blanks in place of letters included. A spelling of several natures is left out.
create or replace temp macro key_of_nature(x) as
    lower(trim(regexp_replace(replace(nfc_normalize(x), '’', ''''), '[\s\x{00A0}]+', ' ', 'g')));

create or replace temp table known_natures as
select key, min(nature) as nature
from (
    select nature, key_of_nature(unnest([text, garbled_as_latin1(text), garbled_as_cp1252(text)])) as key
    from (select nature, unnest([nature, replace(nature, '''', '’')]) as text from bodacc_natures) as texts
) as spellings
group by key
having count(distinct nature) = 1;

create or replace temp macro read_nature(x) as
    coalesce(
        (select nature from known_natures where key = key_of_nature(x)),
        (select nature from known_natures where key = key_of_nature(read_accents(x))),
        read_accents(x)
    );

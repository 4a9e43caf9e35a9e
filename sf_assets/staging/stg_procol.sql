-- One row is one step of a collective procedure. Its label is split into kind and stage: the first part with the name of a
-- procedure is the kind, the other parts are the stage (rules §4.7).
with pieces as (
    select
        siret,
        date_effet,
        string_split(lower(libelle), '_') as pieces,
        list_position(
            list_transform(
                string_split(lower(libelle), '_'), lambda p: regexp_matches(p, 'liquidation|redressement|sauvegarde')
            ),
            true
        ) as place
    from cells
)

select
    siret,
    date_effet,
    pieces[place] as action_procol,
    case
        when place > 0
            then nullif(array_to_string(list_concat(pieces[1:place - 1], pieces[place + 1:]), '_'), '')
    end as stade_procol
from pieces

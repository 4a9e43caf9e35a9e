-- One row is one company that officers answered about: the first list that one of them answered « Déjà connue » to, and the
-- last answer of each recipient in French, newest first; equal ones once, so that conflicts are visible. No free text.
with newest as (
    select *
    from list_answers
    qualify row_number() over (partition by siren, destinataire order by mois_liste desc, recue desc) = 1
),

worded as (
    select
        siren,
        coalesce(contactee_le, recue) as le,
        concat_ws(
            ', ',
            utilite,
            case
                when contactee_le is not null then 'contactée le ' || strftime(contactee_le, '%d/%m/%Y')
                when contactee then 'contactée'
                when not contactee then 'non contactée'
            end,
            if(contactee_le is null, 'réponse reçue en ' || strftime(recue, '%m/%Y'), null)
        ) as texte
    from newest
),

distinct_texts as (
    select siren, upper(left(texte, 1)) || substr(texte, 2) as texte, max(le) as le
    from worded
    group by all
),

last_answers as (
    select siren, string_agg(texte, ' ; ' order by le desc, texte) as derniere_reponse
    from distinct_texts
    group by siren
)

select
    last_answers.siren,
    last_answers.derniere_reponse,
    min(list_answers.mois_liste) filter (list_answers.utilite = 'Déjà connue') as deja_connue_depuis
from last_answers
join list_answers on last_answers.siren = list_answers.siren
group by last_answers.siren, last_answers.derniere_reponse

-- One row is the debt left to pay by one establishment after the events of one month. A month without an event has no
-- row; a paid debt is zero (rules §6.3). An event replaces the amounts of its debt, so that the stock is the running
-- sum of the differences between successive events: no join of events is needed.
with evenements as (
    -- Amounts are whole cents: as integers a paid debt is exactly zero, floats would leave a residue.
    select
        siret,
        debit_id,
        periode_prise_en_compte as periode,
        cast(round(part_ouvriere * 100) as bigint) as part_ouvriere,
        cast(round(part_patronale * 100) as bigint) as part_patronale
    from stg_debit
    where left(siret, 9) not in (select siren from siren_blacklist)
    qualify row_number() over (
        partition by siret, debit_id, periode_prise_en_compte
        order by
            numero_historique_ecart_negatif desc nulls first,
            date_traitement desc,
            part_ouvriere + part_patronale desc,
            part_ouvriere desc
    ) = 1
),

variations as (
    select
        siret,
        periode,
        part_ouvriere - lag(part_ouvriere, 1, 0) over dette as part_ouvriere,
        part_patronale - lag(part_patronale, 1, 0) over dette as part_patronale
    from evenements
    window dette as (partition by siret, debit_id order by periode)
),

mois as (
    select
        siret,
        periode,
        sum(part_ouvriere) as part_ouvriere,
        sum(part_patronale) as part_patronale
    from variations
    group by siret, periode
)

select
    siret,
    periode,
    cast(sum(part_ouvriere) over etablissement as double) / 100 as part_ouvriere,
    cast(sum(part_patronale) over etablissement as double) / 100 as part_patronale,
    lead(periode) over etablissement is null as is_last
from mois
window etablissement as (partition by siret order by periode)

-- One row is one event in the life of a debt. An event after the 20th belongs to the next month. The identifier of a debt
-- contains the account, so that debts of two accounts of an establishment stay apart (deviation B12).
select
    siret,
    numero_compte,
    numero_ecart_negatif,
    date_traitement,
    part_ouvriere,
    part_patronale,
    numero_historique_ecart_negatif,
    etat_compte,
    code_procedure_collective,
    periode_debut,
    periode_fin,
    code_operation_ecart_negatif,
    code_motif_ecart_negatif,
    recours_en_cours,
    case
        when day(date_traitement) > 20 then last_day(date_traitement) + 1
        else date_traitement - cast(day(date_traitement) - 1 as integer)
    end as periode_prise_en_compte,
    concat(
        siret, numero_compte, 10000 * year(periode_debut) + 100 * month(periode_debut) + day(periode_debut),
        10000 * year(periode_fin) + 100 * month(periode_fin) + day(periode_fin), numero_ecart_negatif
    ) as debit_id
from cells

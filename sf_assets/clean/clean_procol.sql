-- One row is one step of a company's collective procedure, whatever the number of establishments that report it (rules
-- §6.6.1). The balance of a procedure (`solde_procedure`) is an administrative act and not a step; an unknown stage is
-- a step.
select distinct
    left(siret, 9) as siren,
    date_effet,
    action_procol,
    stade_procol,
    case
        when stade_procol = 'fin_procedure' then 'In bonis'
        when action_procol = 'redressement' and stade_procol = 'plan_continuation' then 'Plan de redressement'
        when action_procol = 'redressement' then 'Redressement judiciaire'
        when action_procol = 'liquidation' then 'Liquidation judiciaire'
        when action_procol = 'sauvegarde' and stade_procol = 'plan_continuation' then 'Plan de sauvegarde'
        when action_procol = 'sauvegarde' then 'Sauvegarde'
    end as libelle_procol
from stg_procol
where
    stade_procol is distinct from 'solde_procedure'
    and left(siret, 9) not in (select siren from siren_blacklist)

-- The label table of departments and regions, from INSEE's two files. Overseas collectivities are no departments: INSEE
-- lists them elsewhere, so that the packaged rows stay.
select
    d.dep as departement,
    d.libelle as libelle_departement,
    d.reg as region,
    r.libelle as libelle_region
from departements as d
left join regions as r using (reg)
union all
select departement, libelle_departement, region, libelle_region
from packaged_codes
where region = '00' and departement not in (select dep from departements)

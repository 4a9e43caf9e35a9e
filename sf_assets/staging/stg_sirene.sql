-- One row is one establishment. Its siret is its company's siren followed by its own number; the file's siret column is
-- not read. The department is that of the commune code, three characters overseas.
select
    siren,
    siren || nic as siret,
    siege,
    complement_adresse,
    numero_voie,
    indrep,
    type_voie,
    voie,
    commune,
    commune_etranger,
    distribution_speciale,
    code_commune,
    case when code_commune[1:2] in ('97', '98') then code_commune[1:3] else code_commune[1:2] end as departement,
    code_cedex,
    cedex,
    code_pays_etranger,
    pays_etranger,
    code_postal,
    ape,
    null::varchar as code_activite,
    null::varchar as nomenclature_activite,
    date_creation,
    longitude,
    latitude,
    est_actif
from cells

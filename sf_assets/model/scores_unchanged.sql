-- One row is one comparison: whether the scores just computed (`scored`) equal those of a version of the month, made by the
-- same versions of the same models.
select count(*) = 0
from (select siren, methode, probabilite, model_version from model_scores where version = $version) as before
full join scored as after using (siren, methode)
where
    before.probabilite is distinct from after.probabilite
    or before.model_version is distinct from after.model_version

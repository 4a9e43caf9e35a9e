-- Whether a company and month belong to a sample of one row in `one_in`. A digest of both decides: the sample is the same on
-- any day and machine, and does not depend on the other rows.
create or replace temp macro in_sample(siren, periode, one_in) as
    one_in = 1 or ('0x' || left(md5(siren || periode::varchar), 8))::ubigint % one_in = 0;

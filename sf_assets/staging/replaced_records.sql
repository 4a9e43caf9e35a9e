-- Head-count records with the well-formed corrections in place of the records that they replace.
create or replace temp table corrected_records as
select read_entier(fields[1]) as line, raw, fields[2:] as fields, fault from records where fault is null;
create or replace temp view records as
select line, raw, fields, fault from delivered where line not in (select line from corrected_records where line is not null)
union all
select line, raw, fields, fault from corrected_records

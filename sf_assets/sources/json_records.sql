-- The records of a JSON list, or of one page of an API under `results`.
create temp table records as
select json as record from read_json_objects(getvariable('file'), format = 'array')
where getvariable('opening') = '['
union all
select unnest(json_extract(json, '$.results[*]')) as record
from read_json_objects(getvariable('file'), format = 'unstructured')
where getvariable('opening') = '{'

-- Records of a source that were filtered in a month, by reason.
select
    unnest(['outside the perimeter', 'copies', 'left out by the rule of the source']),
    unnest([sum({outside}), sum({copies}), sum({unneeded})])
from lake.stg_import where month = {month} and source = '{source}'

-- The lines of a text, in their order; an empty line is NULL.
create or replace temp table cut as
select raw
from read_csv(
    $path, columns = { 'raw': 'VARCHAR' }, header = false, delim = $nowhere, quote = '', escape = '',
    auto_detect = false, strict_mode = false, max_line_size = $longest, buffer_size = 2 * $longest, {ends}
)

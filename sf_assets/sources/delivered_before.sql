-- One row is one file of a source in a month, and the last earlier month in which the same bytes, or the text that they
-- hold, were delivered; a line of names alone is no delivery.
select
    arrived.file,
    strftime(max(earlier.month), '%Y-%m') as month
from lake.src_arrivals as arrived
left join lake.src_arrivals as earlier
    on arrived.source = earlier.source and arrived.month > earlier.month
    and (arrived.sha256 = earlier.sha256 or arrived.content_sha256 = earlier.content_sha256)
where
    arrived.month = $month and arrived.source = $source and arrived.lines > 1 and arrived.fault is null
    and (arrived.lines <= $few) = $small
group by arrived.file

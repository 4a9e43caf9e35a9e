-- One row is one range of scores, of `bins` equal ranges from 0 to 1: its number, and how many companies one method scores in it.
select least(floor(s.probabilite * $bins), $bins - 1)::integer as bin, count(*) as companies
from lake.model_scores as s
where
    s.month = $month
    and s.methode = $methode
    and s.version = (select max(version) from lake.model_scores where month = $month)
group by bin

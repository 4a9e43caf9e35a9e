-- Companies that the blacklist of a month excludes, by reason.
select
    unnest(['motif_siege', 'motif_activite', 'motif_categorie_juridique']),
    unnest([count_if(motif_siege), count_if(motif_activite), count_if(motif_categorie_juridique)])
from lake.siren_blacklist where month = {month}

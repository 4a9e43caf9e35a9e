-- The label table of activities, from INSEE's codes, sections and correspondence.
select
    n5[:2] || '.' || n5[3:] as niv5, n5[:2] || '.' || n5[3:4] as niv4, n5[:2] || '.' || n5[3:3] as niv3,
    n5[:2] as niv2, n1 as niv1, sections.libelle as niv1_libelle, sous_classes.libelle as niv5_libelle
from (select code as n5, libelle from sous_classes) as sous_classes
left join passage using (n5)
left join sections on sections.code = n1

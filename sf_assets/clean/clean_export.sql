-- One row is one Parquet file of the month's clean tables, with the number of rows of its table (rules §8.4). Companies
-- of the blacklist are only in the register's tables.
select 'clean_filter.parquet' as file, count(*) as rows from clean_filter
union all
select 'clean_ap.parquet' as file, count(*) as rows from clean_ap
union all
select 'clean_cotisation.parquet' as file, count(*) as rows from clean_cotisation
union all
select 'clean_debit.parquet' as file, count(*) as rows from clean_debit
union all
select 'clean_delai.parquet' as file, count(*) as rows from clean_delai
union all
select 'clean_procol.parquet' as file, count(*) as rows from clean_procol
union all
select 'clean_procol_at_date.parquet' as file, count(*) as rows from clean_procol_at_date
union all
select 'clean_effectif.parquet' as file, count(*) as rows from clean_effectif
union all
select 'clean_effectif_ent.parquet' as file, count(*) as rows from clean_effectif_ent
union all
select 'clean_sirene.parquet' as file, count(*) as rows from clean_sirene
union all
select 'clean_sirene_ul.parquet' as file, count(*) as rows from clean_sirene_ul
union all
select 'clean_sirene_histo.parquet' as file, count(*) as rows from clean_sirene_histo

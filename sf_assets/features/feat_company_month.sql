-- One row is one company of the perimeter that employed people and was active at the month's cut-off, with its identity
-- as known then. A company is followed under three conditions: its last known head-count is less than six months older
-- than the newest that could be known; its head office is open according to the register; its head-count was known to
-- reach the minimum within the perimeter's window. The last condition leaves out companies that are in today's
-- perimeter and reached it after the month. On open data, staff bands take the place of head-counts.
with months as (
    select
        cast(month as date) as month,
        cast(last_day(cast(month as date)) + $shift as date) as cutoff
    from generate_series($first::date, $last::date, interval 1 month) as s (month)
),

followed as (
    -- The register is ninety times as large as the perimeter.
    select * from clean_sirene where siren in (select siren from clean_filter)
),

head_offices as (
    -- Of several head offices the open one counts, then the newest, as in clean_sirene_ul.
    select
        siren, siret, code_commune, departement, region, libelle_region,
        ape, naf_section, ape_naf25, naf25_section, nomenclature_activite, origine_naf, origine_naf25, date_creation
    from followed
    where siege
    qualify
        row_number() over (
            partition by siren order by est_actif desc nulls last, date_creation desc nulls last, siret, code_commune
        ) = 1
),

units as (
    select * from clean_sirene_ul where siren in (select siren from clean_filter)
),

former_head_offices as (
    -- The register only has today's head office: before its creation, the oldest establishment takes its place.
    select
        s.siren, s.siret, s.code_commune, s.departement, s.region, s.libelle_region, s.ape, s.naf_section, s.ape_naf25,
        s.naf25_section, s.nomenclature_activite, s.origine_naf, s.origine_naf25, s.date_creation
    from followed as s
    join head_offices as h
        on s.siren = h.siren and known_from_sirene(s.date_creation) < known_from_sirene(h.date_creation)
    qualify row_number() over (partition by s.siren order by known_from_sirene(s.date_creation), s.siret) = 1
),

head_offices_at_date as (
    select *, known_from_sirene(date_creation) as since, date '9999-12-31' as until from head_offices
    union all
    select
        former_head_offices.*,
        known_from_sirene(former_head_offices.date_creation) as since,
        known_from_sirene(head_offices.date_creation) as until
    from former_head_offices
    join head_offices using (siren)
),

states as (
    -- A state lasts until the next one starts; of two states that start the same day, the open one counts.
    select
        siret,
        known_from_sirene_histo(date_debut) as since,
        bool_or(est_actif) as est_actif,
        lead(since, 1, '9999-12-31') over (partition by siret order by since) as until
    from clean_sirene_histo
    group by siret, since
),

closed as (
    select head_offices.siren, months.month
    from states
    join head_offices using (siret)
    join months on months.cutoff >= states.since and months.cutoff < states.until
    where not states.est_actif
),

employers as (
    -- Either head-counts or bands are outside the deployment, and empty.
    select month, siren from feat_effectif where effectif > 0
    union all
    select month, siren from feat_tranche where tranche_effectif > 0
),

known_to_reach as (
    select siren, cast(date_trunc('month', known_from_effectif_ent(periode) - $shift) as date) as since
    from clean_effectif_ent
    where effectif_ent >= $minimum
    union all
    select siren, cast(date_trunc('month', connue_le - $shift) as date) as since
    from clean_tranche
    where effectif_minimum >= $minimum
),

reached as (
    -- The months whose perimeter window contains a head-count, or a band, that reaches the minimum.
    select
        siren,
        since,
        cast(since + to_months($perimeter_months) as date) as until,
        coalesce(since > lag(until) over (partition by siren order by since), true) as starts
    from known_to_reach
),

entitled as (
    -- Overlapping windows are merged into one stay, so that each company and month comes once.
    select siren, min(since) as since, max(until) as until
    from (select *, count(*) filter (starts) over (partition by siren order by since) as stay from reached) as stays
    group by siren, stay
),

moves as (
    -- A site that closes within 31 days of the opening of another one has moved, on the later of both days.
    select gone.siret, left(gone.siret, 9) as siren, min(greatest(gone.since, opened.since)) as day
    from states as gone
    join states as opened
        on left(gone.siret, 9) = left(opened.siret, 9)
        and gone.siret <> opened.siret
        and abs(gone.since - opened.since) <= 31
    where not gone.est_actif and opened.est_actif
    group by gone.siret, gone.since
),

moved as (
    select moves.siren, months.month, count(*) as demenagements
    from months
    join moves on moves.day <= months.cutoff and moves.day > months.cutoff - interval 24 month
    group by all
),

histories as (
    -- Moves of a company are unknown before its first recorded state.
    select left(siret, 9) as siren, min(since) as since
    from states
    group by all
),

members as (
    select siren, siren_groupe from clean_ellisphere
    union
    select siren_groupe as siren, siren_groupe from clean_ellisphere
),

group_sizes as (
    select siren, max(taille) as taille_groupe
    from (select siren, count(*) over (partition by siren_groupe) as taille from members) as sizes
    group by siren
),

steps as (
    -- Of several steps in force the last counts; of several on one day the most serious kind, then the later stage.
    select
        *,
        100 * (date_effet - date '1900-01-01')
        + 10 * coalesce(list_position(['sauvegarde', 'redressement', 'liquidation'], action_procol), 0)
        - rang_stade as place
    from clean_procedure
    where libelle_procol is not null and not est_close
),

withdrawn_ends as (
    -- The end of a procedure that was announced, then corrected, counts until its correction.
    select siren, action_procol, date_effet, date_publication, date_retrait
    from clean_procedure
    where est_close and date_retrait is not null
),

in_procedure as (
    select steps.siren, months.month, arg_max(steps.libelle_procol, steps.place) as procedure_connue
    from months
    join steps
        on steps.date_publication <= months.cutoff
        and (steps.date_oubli is null or steps.date_oubli > months.cutoff)
    anti join withdrawn_ends as w
        on steps.siren = w.siren
        and steps.action_procol = w.action_procol
        and steps.date_effet <= w.date_effet
        and months.cutoff >= w.date_publication
        and months.cutoff < w.date_retrait
    group by all
)

select
    months.month,
    f.siren,
    ul.raison_sociale,
    head_offices.siret as siret_siege,
    head_offices.code_commune,
    head_offices.departement,
    head_offices.libelle_region,
    coalesce(ul.activite_principale, head_offices.ape) as code_naf,
    coalesce(ul.naf_section, head_offices.naf_section) as naf_section,
    coalesce(ul.activite_principale_naf25, head_offices.ape_naf25) as code_naf25,
    coalesce(ul.naf25_section, head_offices.naf25_section) as naf25_section,
    coalesce(ul.nomenclature_activite, head_offices.nomenclature_activite) as nomenclature_activite,
    case when ul.activite_principale is not null then ul.origine_naf else head_offices.origine_naf end as origine_naf,
    case when ul.activite_principale_naf25 is not null then ul.origine_naf25 else head_offices.origine_naf25 end
        as origine_naf25,
    ul.categorie_juridique,
    p.procedure_connue,
    date_diff('day', ul.creation, months.cutoff) / 365.25 as age_entreprise,
    case when histories.since <= months.cutoff then coalesce(moved.demenagements, 0)::double end as demenagements_24m,
    case when known_from_ellisphere() <= months.cutoff then group_sizes.taille_groupe::double end as taille_groupe
from months
join employers as e on months.month = e.month
join clean_filter as f on e.siren = f.siren
join entitled on e.siren = entitled.siren and months.month >= entitled.since and months.month < entitled.until
left join units as ul on f.siren = ul.siren
left join head_offices_at_date as head_offices
    on f.siren = head_offices.siren and months.cutoff >= head_offices.since and months.cutoff < head_offices.until
left join in_procedure as p on f.siren = p.siren and months.month = p.month
left join histories on f.siren = histories.siren
left join moved on f.siren = moved.siren and months.month = moved.month
left join group_sizes on f.siren = group_sizes.siren
where
    (ul.creation is null or known_from_sirene_ul(ul.creation) <= months.cutoff)
    and not exists (select 1 from closed where closed.siren = f.siren and closed.month = months.month)

-- One row is one company of the perimeter that employed people and was active at the month's cut-off, with what was then
-- known of it. A company is followed while its last known head-count is less than six months older than the newest that
-- could be known, while the register says that its seat is open, and once it is known to have had enough staff in the
-- perimeter's window: the perimeter of today also holds companies that grew into it later.
with months as (
    select
        cast(month as date) as month,
        cast(last_day(cast(month as date)) + $shift as date) as cutoff
    from generate_series($first::date, $last::date, interval 1 month) as s (month)
),

seats as (
    -- Of several seats the open one counts, then the newest, as in clean_sirene_ul.
    select
        siren, siret, code_commune, departement, region, libelle_region,
        ape, naf_section, ape_naf25, naf25_section, nomenclature_activite, origine_naf, origine_naf25, date_creation
    from clean_sirene
    where siege
    qualify
        row_number() over (
            partition by siren order by est_actif desc nulls last, date_creation desc nulls last, siret, code_commune
        ) = 1
),

former_seats as (
    -- The register only says which establishment is the seat today: before this one was created, the oldest stands for it.
    select
        s.siren, s.siret, s.code_commune, s.departement, s.region, s.libelle_region, s.ape, s.naf_section, s.ape_naf25,
        s.naf25_section, s.nomenclature_activite, s.origine_naf, s.origine_naf25, s.date_creation
    from clean_sirene as s
    join seats on s.siren = seats.siren and known_from_sirene(s.date_creation) < known_from_sirene(seats.date_creation)
    qualify row_number() over (partition by s.siren order by known_from_sirene(s.date_creation), s.siret) = 1
),

seats_at_date as (
    select *, known_from_sirene(date_creation) as since, date '9999-12-31' as until from seats
    union all
    select
        former_seats.*,
        known_from_sirene(former_seats.date_creation) as since,
        known_from_sirene(seats.date_creation) as until
    from former_seats
    join seats using (siren)
),

states as (
    -- A state lasts until the next one starts; of two that start the same day, an open one counts.
    select
        siret,
        known_from_sirene_histo(date_debut) as since,
        bool_or(est_actif) as est_actif,
        lead(since, 1, '9999-12-31') over (partition by siret order by since) as until
    from clean_sirene_histo
    group by siret, since
),

closed as (
    select seats.siren, months.month
    from states
    join seats using (siret)
    join months on months.cutoff >= states.since and months.cutoff < states.until
    where not states.est_actif
),

reached as (
    -- The months at which a head-count that opens the perimeter is in its window.
    select
        siren,
        cast(date_trunc('month', known_from_effectif_ent(periode) - $shift) as date) as since,
        cast(since + to_months($perimeter_months) as date) as until,
        coalesce(since > lag(until) over (partition by siren order by periode), true) as starts
    from clean_effectif_ent
    where effectif_ent >= $minimum
),

entitled as (
    -- Windows that overlap are one stay, so that a company and month come once.
    select siren, min(since) as since, max(until) as until
    from (select *, count(*) filter (starts) over (partition by siren order by since) as stay from reached) as stays
    group by siren, stay
),

moves as (
    -- A site that closes within a month of the opening of another one has moved, on the later of both days.
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

told as (
    select left(siret, 9) as siren, min(since) as since
    from states
    group by all
),

members as (
    select siren, siren_groupe from clean_ellisphere
    union
    select siren_groupe as siren, siren_groupe from clean_ellisphere
),

held as (
    select siren, max(taille) as taille_groupe
    from (select siren, count(*) over (partition by siren_groupe) as taille from members) as sizes
    group by siren
),

steps as (
    -- Of several steps in force the last counts; of those of a day the gravest kind, then the later stage.
    select
        *,
        100 * (date_effet - date '1900-01-01')
        + 10 * coalesce(list_position(['sauvegarde', 'redressement', 'liquidation'], action_procol), 0)
        - rang_stade as place
    from clean_procedure
    where libelle_procol is not null and not est_close
),

withdrawn_ends as (
    -- An end that was announced, then corrected, was one until its correction.
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
    seats.siret as siret_siege,
    seats.code_commune,
    seats.departement,
    seats.libelle_region,
    coalesce(ul.activite_principale, seats.ape) as code_naf,
    coalesce(ul.naf_section, seats.naf_section) as naf_section,
    coalesce(ul.activite_principale_naf25, seats.ape_naf25) as code_naf25,
    coalesce(ul.naf25_section, seats.naf25_section) as naf25_section,
    coalesce(ul.nomenclature_activite, seats.nomenclature_activite) as nomenclature_activite,
    case when ul.activite_principale is not null then ul.origine_naf else seats.origine_naf end as origine_naf,
    case when ul.activite_principale_naf25 is not null then ul.origine_naf25 else seats.origine_naf25 end
        as origine_naf25,
    ul.categorie_juridique,
    p.procedure_connue,
    date_diff('day', ul.creation, months.cutoff) / 365.25 as age_entreprise,
    case when told.since <= months.cutoff then coalesce(moved.demenagements, 0)::double end as demenagements_24m,
    case when known_from_ellisphere() <= months.cutoff then held.taille_groupe::double end as taille_groupe
from months
join feat_effectif as e on months.month = e.month and e.effectif > 0
join clean_filter as f on e.siren = f.siren
join entitled on e.siren = entitled.siren and months.month >= entitled.since and months.month < entitled.until
left join clean_sirene_ul as ul on f.siren = ul.siren
left join seats_at_date as seats
    on f.siren = seats.siren and months.cutoff >= seats.since and months.cutoff < seats.until
left join in_procedure as p on f.siren = p.siren and months.month = p.month
left join told on f.siren = told.siren
left join moved on f.siren = moved.siren and months.month = moved.month
left join held on f.siren = held.siren
where
    (ul.creation is null or known_from_sirene_ul(ul.creation) <= months.cutoff)
    and not exists (select 1 from closed where closed.siren = f.siren and closed.month = months.month)

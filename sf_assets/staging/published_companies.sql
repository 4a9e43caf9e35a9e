-- One row is one company of the lists published for the months before $month, with the first of these lists, AAMM.
select list_alerts.siren as company, min(strftime(list_alerts.month, '%y%m')) as first_list
from list_alerts
join list_publication
    on list_alerts.month = list_publication.month and list_alerts.version = list_publication.list_version
where list_alerts.month < $month
group by list_alerts.siren

select a.name, count(*) as departures, cast(avg(d.dep_delay) as decimal(10, 2)) as mean_delay
from {{ ref('departures_read') }} d join {{ ref('airlines') }} a on a.carrier = d.carrier
group by a.name

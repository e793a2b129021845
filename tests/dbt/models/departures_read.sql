{{ config(materialized='view') }}
select id, carrier, dep_delay, distance, day, coalesce(dep_delay > 0, false) as late
from {{ ref('departures') }}
where day <= date '{{ var("until", "2013-01-02") }}'

select id from {{ ref('departures_read') }} where dep_delay > {{ var('plausible', 1000) }}

{{ config(table_type='iceberg', partitioned_by=['bucket(carrier, 4)']) }}
select id, carrier, dep_delay, day from {{ ref('departures_read') }}

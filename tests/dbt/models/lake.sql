{{ config(table_type='iceberg', tags=['lake'], partitioned_by=['bucket(carrier, 4)']) }}
select id, carrier, dep_delay, day from {{ ref('departures_read') }}

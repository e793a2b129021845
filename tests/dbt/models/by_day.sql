{{ config(partitioned_by=['day'], write_compression='zstd') }}
select id, carrier, distance, day from {{ ref('departures_read') }}

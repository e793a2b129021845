{{ config(materialized='incremental', table_type='iceberg', tags=['lake'], incremental_strategy='merge', unique_key='carrier') }}
select carrier, count(*) as departures, max(day) as last_day from {{ ref('departures_read') }} group by carrier

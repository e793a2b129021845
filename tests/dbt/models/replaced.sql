{{ config(materialized='incremental', incremental_strategy='insert_overwrite', partitioned_by=['day']) }}
select id, carrier, dep_delay, day from {{ ref('departures_read') }}
{% if is_incremental() %} where day >= (select max(day) from {{ this }}) {% endif %}

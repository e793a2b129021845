{{ config(materialized='incremental', incremental_strategy='append') }}
select id, carrier from {{ ref('departures_read') }}
{% if is_incremental() %} where id > (select max(id) from {{ this }}) {% endif %}

{% snapshot airlines_in_lake %}
{{ config(unique_key='carrier', strategy='check', check_cols=['name'], table_type='iceberg') }}
select carrier, case carrier when 'AA' then '{{ var("american", "American Airlines") }}' else name end as name
from {{ ref('airlines') }}
{% endsnapshot %}

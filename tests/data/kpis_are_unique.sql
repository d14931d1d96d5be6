select
    kpi,
    dim,
    count(*) as times
from {{ ref('mart_kpis') }}
group by kpi, dim
having count(*) > 1

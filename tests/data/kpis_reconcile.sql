{#- Every way to split the customers counts each of them once. -#}
select
    kpi,
    sum(value) as customers
from {{ ref('mart_kpis') }}
where kpi like 'customers_by_%'
group by kpi
having sum(value) <> (select value from {{ ref('mart_kpis') }} where kpi = 'customers' and dim = 'all')

{#- Joining the bridge and the searches loses no customer. -#}
select content.Contract
from {{ ref('customer_content') }} as content
left join {{ ref('mart_customer_360') }} as unified on unified.Contract = content.Contract
where unified.Contract is null

{#- Activity bands are about days of one month. Over a longer range a contract with more days than any band has
    falls out of customer_content, silently in the original; here the test says which. -#}
{{ config(severity='warn' if var('parity') else 'error') }}
select
    contract,
    active_days
from {{ ref('int_contract_usage') }}
where
    contract <> '0'
    and content_viewings > 0
    and active_days > (select max(max_days) from {{ ref('activity_bands') }})

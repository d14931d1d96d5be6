select
    contract,
    user_id
from {{ source('lake', 'contract_user') }}

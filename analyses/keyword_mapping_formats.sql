{#- Where the CSV and the workbook of the keyword mapping disagree: rows that only one of them has. -#}
select 'csv' as only_in, csv.*
from (
    select search, category from {{ source('lake', 'keyword_category') }}
    except
    select search, category from {{ source('lake', 'keyword_category_xlsx') }}
) as csv
union all
select 'xlsx' as only_in, xlsx.*
from (
    select search, category from {{ source('lake', 'keyword_category_xlsx') }}
    except
    select search, category from {{ source('lake', 'keyword_category') }}
) as xlsx

"""The Customer360 job as plain SQL: what the models compute under `parity: true`, for engines that are not c360.

`statements(dialect, lake)` gives (name, query, is_mart) in order; a query reads the names before it. The dialects differ
in how they read files and in three functions, nothing else. Taxonomies and bands are written out, so that no engine has to
join a table of fourteen rows.
"""

CONTENT = {"Truyen_hinh": ["CHANNEL", "DSHD", "KPLUS"], "Phim_truyen": ["VOD", "FIMS"], "The_thao": ["SPORT"],
           "Giai_tri": ["RELAX"], "Thieu_nhi": ["CHILD"]}
BEHAVIOR = {"Relax": ["RELAX"], "Movie": ["VOD", "VOD_RES", "FIMS", "FIMS_RES", "BHD", "BHD_RES", "DANET"],
            "Child": ["CHILD"], "Sport": ["SPORT"], "Tv": ["CHANNEL", "DSHD", "KPLUS", "KPlus"]}
CONTENT_APPS = [app for apps in CONTENT.values() for app in apps]
BEHAVIOR_APPS = [app for apps in BEHAVIOR.values() for app in apps]
DATE = r"^([0-9]{4,7})-([0-9]{1,2})(-([0-9]{1,2})([ T].*)?)?$"
MARTS = ["customer_content", "customer_behavior", "search_trend", "mart_totals", "mart_kpis", "mart_customer_360"]


def total(of, dialect):
    """The sum of whole numbers, as a whole number of 64 bits."""
    return f"cast(coalesce(sum({of}), 0) as bigint)" if dialect == "duckdb" else f"coalesce(sum({of}), 0)"


def among(apps):
    return "(" + ", ".join(f"'{app}'" for app in apps) + ")"


def sources(dialect, lake):
    """The raw files as relations: log(contract, mac, day, duration, app), search, mapping, bridge."""
    fields = "_source.Contract as contract, _source.Mac as mac, _source.TotalDuration as duration, _source.AppName as app"
    if dialect == "duckdb":
        kind = 'STRUCT("Contract" VARCHAR, "Mac" VARCHAR, "TotalDuration" BIGINT, "AppName" VARCHAR)'
        return {
            "log": f"""select {fields}, regexp_extract(filename, '(\\d{{8}})\\.json$', 1) as day from read_json(
                '{lake}/log_content/*.json', format='newline_delimited', filename=true, columns={{_source: '{kind}'}})""",
            "search": f"select user_id, keyword, datetime from read_parquet('{lake}/log_search/*/*.parquet')",
            "mapping": f"select search as keyword, category from read_csv('{lake}/mapping/keyword_category.csv', header=true, all_varchar=true)",
            "bridge": f"select contract, user_id from read_csv('{lake}/mapping/contract_user.csv', header=true, all_varchar=true)",
        }
    if dialect == "datafusion":
        fields = ", ".join(f"_source['{name}'] as {alias}" for name, alias in
                           [("Contract", "contract"), ("Mac", "mac"), ("TotalDuration", "duration"), ("AppName", "app")])
        return {
            "log": f"select {fields}, right(input_file_name(), 13) as day from files_log",
            "search": "select user_id, keyword, datetime from files_search",
            "mapping": "select search as keyword, category from files_mapping",
            "bridge": "select contract, user_id from files_bridge",
        }
    return {
        "log": f"select {fields}, regexp_extract(input_file_name(), '([0-9]{{8}})[.]json$', 1) as day from files_log",
        "search": "select user_id, keyword, datetime from files_search",
        "mapping": "select search as keyword, category from files_mapping",
        "bridge": "select contract, user_id from files_bridge",
    }


def month(dialect):
    """The month of a loosely written date, or NULL, as an expression over `datetime`."""
    if dialect == "duckdb":
        parts = f"regexp_extract(trim(datetime, ' '), '{DATE}', ['y', 'm', 'rest', 'd'])"
        return f"list_transform([{parts}], lambda p: month(try_cast(p.y || '-' || p.m || '-' || coalesce(nullif(p.d, ''), '1') as date)))[1]"
    if dialect == "datafusion":
        return f"""date_part('month', try_cast(lpad(regexp_match(trim(datetime), '{DATE}')[1], 4, '0') || '-' ||
            lpad(regexp_match(trim(datetime), '{DATE}')[2], 2, '0') || '-' ||
            lpad(coalesce(regexp_match(trim(datetime), '{DATE}')[4], '1'), 2, '0') as date))"""
    return "month(try_cast(trim(datetime) as date))"


def percentile(dialect, share):
    if dialect == "datafusion":
        return f"min(TotalDuration) filter (where rn >= {share} * n)"
    return f"percentile_disc({share}) within group (order by TotalDuration)"


def usage(dialect):
    sums = [f"{total(f'case when app in {among(apps)} then duration end', dialect)} as content_{name}"
            for name, apps in CONTENT.items()]
    sums += [f"{total(f'case when app in {among(apps)} then duration end', dialect)} as behavior_{name}"
             for name, apps in BEHAVIOR.items()]
    sums += [f"count(case when app in {among(CONTENT_APPS)} then 1 end) as content_viewings",
             f"count(case when app in {among(BEHAVIOR_APPS)} then 1 end) as behavior_viewings"]
    if dialect != "datafusion":
        return f"""select contract, {', '.join(sums)}, count(distinct mac) as devices, count(distinct day) as active_days,
            count(distinct case when app in {among(BEHAVIOR_APPS)} then day end) as behavior_days
            from log group by contract"""
    # Several count(distinct text) in one query take some 60 KB a group there; two steps do not.
    names = [line.rsplit(" as ", 1)[1] for line in sums]
    counts = """select contract, count(distinct mac) as devices from log group by contract"""
    days = f"""select contract, count(*) as active_days, count(seen) as behavior_days from (select contract, day,
        max(case when app in {among(BEHAVIOR_APPS)} then 1 end) as seen from log group by contract, day) as d group by contract"""
    return f"""select s.contract, {', '.join('s.' + name for name in names)}, c.devices, d.active_days, d.behavior_days
        from (select contract, {', '.join(sums)} from log group by contract) as s
        join ({counts}) as c on c.contract = s.contract join ({days}) as d on d.contract = s.contract"""


def most(columns, none=None):
    greatest = f"greatest({', '.join(columns.values())})"
    first = f"when {greatest} = 0 then '{none}' " if none else ""
    return "case " + first + " ".join(f"when {column} = {greatest} then '{name}'" for name, column in columns.items()) + " end"


def content(dialect):
    columns = {name: f"Total_{name}" for name in CONTENT}
    ranked = ", row_number() over (order by TotalDuration) as rn, count(*) over () as n" if dialect == "datafusion" else ""
    quartiles = f"select {percentile(dialect, 0.25)} as q1, {percentile(dialect, 0.5)} as q2 from " + (
        f"(select TotalDuration{ranked} from customers) as r" if ranked else "customers")
    return f"""with customers as (
        select contract as Contract, {', '.join(f'content_{name} as {column}' for name, column in columns.items())},
            {' + '.join(f'content_{name}' for name in columns)} as TotalDuration, devices as TotalDevices, active_days as ActiveDays,
            case when active_days <= 7 then 'very low' when active_days <= 14 then 'low' when active_days <= 21 then 'moderate'
                when active_days <= 28 then 'high' else 'very high' end as Activeness
        from contract_usage where contract <> '0' and content_viewings > 0 and active_days <= 31),
      quartiles as ({quartiles}),
      typed as (
        select customers.*, case when Activeness = 'very low' and TotalDuration < q1 then 1
            when Activeness = 'low' and TotalDuration < q2 then 2 when Activeness = 'moderate' and TotalDuration < q2 then 3
            when Activeness = 'moderate' and TotalDuration >= q2 then 4 when Activeness = 'high' and TotalDuration > q1 then 5
            when Activeness = 'very high' and TotalDuration > q1 then 6 else 0 end as CustomerType
        from customers cross join quartiles)
      select Contract, {', '.join(sorted(columns.values()))}, TotalDevices, {most(columns)} as MostWatch,
        concat_ws('-', {', '.join(f"case when {column} <> 0 then '{name}' end" for name, column in columns.items())}) as CustomerTaste,
        Activeness, CustomerType, TotalDuration, ActiveDays,
        case CustomerType when 0 then 'Anomaly' when 1 then 'Leaving' when 2 then 'Need Attention' when 3 then 'Normal'
            when 4 then 'Potential' when 5 then 'Loyal' else 'VIP' end as Segment
      from typed"""


def behavior():
    columns = {name: f"{name}Duration" for name in BEHAVIOR}
    # A customer without TV gets a '_' at the end, as in the original.
    tail = " else ''"
    taste = ", ".join(f"case when {column} <> 0 then '{name}'{tail if name == 'Tv' else ''} end"
                      for name, column in columns.items())
    return f"""with customers as (
        select contract as Contract, {', '.join(f'behavior_{name} as {column}' for name, column in columns.items())},
            {' + '.join(f'behavior_{name}' for name in columns)} as TotalDuration, behavior_days as Activeness
        from contract_usage where contract is not null and behavior_viewings > 0)
      select Contract, {', '.join(columns.values())}, TotalDuration, {most(columns, 'No')} as Most_watch,
        case when {' and '.join(f'{column} = 0' for column in columns.values())} then 'No' else concat_ws('_', {taste}) end as Tase,
        Activeness, cast('2023-09-14' as date) as Date
      from customers"""


def trend(dialect):
    return f"""with counted as (
        select user_id, month, keyword, count(*) as searches
        from (select user_id, keyword, {month(dialect)} as month from search) as dated
        where user_id is not null and keyword is not null and month in (6, 7) group by user_id, month, keyword),
      most_searched as (
        select user_id, month, trim({"keyword, ' '" if dialect == 'duckdb' else 'keyword'}) as keyword from (
          select user_id, month, keyword,
            row_number() over (partition by user_id, month order by searches desc, keyword) as rn from counted) as r where rn = 1),
      users as (
        select user_id, max(case when month = 6 then keyword end) as keyword_1, max(case when month = 7 then keyword end) as keyword_2
        from most_searched group by user_id having count(*) = 2),
      categories as (select keyword, min(category) as category from mapping where keyword is not null group by keyword)
      select users.user_id, keyword_1 as most_search_month_6, keyword_2 as most_search_month_7,
        m1.category as category_t6, m2.category as category_t7,
        case when m1.category = m2.category then 'Unchanged' else 'Changed' end as Trending_Type,
        case when m1.category = m2.category then 'Unchanged' else concat_ws(' -> ', m1.category, m2.category) end as Previous
      from users left join categories as m1 on m1.keyword = keyword_1 left join categories as m2 on m2.keyword = keyword_2"""


def totals(dialect):
    sums = ", ".join(f"{total(f'{name}Duration', dialect)} as Total_{name}Duration" for name in BEHAVIOR)
    return f"""select cast('2022-04-01' as date) as Month, count(*) as Total_user, {sums},
        {total('TotalDuration', dialect)} as Total_Duration from customer_behavior"""


def kpis(dialect):
    dims = {"customers_by_type": "cast(CustomerType as varchar(10))", "customers_by_activeness": "Activeness",
            "customers_by_taste": "CustomerTaste", "customers_by_mostwatch": "MostWatch"}
    parts = ["select 'customers' as kpi, 'all' as dim, count(*) as value from customer_content"]
    parts += [f"select 'total_duration', '{name}', {total(f'Total_{name}', dialect)} from customer_content" for name in CONTENT]
    parts += [f"select 'devices', 'all', {total('TotalDevices', dialect)} from customer_content"]
    parts += [f"select '{kpi}', {dim}, count(*) from customer_content group by {dim}" for kpi, dim in dims.items()]
    parts += ["select 'search_users', 'all', count(*) from search_trend",
              "select 'search_trending_type', Trending_Type, count(*) from search_trend group by Trending_Type",
              "select 'search_category_change', Previous, count(*) from search_trend where Trending_Type = 'Changed' group by Previous"]
    return " union all ".join(parts)


def customer_360():
    return """select c.Contract, b.user_id, c.Total_Giai_tri, c.Total_Phim_truyen, c.Total_The_thao, c.Total_Thieu_nhi,
        c.Total_Truyen_hinh, c.TotalDevices, c.MostWatch, c.CustomerTaste, c.Activeness, c.CustomerType, c.Segment,
        t.most_search_month_6, t.most_search_month_7, t.category_t6, t.category_t7, t.Trending_Type, t.Previous,
        c.TotalDuration, c.ActiveDays, h.TotalDuration as BehaviorDuration, h.Activeness as BehaviorDays,
        h.Most_watch as BehaviorMostWatch, h.Tase as BehaviorTaste
      from customer_content as c left join customer_behavior as h on h.Contract = c.Contract
      left join bridge as b on b.contract = c.Contract left join search_trend as t on t.user_id = b.user_id"""


def tables(dialect):
    """(name, query, whether it is a mart) of what is kept, in order."""
    return [("contract_usage", usage(dialect), False), ("customer_content", content(dialect), True),
            ("customer_behavior", behavior(), True), ("search_trend", trend(dialect), True), ("mart_totals", totals(dialect), True),
            ("mart_kpis", kpis(dialect), True), ("mart_customer_360", customer_360(), True)]

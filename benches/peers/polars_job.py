"""The Customer360 job by Polars, lazily and by its streaming engine: `polars_job.py LAKE OUT`."""
import sys
from pathlib import Path

import polars as pl
from polars import col, lit, when

import marts

lake, out = Path(sys.argv[1]), Path(sys.argv[2])
CONTENT, BEHAVIOR = list(marts.CONTENT), list(marts.BEHAVIOR)


def keep(frame, name):
    table = frame.collect(engine="streaming")
    if name in marts.MARTS:
        table.write_parquet(out / f"{name}.parquet")
    return table.lazy()


def most(columns):
    greatest = pl.max_horizontal(columns.values())
    chain = None
    for name, column in columns.items():
        chain = (pl if chain is None else chain).when(col(column) == greatest).then(lit(name))
    return chain


def usage():
    fields = {"Contract": pl.String, "Mac": pl.String, "TotalDuration": pl.Int64, "AppName": pl.String}
    log = pl.scan_ndjson(sorted(lake.glob("log_content/*.json")), schema={"_source": pl.Struct(fields)}, include_file_paths="file")
    log = log.unnest("_source").select(col("Contract").alias("contract"), "Mac", col("TotalDuration").alias("duration"),
                                       col("AppName").alias("app"), col("file").str.slice(-13, 8).alias("day"))
    total = lambda apps: col("duration").filter(col("app").is_in(apps)).sum()
    return log.group_by("contract").agg(
        *[total(apps).alias(f"content_{name}") for name, apps in marts.CONTENT.items()],
        *[total(apps).alias(f"behavior_{name}") for name, apps in marts.BEHAVIOR.items()],
        col("app").is_in(marts.CONTENT_APPS).sum().cast(pl.Int64).alias("content_viewings"),
        col("app").is_in(marts.BEHAVIOR_APPS).sum().cast(pl.Int64).alias("behavior_viewings"),
        col("Mac").drop_nulls().n_unique().cast(pl.Int64).alias("devices"), col("day").n_unique().cast(pl.Int64).alias("active_days"),
        col("day").filter(col("app").is_in(marts.BEHAVIOR_APPS)).n_unique().cast(pl.Int64).alias("behavior_days"))


def content(usage):
    columns = {name: f"Total_{name}" for name in CONTENT}
    days, total, active = col("ActiveDays"), col("TotalDuration"), col("Activeness")
    customers = usage.filter((col("contract") != "0") & (col("content_viewings") > 0) & (col("active_days") <= 31))
    customers = customers.select(
        col("contract").alias("Contract"), *[col(f"content_{name}").alias(column) for name, column in columns.items()],
        pl.sum_horizontal([f"content_{name}" for name in CONTENT]).alias("TotalDuration"),
        col("devices").alias("TotalDevices"), col("active_days").alias("ActiveDays"))
    customers = customers.with_columns(
        when(days <= 7).then(lit("very low")).when(days <= 14).then(lit("low")).when(days <= 21).then(lit("moderate"))
        .when(days <= 28).then(lit("high")).otherwise(lit("very high")).alias("Activeness"))
    # percentile_disc: the first value at which the share is reached.
    rank = lambda share: total.sort().get((pl.len() * share).ceil().cast(pl.Int64) - 1)
    customers = customers.with_columns(rank(0.25).alias("q1"), rank(0.5).alias("q2"))
    kind = (when((active == "very low") & (total < col("q1"))).then(1).when((active == "low") & (total < col("q2"))).then(2)
            .when((active == "moderate") & (total < col("q2"))).then(3).when(active == "moderate").then(4)
            .when((active == "high") & (total > col("q1"))).then(5).when((active == "very high") & (total > col("q1"))).then(6)
            .otherwise(0))
    segments = ["Anomaly", "Leaving", "Need Attention", "Normal", "Potential", "Loyal", "VIP"]
    taste = pl.concat_str([when(col(c) != 0).then(lit(n)) for n, c in columns.items()], separator="-", ignore_nulls=True)
    customers = customers.with_columns(most(columns).alias("MostWatch"), taste.alias("CustomerTaste"), kind.cast(pl.Int64).alias("CustomerType"))
    return customers.select("Contract", *sorted(columns.values()), "TotalDevices", "MostWatch", "CustomerTaste", "Activeness",
                            "CustomerType", "TotalDuration", "ActiveDays",
                            col("CustomerType").replace_strict(list(range(7)), segments).alias("Segment"))


def behavior(usage):
    columns = {name: f"{name}Duration" for name in BEHAVIOR}
    customers = usage.filter(col("contract").is_not_null() & (col("behavior_viewings") > 0)).select(
        col("contract").alias("Contract"), *[col(f"behavior_{name}").alias(column) for name, column in columns.items()],
        pl.sum_horizontal([f"behavior_{name}" for name in BEHAVIOR]).alias("TotalDuration"), col("behavior_days").alias("Activeness"))
    nothing = pl.max_horizontal(columns.values()) == 0
    taste = [when(col(c) != 0).then(lit(n)).otherwise(lit("" if n == "Tv" else None)) for n, c in columns.items()]
    return customers.select(
        "Contract", *columns.values(), "TotalDuration", when(nothing).then(lit("No")).otherwise(most(columns)).alias("Most_watch"),
        when(nothing).then(lit("No")).otherwise(pl.concat_str(taste, separator="_", ignore_nulls=True)).alias("Tase"),
        "Activeness", pl.date(2023, 9, 14).alias("Date"))


def trend():
    search = pl.scan_parquet(lake / "log_search/*/*.parquet").select("user_id", "keyword", "datetime")
    search = search.filter(col("user_id").is_not_null() & col("keyword").is_not_null())
    parts = col("datetime").str.strip_chars(" ").str.extract_groups(marts.DATE)
    day = pl.concat_str([parts.struct.field("1"), lit("-"), parts.struct.field("2"), lit("-"), parts.struct.field("4").fill_null("1")])
    search = search.select("user_id", "keyword", day.str.to_date("%Y-%m-%d", strict=False).dt.month().alias("month"))
    counted = search.filter(col("month").is_in([6, 7])).group_by("user_id", "month", "keyword").agg(pl.len().alias("searches"))
    first = counted.group_by("user_id", "month").agg(
        col("keyword").sort_by(["searches", "keyword"], descending=[True, False]).first().str.strip_chars(" "))
    users = first.group_by("user_id").agg(
        pl.len().alias("months"), col("keyword").filter(col("month") == 6).first().alias("most_search_month_6"),
        col("keyword").filter(col("month") == 7).first().alias("most_search_month_7")).filter(col("months") == 2)
    mapping = pl.scan_csv(lake / "mapping/keyword_category.csv", schema={"search": pl.String, "category": pl.String})
    mapping = mapping.group_by("search").agg(col("category").min())
    users = users.join(mapping.rename({"category": "category_t6"}), left_on="most_search_month_6", right_on="search", how="left")
    users = users.join(mapping.rename({"category": "category_t7"}), left_on="most_search_month_7", right_on="search", how="left")
    same = col("category_t6") == col("category_t7")
    return users.select(
        "user_id", "most_search_month_6", "most_search_month_7", "category_t6", "category_t7",
        when(same).then(lit("Unchanged")).otherwise(lit("Changed")).alias("Trending_Type"),
        when(same).then(lit("Unchanged")).otherwise(
            pl.concat_str(["category_t6", "category_t7"], separator=" -> ", ignore_nulls=True)).alias("Previous"))


def kpis(content, trend):
    def counts(kpi, frame, dim):
        return frame.group_by(dim.alias("dim")).agg(pl.len().cast(pl.Int64).alias("value")).select(lit(kpi).alias("kpi"), "dim", "value")

    def one(kpi, dim, frame, value):
        return frame.select(lit(kpi).alias("kpi"), lit(dim).alias("dim"), value.cast(pl.Int64).alias("value"))

    return pl.concat([
        one("customers", "all", content, pl.len()),
        *[one("total_duration", name, content, col(f"Total_{name}").sum()) for name in CONTENT],
        one("devices", "all", content, col("TotalDevices").sum()),
        counts("customers_by_type", content, col("CustomerType").cast(pl.String)),
        counts("customers_by_activeness", content, col("Activeness")), counts("customers_by_taste", content, col("CustomerTaste")),
        counts("customers_by_mostwatch", content, col("MostWatch")), one("search_users", "all", trend, pl.len()),
        counts("search_trending_type", trend, col("Trending_Type")),
        counts("search_category_change", trend.filter(col("Trending_Type") == "Changed"), col("Previous"))])


counted = keep(usage(), "contract_usage")
contents = keep(content(counted), "customer_content")
behaviors = keep(behavior(counted), "customer_behavior")
trends = keep(trend(), "search_trend")
keep(behaviors.select(pl.date(2022, 4, 1).alias("Month"), pl.len().cast(pl.Int64).alias("Total_user"),
                      *[col(f"{name}Duration").sum().alias(f"Total_{name}Duration") for name in BEHAVIOR],
                      col("TotalDuration").sum().alias("Total_Duration")), "mart_totals")
keep(kpis(contents, trends), "mart_kpis")
bridge = pl.scan_csv(lake / "mapping/contract_user.csv", schema={"contract": pl.String, "user_id": pl.String})
extra = behaviors.select("Contract", col("TotalDuration").alias("BehaviorDuration"), col("Activeness").alias("BehaviorDays"),
                         col("Most_watch").alias("BehaviorMostWatch"), col("Tase").alias("BehaviorTaste"))
keep(contents.join(extra, on="Contract", how="left").join(bridge, left_on="Contract", right_on="contract", how="left")
     .join(trends, on="user_id", how="left"), "mart_customer_360")

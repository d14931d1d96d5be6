"""The Customer360 job by PySpark: `spark-submit spark_job.py LAKE OUT`."""
import sys

from pyspark.sql import SparkSession

import marts

lake, out = sys.argv[1:3]
spark = (SparkSession.builder.master("local[*]").config("spark.ui.enabled", "false").config("spark.sql.ansi.enabled", "false")
         .config("spark.sql.shuffle.partitions", "4").config("spark.sql.warehouse.dir", f"{out}/spark").getOrCreate())
spark.sparkContext.setLogLevel("ERROR")
struct = "_source struct<Contract: string, Mac: string, TotalDuration: bigint, AppName: string>"
spark.read.schema(struct).json(f"{lake}/log_content/*.json").createOrReplaceTempView("files_log")
spark.read.parquet(f"{lake}/log_search/*/*.parquet").createOrReplaceTempView("files_search")
for name, file in [("mapping", "keyword_category"), ("bridge", "contract_user")]:
    spark.read.csv(f"{lake}/mapping/{file}.csv", header=True, quote='"', escape='"').createOrReplaceTempView(f"files_{name}")
for name, query in marts.sources("spark", lake).items():
    spark.sql(query).createOrReplaceTempView(name)
for name, query, is_mart in marts.tables("spark"):
    folder = f"{out}/{name}.parquet" if is_mart else f"{out}/spark/{name}"
    spark.sql(query).write.parquet(folder)
    spark.read.parquet(folder).createOrReplaceTempView(name)

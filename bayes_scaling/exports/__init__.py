"""A fit for other programs: tables, Zarr, MLflow."""

from bayes_scaling.exports.mlflow_log import log_to_mlflow
from bayes_scaling.exports.tables import tables
from bayes_scaling.exports.writing import write_tables, write_zarr

__all__ = ["log_to_mlflow", "tables", "write_tables", "write_zarr"]

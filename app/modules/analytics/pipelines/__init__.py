"""Pure builders of aggregation pipelines: plain lists of stages, from a ReportQuery and nothing else."""

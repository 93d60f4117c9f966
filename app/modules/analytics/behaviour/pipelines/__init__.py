"""Pure builders of the aggregations: plain lists of stages."""

"""What visitors do one thing after another: funnels, retention, attribution and paths."""

"""The results as others see them: the report, the metrics, and the one place that prints them."""

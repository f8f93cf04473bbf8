"""How results are shown: the report, the metrics, and the one place that prints them."""

"""Fuzz targets: each parser of bytes that others write, run over arbitrary input.

`make fuzz` runs them under atheris (coverage-guided); the tests run each over its first inputs and
some hundred mutations of them.
"""

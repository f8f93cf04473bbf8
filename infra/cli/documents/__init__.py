"""Configuration documents: as files in a folder, as parameters in Parameter Store, judged by the
function's own model, and compared.
"""

"""`make schemas`: the JSON Schemas of the configuration documents, in docs/."""

import json
import sys
from pathlib import Path

from ecr_public_pusher.configuration.json_schema import json_schemas

DOCS = Path(__file__).parents[2] / "docs"

if __name__ == "__main__":
    for name, schema in json_schemas().items():
        (DOCS / name).write_text(json.dumps(schema, indent=2) + "\n")
        sys.stdout.write(f"docs/{name}\n")

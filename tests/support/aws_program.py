"""A stand-in for `aws lambda invoke` of the AWS CLI (version 2).

It does enough of it to run a command that people paste.

https://docs.aws.amazon.com/cli/latest/reference/lambda/invoke.html: the payload goes into a file,
all else of the answer is shown, and an invocation that ended with the function's error ends the
command with 0.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import boto3
import jmespath


def main(arguments: Sequence[str]) -> int:
    """Run a command; return its exit code."""
    parser = argparse.ArgumentParser(prog="aws")
    parser.add_argument("service", choices=["lambda"])
    parser.add_argument("operation", choices=["invoke"])
    parser.add_argument("outfile", type=Path)
    for name in ("region", "function-name", "payload", "query"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--cli-read-timeout", type=int, required=True)
    parser.add_argument("--cli-binary-format", choices=["raw-in-base64-out"], required=True)
    parser.add_argument("--output", choices=["text"], required=True)
    asked = parser.parse_args(arguments)
    client = boto3.client("lambda", region_name=asked.region)
    answer = client.invoke(FunctionName=asked.function_name, Payload=asked.payload.encode())
    asked.outfile.write_bytes(answer.pop("Payload").read())
    print(jmespath.search(asked.query, answer))  # text output of null is None
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

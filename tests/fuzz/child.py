"""`python -m tests.fuzz.child TARGET OPTION...`: one target under atheris, until it ends itself.

The options are libFuzzer's.
"""

import sys
from random import Random

import atheris

from tests.fuzz.mutations import mutated

with atheris.instrument_imports(include=["ecr_public_pusher"]):
    from tests.fuzz.targets import TARGETS

OWN_MUTATIONS = 0.5  # share of the inputs; libFuzzer's own make the others


def _mutator(data: bytes, most: int, seed: int) -> bytes:
    random = Random(seed)
    if random.random() < OWN_MUTATIONS:
        return mutated(data, random)[:most]
    return bytes(atheris.Mutate(data, most))


if __name__ == "__main__":
    program, name, *options = sys.argv
    atheris.Setup([program, *options], TARGETS[name].run, custom_mutator=_mutator)
    atheris.Fuzz()

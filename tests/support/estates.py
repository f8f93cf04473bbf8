"""Random estates: documents, namespaces and Secrets as users, tools and time leave them.

The names are few, so that documents, namespaces and Secrets meet.
"""

import json
import os
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, configuration, settings
from hypothesis import strategies as st

from ecr_public_pusher.configuration.loader import Parameter
from ecr_public_pusher.configuration.namespace_selector import Scope
from ecr_public_pusher.jobs.decision_table import Intent
from ecr_public_pusher.jobs.observation import Observation
from ecr_public_pusher.jobs.seen_secret import SeenSecret
from ecr_public_pusher.ownership import Stack
from ecr_public_pusher.results import Namespace

# Set by `make estates`. Without it, a test has the same few examples in each run.
MANY = int(os.environ.get("ESTATES_EXAMPLES", "0"))
FEW = 40  # a third of a second of CPU

ROOT = "/ecr-public-pusher"
REGION = "us-east-1"
ACCOUNT = "111122223333"
STACK = Stack(ACCOUNT, REGION, "stack")
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
READ_AT = NOW - timedelta(seconds=5)

IDS = ("first", "second", "third")
NAMES = ("a", "b", "team-a", "team-b", "kube-system")
PATTERNS = (*NAMES, "team-*", "*", "[ab]")
SELECTORS = ("team=web", "!team", "team in (web, db)", "tier > 1")
LABELS = st.fixed_dictionaries(
    {}, optional={"team": st.sampled_from(("web", "db")), "tier": st.sampled_from(("1", "2", "x"))}
)

# hypothesis would keep its tables of characters in the working folder.
configuration.set_hypothesis_home_dir(os.path.join(tempfile.gettempdir(), "hypothesis"))


def examples(few: int = FEW) -> Callable[[Any], Any]:
    """Return the settings of a test: `few` examples, or as many as `make estates` asks for."""
    return settings(
        max_examples=MANY or few,
        derandomize=not MANY,
        database=None,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )


def names(least: int = 1, most: int = 3) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(PATTERNS), min_size=least, max_size=most)


FLAGS = st.booleans()
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "cluster": st.sampled_from(("main", "main", "main", "other")),
    "enabled": st.sampled_from((True, True, False)),
    "prune": FLAGS,
    "takeOwnership": FLAGS,
    "allowEmpty": FLAGS,
    "secretName": st.sampled_from(("ecr-public-token", "ecr-public-token", "pull")),
    "serviceAccounts": st.lists(st.sampled_from(("default", "b*")), max_size=2),
}
EXCLUDE = st.lists(st.sampled_from(NAMES), max_size=1)
SELECTIONS = st.one_of(
    names(),
    st.just(["*"]),
    st.fixed_dictionaries({"include": names(), "exclude": EXCLUDE}),
    st.fixed_dictionaries({"selector": st.sampled_from(SELECTORS), "exclude": EXCLUDE}),
)
VALID = st.fixed_dictionaries({"namespaces": SELECTIONS}, optional=FIELDS).map(json.dumps)
INVALID = st.sampled_from(
    ("namespaces: [", "namespaces: [a]\nregoin: x", "cluster: main", "[]", "namespaces: ['-']")
)
DOCUMENTS = st.dictionaries(st.sampled_from(IDS), st.one_of(*[VALID] * 7, INVALID), min_size=2).map(
    lambda texts: [Parameter(f"{ROOT}/clusters/{name}", text) for name, text in texts.items()]
)

OUR_APPLY = (STACK.field_manager, "Apply")
# Mostly held by our apply alone: each other Secret is somebody else's, whatever it says.
MANAGERS = st.one_of(
    st.just(frozenset({OUR_APPLY})),
    st.just(frozenset({OUR_APPLY})),
    st.frozensets(
        st.sampled_from(
            (
                OUR_APPLY,
                (STACK.field_manager, "Update"),
                ("helm", "Update"),
                ("velero-server", "Update"),
            )
        ),
        max_size=2,
    ),
)
OWNERS = st.sampled_from(
    (
        *map(STACK.owner, (*IDS, *IDS, "gone")),
        *(None, f"{ACCOUNT}/{REGION}/other-stack/first", "first"),
    )
)
# Seconds before or after the configuration was read: long ago, at that moment, and since.
AGES = st.one_of(st.integers(-60_000, 0), st.sampled_from((0, 1, 4, None)))


@st.composite
def secrets(draw: st.DrawFn, namespace: str) -> SeenSecret:
    """Return a Secret in the namespace, of any owner, writer and age."""
    age = draw(AGES)
    pushed_at = None if age is None else READ_AT + timedelta(seconds=age)
    life = draw(st.sampled_from((12.0, 1.0, None)))
    return SeenSecret(
        namespace,
        f"uid-{namespace}",
        "1",
        owner=draw(OWNERS),
        pushed_at=pushed_at,
        expires_at=None if pushed_at is None or life is None else pushed_at + timedelta(hours=life),
        managers=draw(MANAGERS),
        writers=draw(st.one_of(st.just(frozenset()), MANAGERS)),
        restored=draw(st.sampled_from((False, False, True))),
        finalizers=draw(st.sampled_from((None, None, None, (), ("example.com/held",)))),
    )


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    """Return what a cluster shows: all of it, or what the function may list."""
    there = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=4))
    listed = tuple(
        Namespace(
            name,
            draw(LABELS),
            draw(st.sampled_from((False, False, False, True))),
            NOW - timedelta(minutes=draw(st.sampled_from((1, 90)))),
        )
        for name in there
    )
    bearing = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=4))
    every = st.fixed_dictionaries({name: secrets(name) for name in bearing})
    return Observation(
        namespaces=draw(st.sampled_from((listed, listed, None))),
        secrets=draw(st.one_of(every, every, every, every, st.none())),
        accounts=draw(st.sampled_from(({}, None))),
        unseen=frozenset(draw(st.sampled_from(((), (), (), *((name,) for name in NAMES))))),
    )


@st.composite
def intents(draw: st.DrawFn, *kinds: str) -> Intent:
    """Return the purpose of a run of one of these kinds; by default, of any."""
    kind: Any = draw(st.sampled_from(kinds or ("push", "push", "sweep", "remove")))
    narrowed = kind != "remove" and draw(st.sampled_from((False, False, False, True)))
    only = draw(names(1, 2)) if narrowed else []
    return Intent(
        kind,
        STACK,
        READ_AT,
        Scope(tuple(only)),
        NOW - timedelta(minutes=20) if kind == "sweep" else None,
        dry_run=draw(FLAGS),
        prune_all=draw(FLAGS),
        own_role="arn:aws:iam::111122223333:role/ecr-public-pusher",
    )

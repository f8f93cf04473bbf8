"""The health of clusters by reports of every kind, in the order of time."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.cli.health import Health, State, assess, take_checks
from infra.cli.run_log import LogLine

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
GOOD: dict[str, Any] = {"ok": True, "error": None, "counts": {"updated": 2}, "problems": []}
BAD: dict[str, Any] = {
    "ok": False,
    "error": {"type": "UnreachableError", "message": "m", "remedy": "r"},
    "counts": {},
    "problems": [],
}


def at(hour: float) -> datetime:
    return NOW + timedelta(hours=hour - 12)


def line(
    hour: float,
    clusters: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    action: str = "push",
    **more: Any,
) -> LogLine:
    """Return the log line of a report at that hour of the day; its token lives twelve hours."""
    entries = [{"id": name, **entry} for name, entry in (clusters or {}).items()]
    tokens = [
        {"registry": "public.ecr.aws", "expiresAt": (at(hour) + timedelta(hours=12)).isoformat()}
    ]
    report = {
        "action": action,
        "ok": all(entry["ok"] for entry in entries),
        "tokens": tokens,
        "clusters": entries,
        **more,
    }
    return LogLine(f"{hour}", at(hour), {"message": "report", "report": report})


def assessed(
    *pushes: LogLine, documents: tuple[str, ...] = ("prod",), sweeps: tuple[LogLine, ...] = ()
) -> Health:
    return assess({name: at(0) for name in documents}, pushes, sweeps)


def state(health: Health, cluster: str = "prod") -> State:
    return health.clusters[cluster].state(NOW)


def test_a_document_without_a_push_has_none() -> None:
    assert state(assessed()) is State.NO_PUSH


def test_a_good_push_gives_its_moment_and_the_tokens_end() -> None:
    prod = assessed(line(8, {"prod": GOOD})).clusters["prod"]
    assert (prod.last_good_push, prod.token_expires_at, prod.state(NOW)) == (
        at(8),
        at(20),
        State.OK,
    )


def test_the_earliest_end_of_several_tokens_counts() -> None:
    tokens = [
        {"registry": name, "expiresAt": at(end).isoformat()}
        for name, end in (("public.ecr.aws", 20), ("private", 9))
    ]
    assert assessed(line(8, {"prod": GOOD}, tokens=tokens)).clusters["prod"].token_expires_at == at(
        9
    )


def test_a_failure_keeps_the_last_good_push() -> None:
    health = assessed(line(2, {"prod": GOOD}), line(10, {"prod": BAD}))
    assert (state(health), health.clusters["prod"].last_good_push) == (State.FAILED, at(2))


def test_a_good_push_ends_a_failure() -> None:
    assert (
        state(
            assessed(
                line(2, {"prod": BAD}), line(3, {"prod": GOOD}, narrowedTo={"clusters": ["prod"]})
            )
        )
        is State.OK
    )


def test_a_token_that_expired_is_reported() -> None:
    assert state(assessed(line(-1, {"prod": GOOD}))) is State.EXPIRED


def test_a_push_of_some_namespaces_is_no_good_push_of_the_cluster() -> None:
    health = assessed(
        line(2, {"prod": GOOD}), line(10, {"prod": GOOD}, narrowedTo={"namespaces": ["team-a"]})
    )
    assert health.clusters["prod"].last_good_push == at(2)


def test_a_failed_push_of_some_namespaces_is_corrected_by_the_same_push() -> None:
    some = {"clusters": ["prod"], "namespaces": ["team-a"]}
    failed = line(10, {"prod": BAD}, narrowedTo=some)
    assert state(assessed(line(2, {"prod": GOOD}), failed)) is State.FAILED
    assert (
        state(assessed(line(2, {"prod": GOOD}), failed, line(11, {"prod": GOOD}, narrowedTo=some)))
        is State.OK
    )


def test_a_good_push_of_some_namespaces_does_not_end_a_failure_of_the_cluster() -> None:
    health = assessed(
        line(2, {"prod": BAD}), line(3, {"prod": GOOD}, narrowedTo={"namespaces": ["team-a"]})
    )
    assert state(health) is State.FAILED


def test_workers_reports_make_a_push_that_was_split() -> None:
    health = assessed(
        line(8, action="push", dispatched=2),
        line(8.1, {"prod": GOOD}, narrowedTo={"clusters": ["prod"]}),
        line(8.2, {"edge": BAD}, narrowedTo={"clusters": ["edge"]}, queued=["edge"]),
        documents=("prod", "edge"),
    )
    assert (state(health), state(health, "edge")) == (State.OK, State.FAILED)
    assert health.clusters["edge"].failed is not None
    assert health.clusters["edge"].failed.queued


def test_a_disabled_cluster_is_skipped() -> None:
    health = assessed(line(8, {"prod": {**GOOD, "skipped": "disabled"}}))
    assert (state(health), health.clusters["prod"].last_good_push) == (State.SKIPPED, None)


DISABLED: dict[str, Any] = {**GOOD, "skipped": "disabled"}
REMOVED: dict[str, Any] = {**GOOD, "counts": {"removed": 2}}
EXPIRED: dict[str, Any] = {
    "ok": False,
    "findings": [{"check": "left", "message": "one is there", "secondsLeft": 3600}],
}
LEFT: dict[str, Any] = {"ok": False, "findings": [{"check": "left", "message": "two are there"}]}
NONE_LEFT: dict[str, Any] = {"ok": True, "skipped": "disabled"}


def checked(health: Health, *checks: LogLine) -> tuple[bool, bool]:
    """Return whether the log says that Secrets may be left, and whether a check found them."""
    take_checks(health, checks)
    prod = health.clusters["prod"]
    return prod.may_have_secrets, prod.check is not None and prod.check.left is not None


def test_what_was_pushed_before_it_was_disabled_is_left_until_it_is_removed() -> None:
    pushed = line(8, {"prod": GOOD})
    disabled = line(10, {"prod": DISABLED})
    removed = line(9, {"prod": REMOVED}, action="remove")
    assert checked(assessed(pushed, disabled)) == (True, False)
    assert checked(assessed(pushed, removed, disabled)) == (False, False)
    assert checked(assessed(disabled)) == (False, False)
    assert checked(assessed(pushed)) == (False, False)


def test_what_a_push_wrote_that_was_under_way_at_the_removal_is_left() -> None:
    removed = line(8, {"prod": REMOVED}, action="remove")
    late = line(9, {"prod": GOOD})
    assert checked(assessed(removed, late, line(10, {"prod": DISABLED}))) == (True, False)


def test_a_check_has_the_last_word_on_what_is_left() -> None:
    log = line(8, {"prod": GOOD}), line(9, {"prod": DISABLED})
    found = line(10, {"prod": LEFT}, action="check")
    none = line(11, {"prod": NONE_LEFT}, action="check")
    assert checked(assessed(*log), found) == (False, True)
    assert checked(assessed(*log), found, none) == (False, False)
    removed = line(10.5, {"prod": REMOVED}, action="remove")
    assert checked(assessed(*log, removed, line(11, {"prod": DISABLED})), found) == (False, False)
    again = line(10.2, {"prod": GOOD}), line(10.3, {"prod": DISABLED})
    assert checked(assessed(*log, *again), none, found) == (False, False)
    assert checked(assessed(*log, *again), found) == (True, False)
    assert checked(assessed(line(8, {"prod": GOOD})), found) == (False, False)


def test_a_disabled_cluster_is_expired_once_a_token_that_is_left_has_ended() -> None:
    log = line(-1, {"prod": GOOD}), line(9, {"prod": DISABLED})
    assert state(assessed(*log)) is State.EXPIRED
    health = assessed(*log)
    take_checks(health, [line(11.5, {"prod": EXPIRED}, action="check")])
    assert health.clusters["prod"].expires_at == at(12.5)
    assert [health.clusters["prod"].state(at(hour)) for hour in (12, 13)] == [
        State.SKIPPED,
        State.EXPIRED,
    ]
    take_checks(health, [line(11.8, {"prod": NONE_LEFT}, action="check")])
    assert health.clusters["prod"].state(at(13)) is State.SKIPPED


def test_what_a_push_wrote_in_part_is_left_too() -> None:
    conflict = {**BAD, "error": None, "counts": {"updated": 2, "conflict": 1}, "secondsLeft": 60}
    health = assessed(line(8, {"prod": conflict}), line(9, {"prod": DISABLED}))
    assert health.clusters["prod"].may_have_secrets
    assert state(health) is State.EXPIRED
    assert assessed(line(8, {"prod": conflict})).clusters["prod"].partial_push == at(8)
    assert assessed(line(8, {"prod": BAD})).clusters["prod"].partial_push is None


def test_what_is_left_by_a_push_without_a_measure_lives_as_long_as_a_token() -> None:
    health = assessed(line(8, {"prod": GOOD}, tokens=[]), line(9, {"prod": DISABLED}))
    assert health.clusters["prod"].expires_at == at(20)
    assert state(health) is State.SKIPPED


def test_a_removal_ends_what_was_pushed_until_the_next_push() -> None:
    removed = line(9, {"prod": {**GOOD, "counts": {"removed": 2}}}, action="remove")
    assert state(assessed(line(8, {"prod": GOOD}), removed)) is State.REMOVED
    assert state(assessed(line(8, {"prod": GOOD}), removed, line(10, {"prod": GOOD}))) is State.OK


def test_a_removal_that_failed_says_nothing_of_the_tokens() -> None:
    assert (
        state(assessed(line(8, {"prod": GOOD}), line(9, {"prod": BAD}, action="remove")))
        is State.OK
    )


def test_the_last_sweeps_failure_counts_when_it_is_the_latest_word() -> None:
    sweep = line(11.9, {"prod": BAD}, action="sweep")
    assert state(assessed(line(8, {"prod": GOOD}), sweeps=(sweep,))) is State.FAILED
    assert state(assessed(line(11.95, {"prod": GOOD}), sweeps=(sweep,))) is State.OK


def test_an_older_sweeps_failure_does_not() -> None:
    sweeps = (line(11.8, {"prod": BAD}, action="sweep"), line(11.9, {"prod": GOOD}, action="sweep"))
    assert state(assessed(line(8, {"prod": GOOD}), sweeps=sweeps)) is State.OK


def test_a_sweep_is_no_good_push() -> None:
    assert state(assessed(sweeps=(line(11.9, {"prod": GOOD}, action="sweep"),))) is State.NO_PUSH


MEASURED: dict[str, Any] = {**GOOD, "secondsLeft": 3600}


def test_the_least_life_that_was_measured_counts_before_the_tokens_own() -> None:
    assert assessed(line(8, {"prod": MEASURED})).clusters["prod"].token_expires_at == at(9)
    failed = {**BAD, "error": None, "secondsLeft": 7200}
    assert assessed(line(8, {"prod": failed})).clusters["prod"].token_expires_at == at(10)


def test_a_sweep_measures_what_is_left_after_the_last_push() -> None:
    sweep = line(11.5, {"prod": {**GOOD, "secondsLeft": 30600}}, action="sweep")
    assert assessed(line(8, {"prod": GOOD}), sweeps=(sweep,)).clusters[
        "prod"
    ].token_expires_at == at(20)
    later = line(11.9, {"prod": MEASURED})
    assert assessed(later, sweeps=(sweep,)).clusters["prod"].token_expires_at == at(12.9)


def test_one_that_lacks_its_secret_has_nothing_left() -> None:
    assert state(assessed(line(8, {"prod": {**GOOD, "secondsLeft": 0}}))) is State.EXPIRED


def test_a_push_of_some_namespaces_measures_nothing_of_the_cluster() -> None:
    some = line(10, {"prod": {**GOOD, "secondsLeft": 43200}}, narrowedTo={"namespaces": ["team-a"]})
    assert assessed(line(2, {"prod": GOOD}), some).clusters["prod"].token_expires_at == at(14)


def ending(hour: float, end: str, **more: Any) -> LogLine:
    return line(hour, {"prod": {**GOOD, "credentialExpiresAt": end, **more}})


END = "2026-01-10T00:00:00Z"


def test_a_good_run_without_an_end_forgets_it_and_a_failure_keeps_it() -> None:
    failed = line(9, {"prod": BAD})
    known = datetime(2026, 1, 10, tzinfo=UTC)
    assert assessed(ending(8, END), failed).clusters["prod"].credential_expires_at == known
    good = line(10, {"prod": GOOD})
    assert assessed(ending(8, END), failed, good).clusters["prod"].credential_expires_at is None


def test_a_sweep_after_the_last_push_knows_a_renewed_credential() -> None:
    entry = {**GOOD, "credentialExpiresAt": "2027-01-10T00:00:00Z"}
    sweep = line(9, {"prod": entry}, action="sweep")
    found = assessed(ending(8, END), sweeps=(sweep,)).clusters["prod"].credential_expires_at
    assert found == datetime(2027, 1, 10, tzinfo=UTC)
    later = assessed(ending(10, END), sweeps=(sweep,)).clusters["prod"].credential_expires_at
    assert later == datetime(2026, 1, 10, tzinfo=UTC)


def test_globs_that_match_nothing_are_kept_until_a_push_finds_something_for_them() -> None:
    mistyped = line(8, {"prod": {**GOOD, "emptyGlobs": ["teem-*"]}})
    assert assessed(mistyped).clusters["prod"].empty_globs == ("teem-*",)
    assert assessed(mistyped, line(9, {"prod": GOOD})).clusters["prod"].empty_globs == ()


def test_a_push_that_failed_as_a_whole_is_kept_until_the_next_that_does_not() -> None:
    error = {"type": "TokenError", "message": "m", "remedy": "r"}
    failed = line(10, error=error)
    assert assessed(line(2, {"prod": GOOD}), failed).run_error == (at(10), error)
    assert assessed(failed, line(11, {"prod": GOOD})).run_error is None


def test_a_mistyped_push_is_no_failure_of_the_clusters() -> None:
    typo = line(
        10,
        error={"type": "RequestError", "message": "m", "remedy": "r"},
        narrowedTo={"clusters": ["staging"]},
    )
    assert assessed(line(2, {"prod": GOOD}), typo).run_error is None


def test_clusters_that_a_discovery_found_are_there() -> None:
    health = assessed(line(8, {"fleet/eu-west-1/a": GOOD}), documents=("fleet/*",))
    assert list(health.clusters) == ["fleet/eu-west-1/a"]


def test_a_cluster_that_a_discovery_finds_no_more_is_gone_without_a_word() -> None:
    health = assessed(
        line(2, {"fleet/eu-west-1/a": GOOD}),
        line(8, {"fleet/eu-west-1/b": GOOD}),
        documents=("fleet/*",),
    )
    assert list(health.clusters) == ["fleet/eu-west-1/b"]
    assert health.deleted == {}


def test_a_narrowed_push_takes_no_discovered_cluster_away() -> None:
    narrowed = line(8, {"fleet/eu-west-1/b": GOOD}, narrowedTo={"clusters": ["fleet/eu-west-1/b"]})
    health = assessed(line(2, {"fleet/eu-west-1/a": GOOD}), narrowed, documents=("fleet/*",))
    assert len(health.clusters) == 2


def test_a_discovery_that_failed_is_shown_until_it_works() -> None:
    failed = line(2, {"fleet/*": BAD})
    assert state(assessed(failed, documents=("fleet/*",)), "fleet/*") is State.FAILED
    assert list(
        assessed(failed, line(8, {"fleet/eu-west-1/a": GOOD}), documents=("fleet/*",)).clusters
    ) == ["fleet/eu-west-1/a"]


@pytest.mark.parametrize("later", [(), (line(10, {}),)], ids=["before the next push", "after it"])
def test_a_document_that_went_away_without_an_event_is_reported(later: tuple[LogLine, ...]) -> None:
    health = assessed(line(8, {"prod": GOOD, "edge": GOOD}), *later)
    assert list(health.clusters) == ["prod"]
    assert list(health.deleted) == ["edge"]


def test_a_deletion_by_a_change_event_is_reported() -> None:
    gone = line(
        9, narrowedTo={"clusters": ["edge"]}, deleted={"id": "edge", "message": "m", "remedy": "r"}
    )
    assert assessed(gone).deleted == {"edge": at(9)}


@pytest.mark.parametrize(
    ("earlier", "deleted"),
    [
        ([], ["edge"]),
        ([line(5, {"prod": GOOD})], []),
        ([line(5, {"prod": GOOD}), line(6, {"edge": BAD})], []),
        ([line(5, {"prod": GOOD}), line(6, {"edge": BAD}), line(7, {"edge": GOOD})], ["edge"]),
        ([line(5, {"prod": GOOD, "edge": BAD})], ["edge"]),
        ([line(5, {"prod": GOOD}), line(6, {"edge": {**BAD, "counts": {"left": 1}}})], ["edge"]),
        ([line(5, {"prod": GOOD}, narrowedTo={"clusters": ["prod"]})], ["edge"]),
        ([line(5, {"prod": GOOD}, clustersLeft=1)], ["edge"]),
    ],
)
def test_a_deleted_document_counts_unless_the_log_shows_that_it_was_never_pushed(
    earlier: list[LogLine], deleted: list[str]
) -> None:
    gone = line(
        9, narrowedTo={"clusters": ["edge"]}, deleted={"id": "edge", "message": "m", "remedy": "r"}
    )
    narrowed = [
        LogLine(
            one.id,
            one.at,
            {**one.said, "report": {**one.report, "narrowedTo": {"clusters": ["edge"]}}},
        )
        if one.report and [entry["id"] for entry in one.report["clusters"]] == ["edge"]
        else one
        for one in earlier
    ]
    assert list(assessed(*narrowed, gone).deleted) == deleted


def test_a_removal_before_the_deletion_settles_it_whatever_is_pushed_after() -> None:
    removed = line(8, {"edge": REMOVED}, action="remove", narrowedTo={"clusters": ["edge"]})
    gone = line(
        9, narrowedTo={"clusters": ["edge"]}, deleted={"id": "edge", "message": "m", "remedy": "r"}
    )
    health = assessed(
        line(7, {"prod": GOOD, "edge": GOOD}), removed, gone, line(10, {"prod": GOOD})
    )
    assert (health.deleted, health.settled) == ({}, {"edge"})


def test_a_document_that_is_back_is_not() -> None:
    gone = line(
        9, narrowedTo={"clusters": ["prod"]}, deleted={"id": "prod", "message": "m", "remedy": "r"}
    )
    assert assessed(gone).deleted == {}


def test_a_document_deleted_after_a_removal_leaves_nothing_behind() -> None:
    removed = line(
        9,
        {"edge": {**GOOD, "counts": {"removed": 2}}},
        action="remove",
        narrowedTo={"clusters": ["edge"]},
    )
    assert (
        assessed(line(8, {"prod": GOOD, "edge": GOOD}), removed, line(10, {"prod": GOOD})).deleted
        == {}
    )


def test_clusters_that_a_full_report_leaves_out_are_ok_when_another_that_is_found_room() -> None:
    health = assessed(line(8, {"prod": GOOD}, clustersLeft=1), documents=("prod", "edge"))
    assert (state(health, "edge"), health.clusters["edge"].inferred, health.capped_at) == (
        State.OK,
        True,
        at(8),
    )


def test_they_are_unknown_when_only_failures_found_room() -> None:
    health = assessed(line(8, {"prod": BAD}, clustersLeft=1), documents=("prod", "edge"))
    assert state(health, "edge") is State.NO_PUSH


def test_a_document_younger_than_a_full_report_is_not_taken_to_be_in_it() -> None:
    health = assess(
        {"prod": at(0), "edge": at(9)},
        [line(8, {"prod": GOOD}, clustersLeft=1)],
    )
    assert state(health, "edge") is State.NO_PUSH


REMOVED = {**GOOD, "counts": {"removed": 2}}


def adopted(old: str) -> dict[str, Any]:
    return {**GOOD, "adopted": [{"namespace": "a", "from": [f"document {old}"]}]}


def gone(hour: float, name: str) -> LogLine:
    """Return the line of the run that a deletion's event causes."""
    said = {"id": name, "message": "m", "remedy": "r"}
    return line(hour, narrowedTo={"clusters": [name]}, deleted=said)


@pytest.mark.parametrize(
    ("log", "deleted"),
    [
        ([gone(9, "old")], ["old"]),
        ([gone(9, "old"), line(10, {"prod": adopted("old")})], []),
        ([line(9, {"prod": adopted("old")}), gone(10, "old")], []),
        ([line(9, {"mid": adopted("old")}), line(10, {"prod": adopted("mid")})], []),
        ([line(9, {"mid": adopted("old")}), line(10, {"old": adopted("mid")})], ["mid", "old"]),
        ([line(9, {"mid": adopted("old")}), line(10, {"mid": REMOVED}, action="remove")], []),
        (
            [
                line(9, {"mid": adopted("old")}),
                line(10, {"old": adopted("mid")}),
                line(11, {"mid": REMOVED}, action="remove"),
            ],
            ["old"],
        ),
        ([line(9, {"prod": adopted("kubectl")}), gone(10, "old")], ["old"]),
        ([line(9, {"old": REMOVED}, action="remove"), line(10), gone(11, "old")], []),
        (
            [line(9, {"old": REMOVED}, action="remove"), line(10, {"old": GOOD}), gone(11, "old")],
            ["old"],
        ),
        ([gone(9, "fleet/*"), line(10, {"prod": adopted("fleet/eu/a")})], ["old"]),
        ([line(8, {"fleet/eu/a": REMOVED}, action="remove"), gone(9, "fleet/*")], ["old"]),
        (
            [
                line(8, {"fleet/eu/a": GOOD, "fleet/eu/b": GOOD}),
                line(9, {"fleet/eu/a": REMOVED}, action="remove"),
                gone(10, "fleet/*"),
            ],
            ["fleet/*", "fleet/eu/b", "old"],
        ),
    ],
)
def test_a_deleted_document_is_named_until_its_secrets_are_removed_or_adopted(
    log: list[LogLine], deleted: list[str]
) -> None:
    assert sorted(assessed(line(7, {"old": GOOD, "prod": GOOD}), *log).deleted) == deleted


def test_an_adoption_by_a_sweep_counts_too_though_a_later_one_finds_nothing() -> None:
    sweeps = (
        line(10, {"prod": adopted("old")}, action="sweep"),
        line(11, {"prod": GOOD}, action="sweep"),
    )
    assert assessed(line(8, {"old": GOOD}), gone(9, "old"), sweeps=sweeps).deleted == {}


@pytest.mark.parametrize(
    ("log", "may_have"),
    [
        ((), True),
        ((line(10, {"prod": adopted("off")}),), False),
        ((line(7, {"prod": adopted("off")}),), True),
    ],
)
def test_what_another_document_has_adopted_is_no_longer_a_disabled_ones(
    log: tuple[LogLine, ...], may_have: bool
) -> None:
    skipped = line(9, {"off": {**GOOD, "skipped": "disabled"}})
    health = assessed(line(8, {"off": GOOD}), skipped, *log, documents=("prod", "off"))
    assert health.clusters["off"].may_have_secrets is may_have

"""A plan names what a push, or a removal, would change."""

from tests.support.world import World


def test_a_plan_names_what_a_push_would_change(world: World) -> None:
    world.add_cluster(
        "prod",
        namespaces=("a", "b", "c"),
        document="{namespaces: [a, b], takeOwnership: true, prune: true}",
    )
    world.apply("prod", "prune.yaml")
    world.document("prod", "{namespaces: [a, c], prune: true}")
    world.invoke()
    world.foreign_secret("prod", "b")
    world.document("prod", "{namespaces: [a, b, default], takeOwnership: true, prune: true}")
    expected = [
        {"namespace": "b", "outcome": "adopted"},
        {"namespace": "default", "outcome": "created"},
        {"namespace": "c", "outcome": "pruned"},
    ]
    for action in ("plan", "check"):
        report = world.invoke({"action": action})
        assert sorted(report["clusters"][0]["changes"], key=str) == sorted(expected, key=str)
    removal = world.invoke({"action": "plan", "remove": True, "clusters": ["prod"]})
    assert removal["clusters"][0]["changes"] == [
        {"namespace": "a", "outcome": "removed"},
        {"namespace": "c", "outcome": "removed"},
    ]
    assert "changes" not in world.invoke()["clusters"][0]

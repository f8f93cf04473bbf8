"""A Kubernetes for the local stack and the tests: an embedded API server, or the real one where its
binaries are at hand.

`EmbeddedCluster` answers as kube-apiserver 1.36.2 was recorded to; `ControlPlane` runs etcd and
kube-apiserver with the same sign-in. `start_cluster` chooses: the real one when KUBEBUILDER_ASSETS
names its folder.
"""

from .auth.authz import UserInfo
from .cluster import Cluster, ClusterError, Intercept, Response, SeenRequest
from .controlplane import ControlPlane, start_cluster
from .embedded import EmbeddedCluster

__all__ = [
    "Cluster",
    "ClusterError",
    "ControlPlane",
    "EmbeddedCluster",
    "Intercept",
    "Response",
    "SeenRequest",
    "UserInfo",
    "start_cluster",
]

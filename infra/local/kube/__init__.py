"""A Kubernetes for the local stack and the tests: an embedded API server, or a real one.

`EmbeddedCluster` answers as recorded from kube-apiserver 1.36.2; `ControlPlane` runs etcd and
kube-apiserver with the same sign-in. `start_cluster` chooses the real one when KUBEBUILDER_ASSETS
names the folder of its binaries.
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

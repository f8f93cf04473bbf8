"""Entries of AllowedEndpoints: what the template and the function take for hosts, and what both do not."""

ALLOWING = (
    *("k8s.example.com", "*.k8s.example.com", "edge-?.k8s.example.com", "*.*.example.com", "10.0.0.1", "[2001:db8::1]", "a.b"),
    *("rancher.example.com/k8s/clusters/c-m-x1", "rancher.example.com/k8s/clusters/*", "*.example.com/k8s*/*/c-?"),
    *("10.0.0.1/k8s/clusters/c-1", "[2001:db8::1]/k8s", "loft.example.com/kubernetes/project/Web_1/virtualcluster/v"),
)
ALLOWING_NOTHING = (
    *("*", "*.com", "**", "?", "*.*", "com", "k8s", "localhost", "*.example.*", "k8s.*", "k8s.example.c?m"),
    *("https://k8s.example.com", "k8s.example.com:6443", "k8s.example.com/", "user@k8s.example.com", "k8s.example.com.", ".example.com"),
    *("K8s.example.com", "K8S.EXAMPLE.COM", "k8s..example.com", "k8s.example.com k8s.example.org", "[a-z].example.com", "!.example.com"),
    *("rancher.example.com/*", "rancher.example.com/1", "rancher.example.com//k8s", "rancher.example.com/k8s/", "rancher.example.com/k8s//x"),
    *("rancher.example.com/k8s/..", "rancher.example.com/./k8s", "rancher.example.com/k8s.io", "rancher.example.com/k8s/%2e%2e/x"),
    *("rancher.example.com/k8s\\x", "rancher.example.com/k8s#x", "rancher.example.com/k8s;x", "rancher.example.com:443/k8s", "/k8s", "10.0.0.0/24"),
    *("{k8s,x}.example.com", "k8s_1.example.com", "10.0.0.0/8", "[*]", "[10.0.0.1]", "::1", "k8s.example.com;x", "k8s.example.com\nx"),
)

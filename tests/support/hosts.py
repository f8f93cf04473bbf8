"""Entries of AllowedEndpoints: what the template and the function take for hosts, and what both do not."""

ALLOWING = ("k8s.example.com", "*.k8s.example.com", "edge-?.k8s.example.com", "*.*.example.com", "10.0.0.1", "[2001:db8::1]", "a.b")
ALLOWING_NOTHING = (
    *("*", "*.com", "**", "?", "*.*", "com", "k8s", "localhost", "*.example.*", "k8s.*", "k8s.example.c?m"),
    *("https://k8s.example.com", "k8s.example.com:6443", "k8s.example.com/", "user@k8s.example.com", "k8s.example.com.", ".example.com"),
    *("K8s.example.com", "K8S.EXAMPLE.COM", "k8s..example.com", "k8s.example.com k8s.example.org", "[a-z].example.com", "!.example.com"),
    *("{k8s,x}.example.com", "k8s_1.example.com", "10.0.0.0/8", "[*]", "[10.0.0.1]", "::1", "k8s.example.com;x", "k8s.example.com\nx"),
)

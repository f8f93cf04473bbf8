"""The JSON Schemas and the function judge alike.

Some 150 documents, as an editor's YAML reader and as the function's reads them.
"""

import base64
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from ecr_public_pusher.configuration import loader
from ecr_public_pusher.configuration.json_schema import json_schemas
from ecr_public_pusher.configuration.loader import Parameter
from ecr_public_pusher.errors import ConfigurationError
from infra.local.kube.certificates import issue

ROOT = Path(__file__).parents[3]
PATH = "/ecr-public-pusher"
SCHEMAS = json_schemas()
EKS = "{namespaces: [default], signIn: {type: eks}}"
HOSTS = (
    *("k8s.example.com/api", "k8s.example.com/k8s/clusters/*", "[::1]/k8s"),
    *(
        "10.0.0.1",
        "k8s.example.com",
        "[::1]",
        "[2001:db8::1]",
        "[fe80:1:2:3:4:5:6:7]",
        "[2001:db8::]",
        "xn--bcher-kva.example",
    ),
)
ROLE = "arn:aws:iam::444455556666:role/spoke"
IN_ROLE = f'region: eu-west-1, roleArn: "{ROLE}"'

GOOD = f"""
{{}}
namespaces: [a]
namespaces: a
namespaces: "default prometheus  my-app"
namespaces: " default "
namespaces: ["*"]
namespaces: "*"
namespaces: [team-*, "?x", "team-[a-c]", "[!k]*"]
namespaces: [1, 012, true]
namespaces: 1
namespaces: true
namespaces: {{include: 1, exclude: on, selector: 7}}
namespaces: {{selector: 1.5}}
namespaces: {{selector: true}}
namespaces: [null, a]
namespaces: null
namespaces: ~
namespaces:
namespaces: {{include: [a]}}
namespaces: {{include: a b}}
namespaces: {{include: [team-*], exclude: null, selector: null}}
namespaces: {{include: [team-*], exclude: []}}
namespaces: {{include: [team-*], exclude: ""}}
namespaces: {{include: [team-*], exclude: team-x}}
namespaces: {{include: [team-*], exclude: [team-x, null]}}
namespaces: {{include: null, selector: team}}
namespaces: {{selector: team=web}}
namespaces: {{selector: "!team"}}
namespaces: {{selector: "team in (a, b),tier notin (c)"}}
namespaces: {{selector: "team != web , x == y"}}
namespaces: {{selector: "example.com/team=web"}}
namespaces: {{selector: "tier > 1, tier < 9223372036854775807"}}
namespaces: {{selector: "team="}}
namespaces: {{selector: "a in ()"}}
{{namespaces: [a], region: eu-central-1}}
{{namespaces: [a], region: us-gov-west-1}}
{{namespaces: [a], region: null}}
{{namespaces: [a], roleArn: "{ROLE}"}}
{{namespaces: [a], roleArn: "arn:aws-cn:iam::444455556666:role/path/spoke"}}
{{namespaces: [a], roleArn: "{ROLE}", externalId: some-id}}
{{namespaces: [a], roleArn: "{ROLE}", externalId: 12345}}
{{namespaces: [a], roleArn: "{ROLE}", externalId: -1}}
{{namespaces: [a], roleArn: "{ROLE}", externalId: 1.5}}
{{namespaces: [a], roleArn: "{ROLE}", externalId: true}}
{{namespaces: [a], roleArn: "{ROLE}", externalId: null}}
{{namespaces: [a], externalId: null}}
{{namespaces: [a], secretName: pull}}
{{namespaces: [a], secretName: pull.secret-1}}
{{namespaces: [a], secretName: 7}}
{{namespaces: [a], secretName: 1.5}}
{{namespaces: [a], serviceAccounts: [default, build-*]}}
{{namespaces: [a], serviceAccounts: default build-*}}
{{namespaces: [a], serviceAccounts: []}}
{{namespaces: [a], serviceAccounts: null}}
{{namespaces: [a], serviceAccounts: [a.b]}}
{{namespaces: [a], serviceAccounts: [1.5, true]}}
{{namespaces: [a], serviceAccounts: 1.5}}
{{namespaces: [a], serviceAccounts: true}}
{{namespaces: [a], serviceAccounts: ""}}
{{namespaces: [a], serviceAccounts: [null]}}
{{namespaces: [a], serviceAccounts: {{selector: team=web}}}}
{{namespaces: [a], serviceAccounts: {{include: null, selector: team}}}}
{{namespaces: [a], serviceAccounts: {{include: [build-*], exclude: [b.x, null], selector: null}}}}
{{namespaces: [a], serviceAccounts: {{include: build-* default, exclude: [], selector: "!gone"}}}}
{{namespaces: [a], takeOwnership: true}}
{{namespaces: [a], takeOwnership: yes}}
{{namespaces: [a], takeOwnership: "yes"}}
{{namespaces: [a], takeOwnership: "True"}}
{{namespaces: [a], takeOwnership: OFF}}
{{namespaces: [a], prune: false}}
{{namespaces: [a], prune: no}}
{{namespaces: [a], prune: null}}
{{namespaces: [a], allowEmpty: on}}
{{namespaces: [a], labels: {{}}}}
{{namespaces: [a], labels: null}}
{{namespaces: [a], labels: {{team: web}}}}
{{namespaces: [a], labels: {{team: 1}}}}
{{namespaces: [a], labels: {{team: 1.5}}}}
{{namespaces: [a], labels: {{team: true}}}}
{{namespaces: [a], labels: {{team: null}}}}
{{namespaces: [a], labels: {{team: ""}}}}
{{namespaces: [a], labels: {{example.com/team: a_b.c-d}}}}
{{namespaces: [a], annotations: {{example.com/why: because it is so}}}}
{{namespaces: [a], annotations: {{example.com/why: -1}}}}
{{namespaces: [a], annotations: {{example.com/why: ""}}}}
{{namespaces: [a], annotations: {{ecr-public-pusher: x}}}}
{{namespaces: [a], registries: [public]}}
{{namespaces: [a], registries: public}}
{{namespaces: [a], registries: null}}
{{namespaces: [a], registries: [public, null]}}
{{namespaces: [a], registries: [{{account: 444455556666, region: eu-west-1, roleArn: "{ROLE}"}}]}}
{{namespaces: [a], registries: [public, \
{{account: "044455556666", {IN_ROLE}, externalId: some-id}}]}}
{{namespaces: [a], registries: [{{account: "444455556666", {IN_ROLE}, externalId: null}}]}}
""".strip().splitlines()
GOOD_CLUSTER = """
cluster: main
cluster: Main_1-x
cluster: 2024
cluster: null
enabled: false
enabled: "no"
enabled: null
{cluster: main, enabled: true, namespaces: {include: [a], exclude: [b], selector: c}, \
prune: true, takeOwnership: true, allowEmpty: false}
""".strip().splitlines()
BAD = f"""
namespaces: []
namespaces: ""
namespaces: " "
namespaces: [null]
namespaces: {{}}
namespaces: {{exclude: [a]}}
namespaces: {{include: null, selector: null}}
namespaces: {{include: [], selector: x}}
namespaces: {{include: [null], selector: x}}
namespaces: {{include: "", selector: x}}
namespaces: {{includ: [a]}}
namespaces: {{include: {{a: b}}}}
namespaces: [[a]]
namespaces: [{{a: b}}]
namespaces: [Team]
namespaces: [a_b]
namespaces: [-a]
namespaces: [a-]
namespaces: ["a b"]
namespaces: [a.b]
namespaces: [""]
namespaces: "a,b"
namespaces: "a, b"
namespaces: "default,"
namespaces: ["team_*"]
namespaces: ["[a"]
namespaces: ["team-["]
namespaces: ["-*"]
namespaces: ["*-"]
namespaces: ["[]"]
namespaces: ["**a "]
namespaces: [-1]
namespaces: [1.5]
namespaces: 1.5
namespaces: {{include: [a], selector: -1}}
namespaces: [{"x" * 64}]
namespaces: ["{"x" * 253}*"]
namespaces: -1
namespaces: {{selector: ""}}
namespaces: {{selector: "=="}}
namespaces: {{selector: "a b"}}
namespaces: {{selector: "a,"}}
namespaces: {{selector: ",a"}}
namespaces: {{selector: "a=b=c"}}
namespaces: {{selector: "a/b/c"}}
namespaces: {{selector: "a in"}}
namespaces: {{selector: "a in (b"}}
namespaces: {{selector: "a in ((b))"}}
namespaces: {{selector: "tier > x"}}
namespaces: {{selector: "tier > -1"}}
namespaces: {{selector: "tier > 9223372036854775808"}}
namespaces: {{selector: "tier < 99999999999999999999"}}
namespaces: {{selector: "-x"}}
namespaces: {{selector: "k=not a label"}}
namespaces: {{selector: {"x" * 64}}}
namespaces: {{selector: {{matchLabels: {{team: web}}}}}}
namespaces: {{selector: [team]}}
namespaces: {{include: [a], selector: {{}}}}
{{namespace: [a]}}
{{namespaces: [a], zebra: 1}}
{{namespaces: [a], zebra: null}}
{{namespaces: [a], secret_name: x}}
{{namespaces: [a], region: Europe}}
{{namespaces: [a], region: eu-central}}
{{namespaces: [a], region: ""}}
{{namespaces: [a], region: 1}}
{{namespaces: [a], region: [eu-central-1]}}
{{namespaces: [a], roleArn: spoke}}
{{namespaces: [a], roleArn: "arn:aws:iam::4444:role/x"}}
{{namespaces: [a], roleArn: "arn:aws:iam::444455556666:user/x"}}
{{namespaces: [a], roleArn: "{ROLE}", externalId: x}}
{{namespaces: [a], roleArn: "{ROLE}", externalId: 1}}
{{namespaces: [a], roleArn: "{ROLE}", externalId: "a b"}}
{{namespaces: [a], roleArn: "{ROLE}", externalId: [ab]}}
{{namespaces: [a], secretName: Token}}
{{namespaces: [a], secretName: ""}}
{{namespaces: [a], secretName: a..b}}
{{namespaces: [a], secretName: -a}}
{{namespaces: [a], secretName: {"x" * 254}}}
{{namespaces: [a], secretName: {{a: b}}}}
{{namespaces: [a], secretName: -1.5}}
{{namespaces: [a], serviceAccounts: [Default]}}
{{namespaces: [a], serviceAccounts: ["build_*"]}}
{{namespaces: [a], serviceAccounts: "a,b"}}
{{namespaces: [a], serviceAccounts: {{a: b}}}}
{{namespaces: [a], serviceAccounts: [[a]]}}
{{namespaces: [a], serviceAccounts: {{}}}}
{{namespaces: [a], serviceAccounts: {{include: []}}}}
{{namespaces: [a], serviceAccounts: {{include: [], selector: x}}}}
{{namespaces: [a], serviceAccounts: {{exclude: [a]}}}}
{{namespaces: [a], serviceAccounts: {{include: [a], exclude: [A]}}}}
{{namespaces: [a], serviceAccounts: {{selector: "a b"}}}}
{{namespaces: [a], serviceAccounts: {{include: [a], labels: x}}}}
{{namespaces: [a], takeOwnership: maybe}}
{{namespaces: [a], takeOwnership: 1}}
{{namespaces: [a], takeOwnership: "1"}}
{{namespaces: [a], takeOwnership: [true]}}
{{namespaces: [a], takeOwnership: ""}}
{{namespaces: [a], prune: 3}}
{{namespaces: [a], prune: oN}}
{{namespaces: [a], allowEmpty: {{}}}}
{{namespaces: [a], labels: [x]}}
{{namespaces: [a], labels: x}}
{{namespaces: [a], labels: {{x: [y]}}}}
{{namespaces: [a], labels: {{x: not a label}}}}
{{namespaces: [a], labels: {{x: -1}}}}
{{namespaces: [a], labels: {{"not a key": x}}}}
{{namespaces: [a], labels: {{"a/b/c": x}}}}
{{namespaces: [a], labels: {{"": x}}}}
{{namespaces: [a], labels: {{x: {"y" * 64}}}}}
{{namespaces: [a], labels: {{app.kubernetes.io/managed-by: me}}}}
{{namespaces: [a], annotations: {{ecr-public-pusher/owner: me}}}}
{{namespaces: [a], annotations: {{"not a key": x}}}}
{{namespaces: [a], annotations: {{x: [y]}}}}
{{namespaces: [a], annotations: x}}
{{namespaces: [a], registries: []}}
{{namespaces: [a], registries: [null]}}
{{namespaces: [a], registries: private}}
{{namespaces: [a], registries: [private]}}
{{namespaces: [a], registries: [public, public]}}
{{namespaces: [a], registries: {{account: "444455556666", region: eu-west-1, roleArn: "{ROLE}"}}}}
{{namespaces: [a], registries: [{{account: "444455556666", region: eu-west-1}}]}}
{{namespaces: [a], registries: [{{account: "444455556666", region: eu-west-1, roleArn: null}}]}}
{{namespaces: [a], registries: [{{account: "44445555666", region: eu-west-1, roleArn: "{ROLE}"}}]}}
{{namespaces: [a], registries: [{{account: 44445555666, region: eu-west-1, roleArn: "{ROLE}"}}]}}
{{namespaces: [a], registries: [{{account: "444455556666", region: Europe, roleArn: "{ROLE}"}}]}}
{{namespaces: [a], registries: [{{account: "444455556666", region: eu-west-1, roleArn: role}}]}}
{{namespaces: [a], registries: [{{account: "444455556666", {IN_ROLE}, host: x}}]}}
{{namespaces: [a], registries: [{{public: true}}]}}
""".strip().splitlines()
BAD_CLUSTER = """
cluster: my cluster
cluster: ""
cluster: -a
cluster: [a]
enabled: perhaps
enabled: 0
externalId: some-id
{externalId: some-id, roleArn: null}
- a
""".strip().splitlines()
BAD_DEFAULTS = ["cluster: x", "enabled: false", "- a"]

HEAD = "regions: [us-east-1], tags: {a: b}"
MANY = ["us-east-1", *(f"eu-west-{number}" for number in range(1, 40))]
GOOD_DISCOVERY = f"""
{{{HEAD}}}
{{{HEAD}, namespaces: [a], roleArn: "{ROLE}", externalId: some-id, region: null}}
{{regions: us-east-1 eu-west-1, tags: {{a: "*", b: 1, c: true}}}}
{{regions: [us-east-1, null], tags: {{a: b, c: null}}}}
{{regions: [us-east-1], tags: {{a: ""}}}}
{{regions: [{", ".join(MANY)}, null], tags: {{a: b}}}}
{{regions: "{" ".join(MANY)} ", tags: {{a: b}}}}
""".strip().splitlines()
BAD_DISCOVERY = f"""
{{{HEAD}, namespaces: [a], externalId: some-id}}
{{}}
{{regions: [us-east-1]}}
{{tags: {{a: b}}}}
{{regions: null, tags: {{a: b}}}}
{{regions: [], tags: {{a: b}}}}
{{regions: [null], tags: {{a: b}}}}
{{regions: [Europe], tags: {{a: b}}}}
{{regions: "", tags: {{a: b}}}}
{{regions: [{", ".join([*MANY, "us-east-1"])}], tags: {{a: b}}}}
{{regions: "{" ".join([*MANY, "us-east-1"])}", tags: {{a: b}}}}
{{regions: [us-east-1], tags: {{}}}}
{{regions: [us-east-1], tags: [a]}}
{{regions: [us-east-1], tags: {{a: [b]}}}}
{{regions: [us-east-1], tags: {{"": b}}}}
{{{HEAD}, region: us-east-1}}
{{{HEAD}, cluster: x}}
{{{HEAD}, enabled: true}}
- a
""".strip().splitlines()

# Of clusters that are not EKS. Whether signIn or endpoint comes from the defaults, an editor does
# not know: see the tests below.
CA = json.dumps(issue("edge").ca_pem)
ARN = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:/ecr-public-pusher/edge-1-AbCdEf"
TRUST = "{type: webIdentity}"
AUTHENTICATOR = "{type: iamAuthenticator, clusterId: edge.example.com}"
STORED = f'{{type: kubeconfig, secretArn: "{ARN}"}}'
PROVIDER = (
    "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/a-pool"
    "/providers/a-provider"
)
GOOGLE = f'{{type: google, provider: "{PROVIDER}"}}'
EMAIL = "gke-1@my-project.iam.gserviceaccount.com"
BAD_PROVIDERS = (
    "",
    PROVIDER.removeprefix("//iam.googleapis.com/"),
    f"https:{PROVIDER}",
    PROVIDER.replace("123456789012", "my-project"),
    PROVIDER.replace("123456789012", "0"),
    PROVIDER.replace("global", "us"),
    PROVIDER.replace("a-pool", "a"),
    PROVIDER.replace("a-pool", "a" * 33),
    PROVIDER.replace("a-provider", "A-provider"),
    PROVIDER.replace("a-provider", "a/provider"),
    PROVIDER.replace("iam.googleapis.com", "iam.example.com"),
    f"{PROVIDER}/x",
)
BAD_EMAILS = (
    "",
    "gke-1",
    "gke-1@example.com",
    "gke-1@example.com/x.iam.gserviceaccount.com",
    "gke-1:x@my-project.iam.gserviceaccount.com",
    "../gke-1@my-project.iam.gserviceaccount.com",
    f"{EMAIL}:signBlob?",
    f"{EMAIL}.example.com",
    "123456789012345678901",
)
GOOD_ENDPOINTS = (
    *(
        "https://10.0.0.1",
        "https://10.0.0.1:6443",
        "https://k8s.example.com",
        "https://k8s.example.com:1",
        "https://k8s.example.com:65535",
    ),
    *(
        "https://[::1]",
        "https://[2001:db8::1]:6443",
        "https://[fe80:1:2:3:4:5:6:7]",
        "https://[2001:db8::]",
        "https://xn--bcher-kva.example",
    ),
    *(
        "https://k8s.example.com/",
        "https://k8s.example.com:6443/",
        "https://K8s.example.com",
        "HTTPS://k8s.example.com",
        "https://[2001:DB8::1]",
    ),
)
GOOD_PATHS = (
    *(
        "https://k8s.example.com/api",
        "https://k8s.example.com/api/",
        "https://K8s.example.com:6443/k8s/clusters/c-m-X_1",
    ),
    *("https://[::1]:6443/k8s", "https://k8s.example.com/k8s/clusters/1"),
)
BAD_ENDPOINTS = (
    *(
        "http://k8s.example.com",
        "k8s.example.com",
        "k8s.example.com:6443",
        "//k8s.example.com",
        "https://",
        "https:///",
        "ftp://k8s.example.com",
        "",
    ),
    *(
        "https://k8s.example.com?x",
        "https://k8s.example.com#x",
        "https://k8s.example.com/..",
        "https://k8s.example.com/k8s/../api",
    ),
    *(
        "https://k8s.example.com//",
        "https://k8s.example.com//k8s",
        "https://k8s.example.com/k8s//x",
        "https://k8s.example.com/k8s//",
    ),
    *(
        "https://k8s.example.com/k8s/./x",
        "https://k8s.example.com/k8s.d",
        "https://k8s.example.com/k8s/%2e%2e/x",
        "https://k8s.example.com/k8s%2fx",
    ),
    *(
        "https://k8s.example.com/k8s\\x",
        "https://k8s.example.com/k8s?x",
        "https://k8s.example.com/k8s#x",
        "https://k8s.example.com/k8s;x",
    ),
    *(
        "https://k8s.example.com/k8s/x y",
        "https://k8s.example.com/k8s/\u00fc",
        "https://k8s.example.com/8",
        "https://k8s.example.com/-x",
    ),
    *(
        f"https://k8s.example.com/{'x' * 256}",
        "https://k8s.example.com/k8s/a@b",
        "https://k8s.example.com/k8s/*",
        "https://k8s.example.com/{x}",
    ),
    *(
        "https://user@k8s.example.com",
        "https://user:password@k8s.example.com",
        "https://k8s.example.com@evil.example",
        "https://@k8s.example.com",
    ),
    *(
        "https://k8s.example.com.",
        "https://k8s.example.com.:6443",
        "https://.example.com",
        "https://k8s..example.com",
        "https://-k8s.example.com",
    ),
    *(
        "https://k8s_1.example.com",
        "https://bücher.example",
        "HTTP://k8s.example.com",
        "https://K8s.example.com.",
    ),
    *(
        "https://k8s.example.com:0",
        "https://k8s.example.com:65536",
        "https://k8s.example.com:99999",
        "https://k8s.example.com:",
        "https://k8s:x",
    ),
    *(
        "https://k8s.example.com:06443",
        "https://*.example.com",
        "https://k8s.example.com evil",
        " https://k8s.example.com",
        "https://k8s.example.com ",
    ),
    *(
        "https://[::ffff:10.0.0.1]",
        "https://[::1",
        "https://::1",
        "https://[1]",
        "https://[:::]",
        "https://[1:2:3:4:5:6:7:8:9]",
        "https://[::1%25eth0]",
    ),
    *("https://k8s.example.com\\evil", "https://k8s%2eexample.com", "https://k8s.example.com\tx"),
)
PEM = issue("edge").ca_pem
BODY = PEM.split("-----")[2]
GOOD_AUTHORITIES = (
    *(
        f"# edge's authority, until 2036\n{PEM}",
        f"Issuer: CN=Bücher\n\n{PEM}# and the old one\n{issue('old').ca_pem}# end",
        f"  {PEM}",
    ),
    *(PEM.replace("\n", "\r\n"), PEM.replace("\n", " "), PEM.replace("\n", "\n  ")),
)
BAD_AUTHORITIES = (
    *(
        "# nothing",
        base64.b64encode(PEM.encode()).decode(),
        BODY,
        f"# {PEM}",
        f"x{PEM}",
        PEM.replace("CERTIFICATE", "X509 CRL"),
    ),
    *(
        f"{PEM}-----BEGIN CERTIFICATE-----\n",
        PEM.replace("\n", "\n# ", 1),
        f"{PEM}# {PEM}",
        PEM.replace("-----END", "-----FIN"),
    ),
    f"# {PEM.replace(chr(10), ' ')}",
)
GOOD_ELSEWHERE = [
    *(
        f"{{signIn: {TRUST}, endpoint: {json.dumps(endpoint)}}}"
        for endpoint in (*GOOD_ENDPOINTS, *GOOD_PATHS)
    ),
    *(
        f"{{signIn: {AUTHENTICATOR}, endpoint: {json.dumps(endpoint)}}}"
        for endpoint in GOOD_ENDPOINTS
    ),
    *(
        f'{{signIn: {TRUST}, endpoint: "https://10.0.0.1", certificateAuthority:'
        f" {json.dumps(text)}}}"
        for text in GOOD_AUTHORITIES
    ),
    f'{{signIn: {AUTHENTICATOR}, endpoint: "https://10.0.0.1", certificateAuthority: {CA}}}',
    (
        '{signIn: {type: iamAuthenticator, clusterId: 7}, endpoint: "https://10.0.0.1",'
        " certificateAuthority: null}"
    ),
    '{signIn: {type: webIdentity, clusterId: null, secretArn: ~}, endpoint: "https://10.0.0.1"}',
    f'{{signIn: {GOOGLE}, endpoint: "https://10.0.0.1", certificateAuthority: {CA}}}',
    *(
        f'{{signIn: {{type: google, provider: "{PROVIDER}", serviceAccount: {email}}},'
        ' endpoint: "https://10.0.0.1"}'
        for email in (
            "null",
            EMAIL,
            "gke@my-project.example.com.iam.gserviceaccount.com",
            "123456789012-compute@developer.gserviceaccount.com",
        )
    ),
    f"{{signIn: {STORED}}}",
    f"{{signIn: {STORED}, endpoint: null, certificateAuthority: null, cluster: null}}",
    f'{{signIn: {STORED}, roleArn: "{ROLE}"}}',
    "signIn: {type: eks}",
    "{signIn: {type: eks}, cluster: main, endpoint: null}",
    "signIn: null",
]
BAD_ELSEWHERE = [
    *(f"{{signIn: {AUTHENTICATOR}, endpoint: {json.dumps(endpoint)}}}" for endpoint in GOOD_PATHS),
    *(
        f'{{signIn: {TRUST}, endpoint: "https://10.0.0.1", certificateAuthority:'
        f" {json.dumps(text)}}}"
        for text in BAD_AUTHORITIES
    ),
    *(f"{{signIn: {TRUST}, endpoint: {json.dumps(endpoint)}}}" for endpoint in BAD_ENDPOINTS),
    *(
        f"{{signIn: {TRUST}, endpoint: {value}}}"
        for value in ("7", "[https://10.0.0.1]", "{}", "true")
    ),
    *(
        f'{{signIn: {TRUST}, endpoint: "https://10.0.0.1", certificateAuthority: {value}}}'
        for value in ("x", "7", "[]", '""')
    ),
    (
        f'{{signIn: {TRUST}, endpoint: "https://10.0.0.1", certificateAuthority:'
        f" {json.dumps(issue('x').key_pem)}}}"
    ),
    (
        f'{{signIn: {TRUST}, endpoint: "https://10.0.0.1", certificateAuthority:'
        f" {json.dumps(issue('x').ca_pem + issue('x').key_pem)}}}"
    ),
    *(f"{{signIn: {GOOGLE}, endpoint: {json.dumps(endpoint)}}}" for endpoint in GOOD_PATHS),
    f'{{signIn: {GOOGLE}, endpoint: "https://10.0.0.1", cluster: main}}',
    '{signIn: {type: google}, endpoint: "https://10.0.0.1"}',
    f'{{signIn: {{type: google, serviceAccount: {EMAIL}}}, endpoint: "https://10.0.0.1"}}',
    f'{{signIn: {{type: webIdentity, provider: "{PROVIDER}"}}, endpoint: "https://10.0.0.1"}}',
    f'{{signIn: {{type: webIdentity, serviceAccount: {EMAIL}}}, endpoint: "https://10.0.0.1"}}',
    *(
        f"{{signIn: {{type: google, provider: {json.dumps(provider)}}},"
        ' endpoint: "https://10.0.0.1"}'
        for provider in BAD_PROVIDERS
    ),
    *(
        f'{{signIn: {{type: google, provider: "{PROVIDER}", serviceAccount: {json.dumps(email)}}},'
        ' endpoint: "https://10.0.0.1"}'
        for email in BAD_EMAILS
    ),
    f'{{signIn: {TRUST}, endpoint: "https://10.0.0.1", cluster: main}}',
    '{signIn: {type: eks}, endpoint: "https://10.0.0.1"}',
    f"{{signIn: {{type: eks}}, certificateAuthority: {CA}}}",
    f'{{signIn: {STORED}, endpoint: "https://10.0.0.1"}}',
    f"{{signIn: {STORED}, certificateAuthority: {CA}}}",
    f"{{signIn: {STORED}, cluster: main}}",
    "{signIn: {type: eks, clusterId: x}}",
    f'{{signIn: {{type: eks, secretArn: "{ARN}"}}}}',
    '{signIn: {type: webIdentity, clusterId: x}, endpoint: "https://10.0.0.1"}',
    '{signIn: {type: webIdentity, audience: x}, endpoint: "https://10.0.0.1"}',
    '{signIn: {type: iamAuthenticator}, endpoint: "https://10.0.0.1"}',
    '{signIn: {type: iamAuthenticator, clusterId: null}, endpoint: "https://10.0.0.1"}',
    '{signIn: {type: iamAuthenticator, clusterId: "a b"}, endpoint: "https://10.0.0.1"}',
    (
        f'{{signIn: {{type: iamAuthenticator, clusterId: x, secretArn: "{ARN}"}}, endpoint:'
        ' "https://10.0.0.1"}'
    ),
    "signIn: {type: kubeconfig}",
    *(
        f"{{signIn: {{type: kubeconfig, secretArn: {json.dumps(arn)}}}}}"
        for arn in (
            "edge",
            "/ecr-public-pusher/edge",
            ARN[:-7],
            f"{ARN}*",
            ARN.replace("edge", "*"),
            ARN.replace("eu-central-1", "*"),
            ARN.replace("111122223333", "1111"),
            ARN.replace("secretsmanager", "ssm"),
            f"{ARN} ",
            f"{ARN}:versionId",
            "",
        )
    ),
    "signIn: webIdentity",
    "signIn: {}",
    "signIn: {type: oidc}",
    "signIn: {type: EKS}",
    "signIn: {type: null}",
    "signIn: []",
    "signIn: {kind: eks}",
]
GOOD_DEFAULTS_ELSEWHERE = [
    f"signIn: {TRUST}",
    'endpoint: "https://10.0.0.1"',
    f"certificateAuthority: {CA}",
    f"signIn: {STORED}",
    f'{{signIn: {AUTHENTICATOR}, endpoint: "https://10.0.0.1"}}',
    "{signIn: null, endpoint: null}",
]

CORPUS = [
    *(("cluster", text, True) for text in GOOD_ELSEWHERE),
    *(("cluster", text, False) for text in BAD_ELSEWHERE),
    *(("defaults", text, True) for text in GOOD_DEFAULTS_ELSEWHERE),
    *(("defaults", f"endpoint: {json.dumps(endpoint)}", False) for endpoint in BAD_ENDPOINTS),
    *(
        ("defaults", text, False)
        for text in (
            "signIn: webIdentity",
            "signIn: {type: kubeconfig}",
            "signIn: {type: iamAuthenticator}",
        )
    ),
    *(
        ("discover", f"{{{HEAD}, {text}}}", False)
        for text in ("signIn: {type: eks}", f"certificateAuthority: {CA}")
    ),
    *(("discover", f'{{{HEAD}, endpoint: "https://10.0.0.1"}}', False),),
    *(("discover", f"{{{HEAD}, signIn: null, endpoint: null, certificateAuthority: null}}", True),),
    *(("cluster", text, True) for text in (*GOOD, *GOOD_CLUSTER)),
    *(("cluster", text, False) for text in (*BAD, *BAD_CLUSTER)),
    *(("defaults", text, True) for text in (*GOOD, "externalId: some-id")),
    *(("defaults", text, False) for text in (*BAD, *BAD_DEFAULTS)),
    *(("discover", text, True) for text in GOOD_DISCOVERY),
    *(("discover", text, False) for text in BAD_DISCOVERY),
]


def judged_by_the_function(kind: str, text: str) -> bool:
    """Return the function's judgement; a cluster's document has defaults that select something."""
    defaults = text if kind == "defaults" else "namespaces: [default]"
    folder = "discover" if kind == "discover" else "clusters"
    documents = {
        f"{PATH}/defaults": defaults,
        f"{PATH}/{folder}/prod": EKS if kind == "defaults" else text,
    }
    try:
        parameters = [Parameter(name, value) for name, value in documents.items()]
        return not loader.load(
            parameters, root=PATH, region="us-east-1", allowed_endpoints=HOSTS
        ).invalid
    except ConfigurationError:
        return False


def judged_by_the_schema(kind: str, document: Any) -> bool:
    return bool(jsonschema.Draft202012Validator(SCHEMAS[f"{kind}.schema.json"]).is_valid(document))


@pytest.mark.parametrize(
    "document",
    [
        f"signIn: {TRUST}",
        f"signIn: {AUTHENTICATOR}",
        'endpoint: "https://10.0.0.1"',
        f"certificateAuthority: {CA}",
    ],
)
def test_what_the_defaults_may_complete_the_schema_lets_pass(document: str) -> None:
    assert (
        judged_by_the_function("cluster", document),
        judged_by_the_schema("cluster", yaml.safe_load(document)),
    ) == (False, True)


def test_whether_a_certificate_is_an_authoritys_the_schema_lets_pass() -> None:
    document = (
        f'{{signIn: {TRUST}, endpoint: "https://10.0.0.1", certificateAuthority:'
        f" {json.dumps(issue('x').certificate_pem)}}}"
    )
    assert (
        judged_by_the_function("cluster", document),
        judged_by_the_schema("cluster", yaml.safe_load(document)),
    ) == (False, True)


@pytest.mark.parametrize(("number", "good"), [(20, True), (21, False)])
def test_as_many_registries_are_taken_as_fit_into_one_secret(number: int, good: bool) -> None:
    registries = [
        {"account": f"{index:012}", "region": "eu-west-1", "roleArn": ROLE}
        for index in range(number)
    ]
    document = json.dumps({"namespaces": ["a"], "registries": registries})
    assert judged_by_the_function("cluster", document) is good
    assert judged_by_the_schema("cluster", json.loads(document)) is good


def test_there_are_as_many_documents_as_it_takes() -> None:
    assert len({text for _, text, _ in CORPUS}) >= 150


@pytest.mark.parametrize(("kind", "text", "good"), CORPUS)
def test_the_schema_and_the_function_judge_alike(kind: str, text: str, good: bool) -> None:
    assert (
        judged_by_the_function(kind, text),
        judged_by_the_schema(kind, yaml.safe_load(text)),
    ) == (good, good)


@pytest.mark.parametrize(
    "path",
    sorted((ROOT / "infra" / "examples" / "parameters").rglob("*.yaml")),
    ids=lambda path: path.stem,
)
def test_the_examples_are_good(path: Path) -> None:
    kind = {"parameters": "defaults", "clusters": "cluster", "discover": "discover"}[
        path.parent.name
    ]
    assert judged_by_the_schema(kind, yaml.safe_load(path.read_text()))
    assert judged_by_the_function(kind, path.read_text())


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_schema_is_one_and_says_what_each_field_is(name: str) -> None:
    made = SCHEMAS[name]
    jsonschema.Draft202012Validator.check_schema(made)
    assert made["$id"].endswith(f"/docs/{name}")
    mapping = next(
        one for one in made["properties"]["namespaces"]["anyOf"] if one.get("type") == "object"
    )
    fields = [*made["properties"].items(), *mapping["properties"].items()]
    assert [field for field, body in fields if len(body.get("description", "")) < 10] == []


def test_no_pattern_is_pythons_own() -> None:
    r"""ECMA-262 lacks named groups, possessive quantifiers, inline flags, \A and \Z."""
    text = json.dumps(SCHEMAS)
    assert not [
        mark for mark in ("(?P", "(?i", "(?x", "*+", "++", "?+", "\\\\A", "\\\\Z") if mark in text
    ]

"""Ask a simulator through python3-shodan, and print what it makes of the answers as JSON."""

import json
import sys

import shodan


def client(key):
    api = shodan.Shodan(key)
    api.base_url = url
    api.api_rate_limit = 0  # the simulator has a limit of its own, or none
    return api


def said(call, *args, **kwargs):
    """Return the answer of a call, or the text of its error."""
    try:
        return call(*args, **kwargs)
    except shodan.APIError as error:
        return str(error)


url, key = sys.argv[1:]
api = client(key)
json.dump(
    {
        "host": said(api.host, "192.0.2.1"),
        "minified": said(api.host, "192.0.2.1", minify=True),
        "history": said(api.host, "192.0.2.1", history=True),
        "ipv6": said(api.host, "2001:db8::1"),
        "hosts": said(api.host, ["192.0.2.1", "192.0.2.9", "2001:db8::1"]),
        "unknown": said(api.host, "192.0.2.9"),
        "invalid": said(api.host, "999.1.1.1"),
        "info": said(api.info),
        "search": said(api.search, 'org:"Example Networks"', facets=[("port", 5)]),
        "cursor": [match["port"] for match in api.search_cursor("OpenSSH")],
        "count": said(api.count, "port:22", facets=["country"]),
        "malformed": said(api.search, "port:"),
        "tokens": said(api.search_tokens, "ssh port:22"),
        "ports": said(api.ports),
        "protocols": said(api.protocols),
        "myip": said(api.tools.myip),
        "domain": said(api.dns.domain_info, "example.com"),
        "bad key": said(client("wrong").host, "192.0.2.1"),
        "bad key, info": said(client("wrong").info),
        "free plan": said(client("free").host, "192.0.2.1"),
        "dev plan, hosts": said(client("dev").host, ["192.0.2.1", "192.0.2.9"]),
        "free plan, info": said(client("free").info),
        "no credits": said(client(key).search, "port:22"),
    },
    sys.stdout,
)

"""An expansion module of misp-modules that scores an IP address with shodanrep.

The environment variable SHODANREP_BINARY is the path of the program, by default
"shodanrep". SHODANREP_CONFIG names its configuration file. Both are not settings
of the module: misp-modules takes settings from everyone who can reach it.
"""

import ipaddress
import json
import os
import re
import subprocess
import uuid

TIMEOUT = 240  # seconds; misp-modules waits for 300
SOURCES = ("dataset", "shodan", "internetdb")

mispattributes = {
    "input": ["ip-src", "ip-dst", "ip-src|port", "ip-dst|port"],
    "format": "misp_standard",
}
moduleinfo = {
    "version": "1.0",
    "author": "shodanrep",
    "description": "Scores IP addresses with Shodan's data, and explains every score.",
    "module-type": ["expansion", "hover"],
    "name": "shodanrep",
    "logo": "",
    "requirements": ["The program shodanrep"],
    "features": (
        "The module adds a comment and tags with level, score, policy and reasons to the address, and objects with its"
        " ports, host names, certificates and vulnerabilities. If the lookup failed, it returns an error and adds nothing."
    ),
    "references": ["https://github.com/shodanrep/steampipe-plugin-shodanrep"],
    "input": "An attribute with an IP address.",
    "output": "The attribute with its verdict, and objects of the types ip-port, x509 and vulnerability.",
}
moduleconfig = ["api_key", "policy", "source"]


class Failure(Exception):
    """The reason why there is no result."""


def handler(q=False):
    """Answers a query of MISP, which is JSON."""
    if q is False:
        return False
    try:
        request = json.loads(q)
        attribute, address = read_attribute(request)
        event = check(address, read_config(request))
        return {"results": results(attribute, event)}
    except Failure as failure:
        return {"error": f"shodanrep: {failure}"}
    except (ValueError, RecursionError):
        return {"error": "shodanrep: the request is not JSON"}


def introspection():
    """Returns the types of attributes that the module takes."""
    return mispattributes


def version():
    """Returns what the module is, and its settings."""
    return {**moduleinfo, "config": moduleconfig}


def read_attribute(request):
    """Returns the attribute of a request, and its address."""
    attribute = request.get("attribute") if isinstance(request, dict) else None
    if not isinstance(attribute, dict) or not all(attribute.get(name) for name in ("type", "uuid", "value")):
        raise Failure('the request needs an "attribute" with a type, a value and a uuid')
    if attribute["type"] not in mispattributes["input"]:
        raise Failure(f"attributes of the type {attribute['type']} are not supported")
    value = str(attribute["value"]).split("|")[0].strip()
    try:
        uuid.UUID(attribute["uuid"])
        address = ipaddress.ip_address(value)
        return attribute, type(address)(int(address))  # without a zone, which can be any text
    except (ValueError, AttributeError):
        raise Failure(f"{value} is not an IP address, or the uuid of its attribute is not one") from None


def read_config(request):
    """Returns the settings in a request. The error does not show the key."""
    config = request.get("config") or {}
    if not isinstance(config, dict):
        raise Failure("the settings are not an object")
    key = config.get("api_key") or ""
    if not isinstance(key, str) or key and not key.isprintable():
        raise Failure("the setting api_key is not a text, or has characters that cannot be printed")
    return config


def check(address, config):
    """Returns the event that shodanrep makes of an address."""
    args = [os.environ.get("SHODANREP_BINARY") or "shodanrep", "check", "--output", "misp", "--quiet"]
    policy, source = config.get("policy"), config.get("source")
    if policy:
        # A path is not accepted: it would read a file.
        if not re.fullmatch(r"[A-Za-z0-9_-]+", str(policy)):
            raise Failure(f"{policy!r} is not the name of a policy")
        args += ["--policy", str(policy)]
    if source:
        if source not in SOURCES:
            raise Failure(f"{source!r} is not a source: use {', '.join(SOURCES)}")
        args += ["--source", source]
    environment = dict(os.environ)
    if config.get("api_key"):
        environment["SHODAN_API_KEY"] = config["api_key"]
    try:
        done = subprocess.run(
            args + ["--", str(address)],
            env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, check=False,
        )
    except OSError as error:
        raise Failure(f"{args[0]} cannot be started: {error.strerror}; set SHODANREP_BINARY to its path") from None
    except subprocess.TimeoutExpired:
        raise Failure(f"the program did not end within {TIMEOUT} seconds") from None
    if done.returncode != 0:
        raise Failure(done.stderr.decode("utf-8", "replace").strip() or f"the program ended with status {done.returncode}")
    try:
        event = json.loads(done.stdout)["Event"]
        analysis, comment = event["analysis"], event["Attribute"][0]["comment"]
    except (ValueError, KeyError, IndexError, TypeError):
        raise Failure("the program did not write an event: SHODANREP_BINARY is another program") from None
    if analysis != "2":  # the lookup failed
        raise Failure(comment)
    return event


def results(attribute, event):
    """Returns the verdict on the attribute, and the objects of the event.

    The same host can be in several events of MISP, and each id only once. So the
    ids depend on that of the attribute, and stay the same when it is enriched again.
    """
    space = uuid.UUID(attribute["uuid"])
    verdict = {**event["Attribute"][0], "uuid": attribute["uuid"], "type": attribute["type"], "value": attribute["value"]}
    verdict["to_ids"] = attribute.get("to_ids", verdict["to_ids"])
    if attribute.get("category"):
        verdict["category"] = attribute["category"]
    for item in event["Object"]:
        if item["name"] == "ip-port":
            reference = {"relationship_type": "related-to", "object_uuid": item["uuid"], "referenced_uuid": attribute["uuid"]}
            item.setdefault("ObjectReference", []).append({**reference, "uuid": str(uuid.uuid5(space, "reference"))})
    objects = renewed(event["Object"], space, {attribute["uuid"]})
    return {name: items for name, items in (("Attribute", [verdict]), ("Object", objects)) if items}


def renewed(value, space, kept):
    """Returns a part of an event with ids that depend on a namespace, but for those to keep."""
    if isinstance(value, list):
        return [renewed(item, space, kept) for item in value]
    if not isinstance(value, dict):
        return value
    changed = {}
    for name, item in value.items():
        if name in ("uuid", "object_uuid", "referenced_uuid") and item not in kept:
            changed[name] = str(uuid.uuid5(space, item))
        else:
            changed[name] = renewed(item, space, kept)
    return changed

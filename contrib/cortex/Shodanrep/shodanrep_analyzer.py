#!/usr/bin/env python3
"""A Cortex analyzer that scores an IP address with shodanrep.

Cortex 3 names the folder of a job as the argument, with input/input.json. The
report goes to output/output.json. Without such a file, the input is read from
standard input and the report is written to standard output, as in Cortex 2.

The environment variable SHODANREP_BINARY is the path of the program, by default
"shodanrep". SHODANREP_CONFIG names its configuration file. Both are not settings
of the analyzer, so that a user of Cortex cannot run programs or read files.
"""

import ipaddress
import json
import os
import pathlib
import re
import subprocess
import sys

TIMEOUT = 240  # seconds; by default Cortex ends a job after 30 minutes
SOURCES = ("dataset", "shodan", "internetdb")
DEFAULT_MAX = 2  # of TLP and PAP


class Failure(Exception):
    """The reason why there is no report."""


def read_job():
    """Returns the folder of the job, or None, and its input."""
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "/job")
    file = folder / "input" / "input.json"
    if file.is_file():
        return folder, file.read_bytes()
    return None, sys.stdin.buffer.read()


def write_report(folder, report):
    """Writes the report into the folder of the job, or to standard output."""
    text = json.dumps(report)  # in ASCII: the input may have characters that UTF-8 has not
    if folder is None:
        sys.stdout.write(text)
        return
    output = folder / "output"
    output.mkdir(parents=True, exist_ok=True)
    (output / "output.json").write_text(text, encoding="utf-8")


def check_sharing(job, config):
    """Fails if the observable must not be sent to a service on the internet."""
    for word in ("tlp", "pap"):
        value, limit = job.get(word), config.get("max_" + word)
        value = DEFAULT_MAX if value is None else value
        limit = DEFAULT_MAX if limit is None else limit
        if not config.get("check_" + word):
            continue
        if not isinstance(value, int) or not isinstance(limit, int):
            raise Failure(f"{word.upper()} is not a number.")
        if value > limit:
            raise Failure(f"{word.upper()} is higher than allowed.")


def in_environment(values, name):
    """Returns a text that a variable of the environment can have. The error does not show it: it may be secret."""
    value = values[name]
    if not isinstance(value, str) or not value.isprintable():
        raise Failure(f"The setting {name} is not a text, or has characters that cannot be printed.")
    return value


def command(job, config):
    """Returns the command for a job and the environment that it needs."""
    if job.get("dataType") != "ip":
        raise Failure("This data type is not supported: shodanrep scores the type ip.")
    try:
        address = ipaddress.ip_address(str(job.get("data")).strip())
    except ValueError:
        raise Failure(f"{job.get('data')!r} is not an IP address.") from None
    address = type(address)(int(address))  # without a zone, which can be any text
    args = [os.environ.get("SHODANREP_BINARY") or "shodanrep", "check", "--output", "cortex", "--quiet"]
    policy, source = config.get("policy"), config.get("source")
    if policy:
        # A path is not accepted: it would read a file.
        if not re.fullmatch(r"[A-Za-z0-9_-]+", str(policy)):
            raise Failure(f"{policy!r} is not the name of a policy.")
        args += ["--policy", str(policy)]
    if source:
        if source not in SOURCES:
            raise Failure(f"{source!r} is not a source: use {', '.join(SOURCES)}.")
        args += ["--source", source]
    environment = dict(os.environ)
    if config.get("api_key"):
        environment["SHODAN_API_KEY"] = in_environment(config, "api_key")
    proxies = config.get("proxy")
    for scheme in ("http", "https"):
        if isinstance(proxies, dict) and proxies.get(scheme):
            environment[scheme + "_proxy"] = in_environment(proxies, scheme)
    return args + ["--", str(address)], environment


def analyze(job):
    """Returns the report on the observable of a job."""
    config = job.get("config") or {}
    if not isinstance(config, dict):
        raise Failure("The settings are not an object.")
    check_sharing(job, config)
    args, environment = command(job, config)
    try:
        done = subprocess.run(
            args, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, check=False
        )
    except OSError as error:
        raise Failure(f"{args[0]} cannot be started: {error.strerror}. Set SHODANREP_BINARY to its path.") from None
    except subprocess.TimeoutExpired:
        raise Failure(f"shodanrep did not end within {TIMEOUT} seconds.") from None
    if done.returncode != 0:
        raise Failure(done.stderr.decode("utf-8", "replace").strip() or f"shodanrep ended with status {done.returncode}.")
    try:
        report = json.loads(done.stdout)
    except ValueError:
        report = None
    if not isinstance(report, dict):
        raise Failure("shodanrep did not write a report: its version is too old, or SHODANREP_BINARY is another program.")
    return report


SECRETS = ("key", "password", "secret", "proxy")  # a proxy may have a password


def without_secrets(job):
    """Returns the input without the values that Cortex must not show."""
    config = job.get("config")
    if not isinstance(config, dict):
        return {name: value for name, value in job.items() if name != "config"}
    shown = {name: "REMOVED" if any(word in name.lower() for word in SECRETS) else value for name, value in config.items()}
    return {**job, "config": shown}


def main():
    """Runs the job, and returns the exit status."""
    folder, job = None, {}
    try:
        folder, text = read_job()
        try:
            job = json.loads(text)
        except (ValueError, RecursionError):
            raise Failure("The input is not JSON.") from None
        if not isinstance(job, dict):
            job = {}
            raise Failure("The input is not an object.")
        report = analyze(job)
    except Failure as failure:
        report = {"success": False, "errorMessage": str(failure)}
    if not report.get("success"):
        report["input"] = without_secrets(job)
    write_report(folder, report)
    return 0 if report.get("success") else 1


if __name__ == "__main__":
    sys.exit(main())

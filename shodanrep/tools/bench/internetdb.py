"""Writes a file like Shodan's internetdb.sqlite, or looks addresses up in one.

write FILE ROWS LIST LISTED   writes ROWS invented hosts, and a list of LISTED of their addresses in random order
loop FILE LIST                looks up the addresses of a list, and prints the seconds that it took
"""
import random
import sqlite3
import sys
import time

PRODUCTS = ["cpe:/a:f5:nginx:1.18.0", "cpe:/a:openbsd:openssh:8.9p1", "cpe:/a:apache:tomcat:9.0.30", "cpe:/a:mysql:mysql:8.0.36"]
PORTS = [22, 25, 80, 443, 3306, 3389, 4444, 6379, 8080, 8443]


def host(chance, i):
    ports = sorted(chance.sample(PORTS, chance.randint(1, 5)))
    vulns = [f"CVE-20{chance.randint(15, 25)}-{chance.randint(1000, 9999)}" for _ in range(chance.choice([0, 0, 0, 3]))]
    return (
        f"11.{i >> 16}.{i >> 8 & 255}.{i & 255}",
        ",".join(map(str, ports)),
        chance.choice(["", "", "", "vpn", "cloud", "self-signed"]),
        ",".join(chance.sample(PRODUCTS, chance.randint(0, 2))),
        ",".join(vulns),
        chance.choice(["", f"host{i}.example.net"]),
    )


def write(path, rows, list_path, listed):
    chance = random.Random(1)
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE data (ip TEXT, ports TEXT, tags TEXT, cpes TEXT, vulns TEXT, hostnames TEXT)")
    db.executemany("INSERT INTO data VALUES (?, ?, ?, ?, ?, ?)", (host(chance, i) for i in range(1, rows + 1)))
    db.execute("CREATE INDEX data_ip ON data (ip)")
    db.commit()
    ips = [ip for (ip,) in db.execute("SELECT ip FROM data")]
    with open(list_path, "w") as f:
        f.write("\n".join(["ip", *chance.sample(ips, listed)]) + "\n")


def loop(path, list_path):
    with open(list_path) as f:
        ips = f.read().split()[1:]
    db = sqlite3.connect(path)
    begun = time.perf_counter()
    for ip in ips:
        db.execute("SELECT * FROM data WHERE ip=?", (ip,)).fetchone()
    print(time.perf_counter() - begun)


if sys.argv[1] == "write":
    write(sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
else:
    loop(sys.argv[2], sys.argv[3])

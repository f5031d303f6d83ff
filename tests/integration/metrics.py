#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
# metrics.py - read metrics as Prometheus does.
#   metrics.py show FILE       each sample as "NAME{label=value,...} NUMBER"
#   metrics.py families FILE   names of the metrics that have samples
#   metrics.py up OLD NEW      no counter of OLD is less in NEW, or missing
import sys

from prometheus_client.parser import text_string_to_metric_families as parse


def read(path):
    with open(path, encoding="utf-8", newline="") as f:
        text = f.read()
    for line in text.split("\n")[:-1]:
        assert line and line == line.strip(), repr(line)
    assert text.endswith("\n")
    families = list(parse(text))
    names = [f.name for f in families]
    assert len(names) == len(set(names)), "a family is split"
    samples = [s for f in families for s in f.samples]
    # No line was passed over.
    assert len(samples) == sum(not x.startswith("#") for x in
                               text.split("\n")[:-1])
    return families


def key(s):
    return s.name + "{" + ",".join(f"{k}={v}" for k, v in
                                   sorted(s.labels.items())) + "}"


def show(path):
    for f in read(path):
        for s in f.samples:
            print(key(s), f"{s.value:.6f}".rstrip("0").rstrip("."))


def families(path):
    for f in read(path):
        if f.samples:
            print(f.name + ("_total" if f.type == "counter" else ""))


def up(old, new):
    now = {key(s): s.value for f in read(new) for s in f.samples}
    bad = 0
    for f in read(old):
        if f.type not in ("counter", "histogram"):
            continue
        for s in f.samples:
            if now.get(key(s), -1) < s.value:
                print(key(s), s.value, "->", now.get(key(s)))
                bad = 1
    sys.exit(bad)


globals()[sys.argv[1]](*sys.argv[2:])

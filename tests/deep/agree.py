#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""agree.py - good evidence, spoilt in every field, before two verifiers: both
must refuse, at the same check; and one of them again with all that it
remembers of the good one.

agree.py VTPM-VERIFY WARMJUDGE EVIDENCE NONCE HOST STATES ROOTS.PEM POLICY
    FOLDER

Evidence, host record and states are real ones that both accept.  Writes what
it makes to FOLDER, and "ok - WORDS" or "not ok - WORDS" for each.
"""
import base64
import contextlib
import copy
import io
import json
import os
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import deep_parts  # noqa: E402
import verify_deep  # noqa: E402


def fields(raw):
    """[(name, offset, length)] of an answer; doc/FORMATS.md, "Deep quotes"."""
    out, at = [], 0

    def put(name, size):
        nonlocal at
        out.append((name, at, size))
        at += size

    def blob(name):
        size = struct.unpack(">H", raw[at:at + 2])[0]
        put(name + " length", 2)
        if size:
            put(name, size)

    put("magic", 4)
    put("version", 2)
    put("leaf length", 2)
    put("label", 15)
    put("leaf version", 2)
    put("uuid", 16)
    put("group", 4)
    blob("EK name")
    blob("AK name")
    put("guest quote", 32)
    blob("leaf nonce")
    put("channel key", 32)
    put("launch", 32)
    put("journal", 32)
    put("flags", 4)
    put("generation", 8)
    put("state version", 8)
    put("index", 8)
    put("count", 8)
    put("nodes", 2)
    nodes = struct.unpack(">H", raw[at - 2:at])[0]
    for i in range(nodes):
        put(f"node {i}", 32)
    put("sequence", 8)
    blob("host quote")
    blob("host signature")
    blob("AK certificate")
    assert at == len(raw)
    return out


def flip(raw, at, bit=0):
    out = bytearray(raw)
    out[at] ^= 1 << bit
    return bytes(out)


def b64(raw):
    return base64.b64encode(raw).decode()


def bundles(good, host, states):
    """(words, evidence, host record, states); None: as it was."""
    deep = base64.b64decode(good["deep"])

    def with_deep(raw):
        return dict(good, deep=b64(raw))

    for name, at, size in fields(deep):
        for where, off, bit in (("first", 0, 7), ("last", size - 1, 0)):
            yield (f"answer, {where} byte of {name}",
                   with_deep(flip(deep, at + off, bit)), None, None)
        yield (f"answer, cut before {name}", with_deep(deep[:at]), None, None)
    yield "answer, a byte more", with_deep(deep + b"\0"), None, None
    nodes = [f for f in fields(deep) if f[0].startswith("node ")]
    if nodes:
        _, at, size = nodes[-1]
        n = struct.unpack(">H", deep[nodes[0][1] - 2:nodes[0][1]])[0]
        cut = deep[:nodes[0][1] - 2] + struct.pack(">H", n - 1)
        cut += deep[nodes[0][1]:at] + deep[at + size:]
        yield "answer, a node less", with_deep(cut), None, None
    for key in ("quote", "signature", "ak_public", "ak_certificate",
                "ek_certificate", "journal", "info", "event_log"):
        if key not in good:
            continue
        raw = base64.b64decode(good[key])
        for where, off in (("early", 3), ("middle", len(raw) // 2),
                           ("last", len(raw) - 1)):
            yield (f"evidence, {where} byte of {key}",
                   dict(good, **{key: b64(flip(raw, off))}), None, None)
    for key in ("ak_certificate", "ek_certificate"):
        raw = base64.b64decode(good[key])
        size = 4 + int.from_bytes(raw[2:4], "big")  # before an issuing key's
        sig = deep_parts.der(raw[:size], key).signature
        yield (f"evidence, unused bits in the signature of {key}",
               dict(good, **{key: b64(flip(raw, size - len(sig) - 1))}),
               None, None)
    pcrs = copy.deepcopy(good["pcrs"])
    bank = next(iter(pcrs))
    pcrs[bank]["4"] = flip(bytes.fromhex(pcrs[bank]["4"]), 0).hex()
    yield "evidence, PCR 4", dict(good, pcrs=pcrs), None, None
    del pcrs[bank]["4"]
    yield "evidence, without PCR 4", dict(good, pcrs=pcrs), None, None
    for key in verify_deep.Host.KEYS:
        raw = base64.b64decode(host[key])
        for where, off in (("early", 5), ("middle", len(raw) // 2),
                           ("last", len(raw) - 1)):
            yield (f"host record, {where} byte of {key}", None,
                   dict(host, **{key: b64(flip(raw, off))}), None)
    one = states["states"][0]["pcrs"]
    for n in one:
        other = copy.deepcopy(states)
        other["states"][0]["pcrs"][n] = flip(bytes.fromhex(one[n]), 31).hex()
        yield f"states, another PCR {n}", None, None, other
    other = copy.deepcopy(states)
    del other["states"][0]["pcrs"]["7"]
    yield "states, without PCR 7", None, None, other
    other = copy.deepcopy(states)
    other["states"][0]["pcrs"]["8"] = one["7"]
    yield "states, PCR 8 as well", None, None, other


GOOD = "good"  # at the end of the words of a spelling that is no mistake


def set_in(obj, path, value):
    """A copy with obj[path[0]][path[1]]... = value; DROP removes it."""
    out = copy.deepcopy(obj)
    at = out
    for key in path[:-1]:
        at = at[key]
    if value is DROP:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return out


DROP = object()


def renamed(obj, old, new):
    return {new if k == old else k: v for k, v in obj.items()}


def spellings_of_evidence(good):
    nonce = good["nonce"]
    bank = next(iter(good["pcrs"]))
    pcrs = good["pcrs"][bank]

    def pcr_names(new):
        return set_in(good, ["pcrs", bank], renamed(pcrs, "4", new))

    for words, value in (
            ("in capitals, " + GOOD, nonce.upper()),
            ("with a blank", nonce[:2] + " " + nonce[2:]),
            ("with a newline", nonce + "\n"), ("of odd length", nonce + "0"),
            ("too short", nonce[:14]), ("empty", ""), ("a number", 7)):
        yield f"nonce {words}", dict(good, nonce=value)
    for new in ("04", " 4", "+4", "4 ", "4.0", "0x4", "24", "-1", "\u0664"):
        yield f"PCR {new!r}", pcr_names(new)
    yield "PCR 4 and 04", set_in(good, ["pcrs", bank, "04"], pcrs["4"])
    for words, value in (
            ("in capitals, " + GOOD, pcrs["4"].upper()),
            ("with a blank", pcrs["4"][:2] + " " + pcrs["4"][2:]),
            ("cut", pcrs["4"][:-2]), ("null", None), ("a number", 4)):
        yield f"value of PCR 4 {words}", set_in(
            good, ["pcrs", bank, "4"], value)
    for new in (bank.upper(), bank + " ", "sha3-256", ""):
        yield f"bank {new!r}", dict(good, pcrs=renamed(
            good["pcrs"], bank, new))
    for new in ("sha384", "sha1"):
        yield f"an empty bank {new}", set_in(good, ["pcrs", new], {})
    for value in ([], None, {}, {bank: []}):
        yield f"pcrs {value!r}", dict(good, pcrs=value)
    for key, value in (("version", 1.0), ("version", True), ("version", "1"),
                       ("version", 2), ("version", None),
                       ("format", "vtpm-evidence "), ("format", None),
                       ("more", 1), ("journal", None), ("journal", ""),
                       ("host_log", ""),
                       ("journal", []), ("quote", None), ("quote", ""),
                       ("deep", "")):
        yield f"{key} {value!r}", dict(good, **{key: value})
    for key in ("version", "format", "quote", "signature", "ak_public",
                "pcrs", "nonce"):
        yield f"without {key}", set_in(good, [key], DROP)
    text = good["quote"]
    for words, value in (
            ("with a newline", text[:64] + "\n" + text[64:]),
            ("with a blank after it", text + " "),
            ("without padding", text.rstrip("=") + ("" if "=" in text
                                                    else "=")),
            ("for URLs", text.replace("+", "-").replace("/", "_") + "-")):
        yield f"base64 {words}", dict(good, quote=value)
    line = json.dumps(good)
    yield "a key twice", line[:-1] + ', "version": 1}'
    yield "something after it", line + " x"
    yield "white space around it, " + GOOD, "\n  " + line + "\n\n"
    yield "a byte order mark", "\ufeff" + line
    yield "a list", "[" + line + "]"
    yield "nothing", ""


def spellings_of_host(host):
    for key, value in (("more", 1), ("version", True), ("version", 1.0),
                       ("enrolled", "1"), ("enrolled", 1.5), ("enrolled", -1),
                       ("chain", {}), ("chain", [""]),
                       ("chain", [1]), ("host", 1),
                       ("host", None), ("host", "x" * 64),
                       ("format", "vtpm-host-identity"),
                       ("ek_public", None), ("ca_attest", "")):
        yield f"{key} {str(value)[:20]!r}", dict(host, **{key: value})
    yield f"a chain that leads nowhere, {GOOD}", dict(
        host, chain=["AA=="] * 8)
    for key in ("chain", "enrolled"):
        yield f"{key} null, {GOOD}", dict(host, **{key: None})
    yield "a chain of nine", dict(host, chain=["AA=="] * 9)
    for key in host:
        maybe = f", {GOOD}" if key in ("chain", "enrolled") else ""
        yield f"without {key}{maybe}", set_in(host, [key], DROP)
    yield "a key twice", json.dumps(host)[:-1] + ', "version": 1}'


def spellings_of_states(states):
    st = states["states"][0]

    def one(new):
        return dict(states, states=[new])

    for key, value in (("more", 1), ("version", True), ("version", 1.0),
                       ("format", "x"), ("epoch", -1), ("epoch", 1.0),
                       ("epoch", "0"), ("epoch", None), ("states", {}),
                       ("states", []), ("states", [st] * 65),
                       ("states", [None]), ("approval_key", ""),
                       ("approval_key", "AA=="), ("approval_key", None)):
        yield f"{key} {str(value)[:20]!r}", dict(states, **{key: value})
    for key in states:
        maybe = f", {GOOD}" if key in ("epoch", "approval_key") else ""
        yield f"without {key}{maybe}", set_in(states, [key], DROP)
    yield "64 states, " + GOOD, dict(states, states=[st] * 64)
    yield "epoch 0, " + GOOD, dict(states, epoch=0)
    for words, value in (
            ("with more", dict(st, more=1)),
            ("without a label, " + GOOD, {k: v for k, v in st.items()
                                          if k != "label"}),
            ("with a label of 63, " + GOOD, dict(st, label="x" * 63)),
            ("with a label of 64", dict(st, label="x" * 64)),
            ("with the label 1", dict(st, label=1)),
            ("with the label null", dict(st, label=None)),
            ("of no bank", {k: v for k, v in st.items() if k != "bank"}),
            ("of the bank sha1", dict(st, bank="sha1", pcrs={
                "0": "11" * 20})),
            ("of the bank SHA256", dict(st, bank="SHA256")),
            ("without PCRs", dict(st, pcrs={})),
            ("with pcrs []", dict(st, pcrs=[])),
            ("with PCR 07", dict(st, pcrs=renamed(st["pcrs"], "7", "07"))),
            ("with PCRs 7 and 07", set_in(st, ["pcrs", "07"],
                                          st["pcrs"]["7"])),
            ("with PCR 24", dict(st, pcrs=renamed(st["pcrs"], "7", "24"))),
            ("with capitals, " + GOOD, set_in(st, ["pcrs", "7"],
                                              st["pcrs"]["7"].upper())),
            ("with a blank", set_in(st, ["pcrs", "7"],
                                    " " + st["pcrs"]["7"])),
            ("with 00", set_in(st, ["pcrs", "7"], "00" * 32)),
            ("with an approval, too", dict(st, approval="AA==")),
            ("that is an approval of nothing", {"approval": ""}),
            ("that is an approval 1", {"approval": 1})):
        yield f"a state {words}", one(value)


def spellings(good, host, states):
    """As bundles(); a text stands for the file as it is."""
    for words, ev in spellings_of_evidence(good):
        yield f"evidence, {words}", ev, None, None
    for words, h in spellings_of_host(host):
        yield f"host record, {words}", None, h, None
    for words, st in spellings_of_states(states):
        yield f"states, {words}", None, None, st


def first_fail(text):
    for line in text.splitlines():
        if line.startswith("FAIL"):
            return line.split()[1].rstrip(":")
    return ""


def run_c(prog, policy, args):
    p = subprocess.run([prog, "--policy", policy] + args, check=False,
                       capture_output=True, text=True)
    return p.returncode, first_fail(p.stdout), p.stdout + p.stderr


def run_warm(prog, good, args):
    p = subprocess.run([prog, good] + args, check=False,
                       capture_output=True, text=True)
    return p.returncode, first_fail(p.stdout), p.stdout + p.stderr


def run_py(args):
    out, sys.argv = io.StringIO(), ["verify_deep.py"] + args
    with contextlib.redirect_stdout(out):
        code = verify_deep.main()
    return code, first_fail(out.getvalue()), out.getvalue()


# Where the bytes of a key or certificate cannot be read as one at all, the
# document leaves open which check notices: (part, in C, in Python).
SOONER = {("ek_certificate", "ek-chain", "signer"),
          ("host record ak_public", "host-ca-attest", "host-ak"),
          ("host record ca_certificate", "ca", "host-ca-key"),
          ("host record ca_certificate", "ek-chain", "host-ca-key")}


def point(words, c, py, want_ok):
    # One that the one cannot read at all, the other says where it is broken.
    unread = c[0] == 2 and py[1] in ("format", "deep-format")
    same = c[1] == py[1] != "" or any(
        all(w in words for w in part.split()) and (c[1], py[1]) == (a, b)
        for part, a, b in SOONER)
    good = (c[0] == py[0] == 0) if want_ok else (
        unread or (c[0] == py[0] == 1 and same))
    if good:
        print(f"ok - {words}: both "
              f"{'accept' if want_ok else 'refuse at ' + py[1]}")
        return True
    print(f"not ok - {words}: C exit {c[0]} at '{c[1]}', "
          f"Python exit {py[0]} at '{py[1]}'")
    for text in (c[2], py[2]):
        print("\n".join("  " + ln for ln in text.splitlines()[-2:]))
    return False


def main():
    (prog, warm, evidence, nonce, hostfile, statefile, roots, policy,
     folder) = sys.argv[1:]
    with open(evidence, encoding="utf-8") as f:
        good = json.load(f)
    with open(hostfile, encoding="utf-8") as f:
        host = json.load(f)
    with open(statefile, encoding="utf-8") as f:
        states = json.load(f)
    os.makedirs(folder, exist_ok=True)
    paths = {k: os.path.join(folder, k + ".json")
             for k in ("evidence", "host", "states")}
    args = ["-e", paths["evidence"], "--nonce", nonce, "--host",
            paths["host"], "--host-states", paths["states"], "--roots", roots]
    bad = n = known = 0
    cases = [("as it was made", None, None, None)]
    cases += bundles(good, host, states)
    cases += spellings(good, host, states)
    for words, ev, h, st in cases:
        for key, what, else_ in (("evidence", ev, good), ("host", h, host),
                                 ("states", st, states)):
            with open(paths[key], "w", encoding="utf-8") as f:
                if isinstance(what, str):
                    f.write(what)
                else:
                    json.dump(else_ if what is None else what, f)
        n += 1
        c = run_c(prog, policy, args)
        if not point(words, c, run_py(args),
                     n == 1 or words.endswith(GOOD)):
            bad += 1
        if h is None and st is None:
            w = run_warm(warm, evidence, [paths["evidence"], nonce,
                         paths["host"], paths["states"], roots, policy])
            if w[:2] == c[:2]:
                known += 1
            else:
                print(f"not ok - {words}: after the good one exit {w[0]} at "
                      f"'{w[1]}', by itself exit {c[0]} at '{c[1]}'")
                bad += 1
    print(f"{'ok' if known > 50 else 'not ok'} - {known} times the same with "
          "all that is remembered of the good one")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

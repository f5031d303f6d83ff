#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""verify_deep.py - a second verifier of deep evidence, written from
doc/FORMATS.md alone: it shares no code with the one in C, so that both being
of one mind says that the document is enough.

It judges quote, certificates, host record, leaf, tree and host state; what
happened in the guest's boot (logs, journal, policy) is not its business.
Prints one line per check, "ok ID" or "FAIL ID: words", then
"verdict: accepted", "refused" or "undecided"; exit code 0, 1, 3; 2: usage.
"""
import argparse
import hashlib
import hmac
import struct
import sys

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from deep_parts import (
    ALGS, ALG_NAMES, Attest, Bad, Bytes, chain, DECRYPT, EKU_AK, EKU_EK,
    FIXED_PARENT, FIXED_TPM, ORIGIN, Public, RESTRICTED, SIGN, STRONG,
    ST_CERTIFY, ST_QUOTE, TCG_CRITICAL, b64, check_signature, der,
    ek_name, ek_qn, hexa, in_date, instance, is_ca, issued, issued_by_key,
    load, need, pcr_values, purposes, qualified, read_pems, root_kind,
    same_key, sha, whole)


# --- what is judged -------------------------------------------------------


class Judge:
    def __init__(self):
        self.failed = self.open = False
        self.lines = []

    def check(self, ident, func):
        """Runs func; True if it held."""
        try:
            func()
        except (Bad, ValueError, KeyError) as err:
            self.failed = True
            print(f"FAIL {ident}: {err}")
            return False
        print(f"ok {ident}")
        return True

    def row(self, *checks):
        """Checks in order up to the first that fails."""
        return all(self.check(i, f) for i, f in checks)

    def cannot(self, ident, words):
        self.open = True
        print(f"open {ident}: {words}")


EV_PARTS = {"quote": 2048, "signature": 1024, "ak_public": 1026,
            "ak_certificate": 4096, "ek_certificate": 4096,
            "event_log": 1 << 20, "journal": 256 << 10,
            "launch_record": 64 << 10, "host_log": 1 << 20, "info": 1024,
            "deep": 4000}


class Evidence:
    def __init__(self, path):
        must = ("nonce", "quote", "signature", "ak_public", "pcrs")
        obj = load(path, 6 << 20, "vtpm-evidence", must, EV_PARTS)
        self.nonce = hexa(obj["nonce"], "the nonce")
        need(8 <= len(self.nonce) <= 64, "the nonce's length")
        self.part = {k: b64(obj[k], most, k) if obj.get(k) is not None
                     else None for k, most in EV_PARTS.items()}
        self.pcrs = {}
        need(isinstance(obj["pcrs"], dict), "pcrs is not an object")
        for bank, values in obj["pcrs"].items():
            need(bank in ALGS, f'unknown bank "{bank}"')
            self.pcrs[ALGS[bank]] = pcr_values(values, ALGS[bank], bank)
            need(values, f"{bank} has no PCR")
        need(self.pcrs, "no PCRs")

    def qualify(self):
        out = b"vtpm evidence v1" + struct.pack(">I", len(self.nonce))
        out += self.nonce
        for key in ("event_log", "journal", "launch_record", "host_log",
                    "info"):
            raw = self.part[key]
            out += struct.pack(">I", 0) if raw is None else struct.pack(
                ">I", 32) + sha(raw)
        return sha(out)

    def selection(self):
        return [(alg, sum(1 << n for n in self.pcrs[alg]))
                for alg in sorted(self.pcrs)]

    def values(self):
        return b"".join(self.pcrs[alg][n] for alg in sorted(self.pcrs)
                        for n in sorted(self.pcrs[alg]))


def judge_guest(j, ev, nonce):
    """The evidence's own quote; returns the AK's public area or None."""
    ctx = {}

    def ak_attributes():
        ak = ctx["ak"]
        need(ak.has(FIXED_TPM, FIXED_PARENT, ORIGIN, RESTRICTED, SIGN) and
             not ak.has(DECRYPT), "the AK is not a restricted signing key")

    def scheme():
        ak, raw = ctx["ak"], ev.part["signature"]
        need(len(raw) > 4, "no signature")
        need(ak.scheme_hash in STRONG, "a scheme below SHA-256")
        need(struct.unpack(">HH", raw[:4]) == (ak.scheme, ak.scheme_hash),
             "another scheme than the AK's")

    def signer():
        ek = chain(ev.part["ek_certificate"],
                   "the EK certificate")[0].public_key()
        ctx["ek_name"] = ek_name(ek)
        need(ctx["attest"].signer == qualified(ek_qn(ctx["ek_name"]),
                                               ctx["ak"].name),
             "the AK is not a child of this EK")

    def selection():
        need(ctx["attest"].selection == ev.selection(), "other PCRs")
        need(all(alg in STRONG for alg in ev.pcrs), "a SHA-1 bank")

    def pcr_digest():
        need(ctx["attest"].digest == sha(ev.values(), ctx["ak"].scheme_hash),
             "the values are not those that were quoted")

    ok = j.row(
        ("nonce", lambda: need(hmac.compare_digest(nonce, ev.nonce),
                               "another nonce")))
    ok = j.row(
        ("ak-public", lambda: ctx.update(ak=Public(ev.part["ak_public"]))),
        ("ak-attributes", ak_attributes),
        ("scheme", scheme),
        ("signature", lambda: check_signature(
            ctx["ak"].key, ev.part["signature"], ev.part["quote"])),
        ("attest", lambda: ctx.update(attest=Attest(ev.part["quote"],
                                                    ST_QUOTE))),
        ("freshness", lambda: need(ctx["attest"].extra == ev.qualify(),
                                   "not for this nonce and these parts")),
        ("signer", signer),
        ("selection", selection),
        ("pcr-digest", pcr_digest)) and ok
    return ctx if ok else None


def judge_certs(j, ev, ctx, ca):
    """The vTPM's certificates under the host's CA; AK's VtpmInstance."""
    issuers = []

    def leaf(key, words):
        cert, by = chain(ev.part[key], words)
        if by is None:
            issued(cert, ca, words)
        else:
            issued_by_key(cert, by, ca, words)
            issuers.append(by)
        in_date(cert, words)
        ctx[key] = cert

    def purpose(key, eku):
        need(eku in purposes(ctx[key]) and not is_ca(ctx[key]),
             "not for this purpose")
        need(eku != EKU_AK or EKU_EK not in purposes(ctx[key]),
             "an AK's certificate that is for an EK, too")

    def root():
        ek, ak = instance(ctx["ek_certificate"]), ctx["inst"]
        need(all(root_kind(x) == ak["root"] == ek["root"]
                 for x in [ca] + issuers),
             "the certificates' kinds of root differ")

    def inst():
        ek, ak = instance(ctx["ek_certificate"]), instance(
            ctx["ak_certificate"])
        need(ek["virtual"] and ak["virtual"], "not a vTPM's")
        need(ek["uuid"] == ak["uuid"] and ek["group"] == ak["group"],
             "EK and AK are of different vTPMs")
        need(ek["generation"] <= ak["generation"],
             "the AK's certificate is of an older generation")
        ctx["inst"] = ak

    return j.row(
        ("ek-chain", lambda: leaf("ek_certificate", "EK certificate")),
        ("ek-purpose", lambda: purpose("ek_certificate", EKU_EK)),
        ("ak-chain", lambda: leaf("ak_certificate", "AK certificate")),
        ("ak-purpose", lambda: purpose("ak_certificate", EKU_AK)),
        ("ak-key", lambda: need(same_key(
            ctx["ak_certificate"].public_key(), ctx["ak"].key),
            "the certificate is another key's")),
        ("instance", inst), ("root", root))


class Host:
    KEYS = {"ek_public": 1026, "ek_certificate": 4096, "ak_public": 1026,
            "ca_public": 1026, "ca_certificate": 4096, "ca_attest": 2048,
            "ca_signature": 1024}

    def __init__(self, path):
        obj = load(path, 256 << 10, "vtpm-host",
                   tuple(self.KEYS) + ("host",), ("chain", "enrolled"))
        for key, most in self.KEYS.items():
            setattr(self, key, b64(obj[key], most, key))
        need(isinstance(obj["host"], str) and
             len(obj["host"].encode()) <= 63, "host is no name")
        when, chain = obj.get("enrolled"), obj.get("chain")
        when = 0 if when is None else when
        chain = [] if chain is None else chain
        need(whole(when) and when >= 0, "enrolled is no time")
        need(isinstance(chain, list) and len(chain) <= 8,
             "chain is not a list of at most 8")
        self.chain = []
        for one in chain:
            raw = b64(one, 4096, "chain")
            try:
                self.chain.append(der(raw, "chain"))
            except Bad:
                pass  # leads nowhere

    def ek_chain(self, roots):
        cert = der(self.ek_certificate, "the EK certificate")
        need(not is_ca(cert), "the EK certificate is a CA's")
        pur = purposes(cert)
        need(not pur or EKU_EK in pur, "the EK certificate's purpose")
        todo, seen = cert, 0
        while True:
            in_date(todo, "EK chain")
            for ext in todo.extensions:
                known = isinstance(ext.value, (
                    x509.BasicConstraints, x509.KeyUsage,
                    x509.ExtendedKeyUsage, x509.SubjectAlternativeName))
                need(not ext.critical or known or
                     ext.oid.dotted_string in TCG_CRITICAL,
                     "an unknown critical extension")
            for root in roots:
                if root == todo:
                    return
                if root.subject == todo.issuer and is_ca(root):
                    issued(todo, root, "EK chain")
                    in_date(root, "EK chain")
                    return
            above = [c for c in self.chain if c.subject == todo.issuer and
                     is_ca(c)]
            need(above and seen < 8, "leads to none of the given roots")
            issued(todo, above[0], "EK chain")
            todo, seen = above[0], seen + 1

    def ek_key(self):
        self.ek = Public(self.ek_public)
        need(same_key(self.ek.key, der(
            self.ek_certificate, "the EK certificate").public_key()),
            "the certificate is another key's")
        need(self.ek.has(FIXED_TPM, FIXED_PARENT, ORIGIN, RESTRICTED, DECRYPT)
             and not self.ek.has(SIGN), "not an endorsement key")

    def good_ak(self):
        self.ak = Public(self.ak_public)
        need(self.ak.has(FIXED_TPM, FIXED_PARENT, ORIGIN, RESTRICTED, SIGN)
             and not self.ak.has(DECRYPT), "not a restricted signing key")
        need(self.ak.scheme_hash in STRONG, "its scheme is below SHA-256")

    def ca_key(self):
        self.ca_pub = Public(self.ca_public)
        need(self.ca_pub.has(FIXED_TPM, FIXED_PARENT, ORIGIN, SIGN),
             "it could be copied out of its TPM")
        self.ca = der(self.ca_certificate, "the CA certificate")
        need(is_ca(self.ca), "not a CA's certificate")
        need(same_key(self.ca.public_key(), self.ca_pub.key),
             "the certificate is another key's")
        issued(self.ca, self.ca, "CA certificate")
        need(root_kind(self.ca) == 2, "it does not say hardware root")

    def certified(self):
        a = Attest(self.ca_attest, ST_CERTIFY)
        need(a.name == self.ca_pub.name, "another key was certified")
        need(a.signer == qualified(ek_qn(self.ek.name), self.ak.name),
             "certified by a key that is not the AK under this EK")

    def judge(self, j, roots):
        return j.row(
            ("host-ek-chain", lambda: self.ek_chain(roots)),
            ("host-ek-key", self.ek_key), ("host-ak", self.good_ak),
            ("host-ca-key", self.ca_key),
            ("host-ca-attest", self.certified),
            ("host-ca-signature", lambda: check_signature(
                self.ak.key, self.ca_signature, self.ca_attest,
                (self.ak.scheme, self.ak.scheme_hash))))


class Answer:
    def __init__(self, raw):
        need(len(raw) <= 4000, "too long")
        r = Bytes(raw)
        need(r.take(4) == b"VTDQ" and r.num(2) == 1, "not a deep quote")
        self.leaf_data = r.blob(387)
        self.index, self.count = r.num(8), r.num(8)
        need(self.index < self.count <= 1 << 20, "index and count")
        n = r.num(2)
        need(n <= 20, "too many nodes")
        self.path = [r.take(32) for _ in range(n)]
        self.sequence = r.num(8)
        self.attest, self.sig = r.blob(512), r.blob(512)
        self.ak_cert = r.blob(2048)
        r.end()
        r = Bytes(self.leaf_data)
        need(r.take(15) == b"vTPM deep quote" and r.num(2) == 1, "the leaf")
        self.uuid, self.group = r.take(16), r.num(4)
        self.ek_name, self.ak_name = r.blob(66), r.blob(66)
        self.quote, self.nonce = r.take(32), r.blob(64)
        self.channel = r.take(32)
        self.launch, self.journal = r.take(32), r.take(32)
        self.flags = r.num(4)
        need(self.flags < 64, "unknown flags")
        self.generation, self.version = r.num(8), r.num(8)
        r.end()

    def root(self):
        x, i, n = sha(b"\x00" + self.leaf_data), self.index, self.count
        path = list(self.path)
        while n > 1:
            if not (i % 2 == 0 and i == n - 1):
                need(path, "the path is too short")
                p = path.pop(0)
                x = sha(b"\x01" + (p + x if i % 2 else x + p))
            i, n = i // 2, (n + 1) // 2
        need(not path, "the path is too long")
        return x


class HostQuote:
    """A quote of the host by a group's AK, without any guest."""

    def __init__(self, path, nonce):
        with open(path, "rb") as f:
            raw = f.read(4097)
        need(len(raw) <= 4096, "too long")
        r = Bytes(raw)
        need(r.take(4) == b"VTGQ" and r.num(2) == 1, "not a host quote")
        self.group, self.sequence = r.num(4), r.num(8)
        need(len(r.blob(64)) >= 8, "the nonce is too short")
        self.attest, self.sig = r.blob(512), r.blob(512)
        self.ak_cert = r.blob(2048)
        r.end()
        self.want = sha(b"vTPM group quote" + struct.pack(
            ">HIQH", 1, self.group, self.sequence, len(nonce)) + nonce)


def extreme(value):
    return value in (b"\x00" * len(value), b"\xff" * len(value))


def plain_pcrs(raw):
    r = Bytes(raw)
    need(r.take(4) == b"VTPC" and r.num(2) == 1 and r.num(2) == 1,
         "PCR values of one bank")
    alg, mask = r.num(2), r.num(4)
    need(alg in ALG_NAMES and mask < 1 << 24, "PCR values")
    size = hashlib.new(ALG_NAMES[alg]).digest_size
    values = {n: r.take(size) for n in range(24) if mask >> n & 1}
    r.end()
    return alg, values


def approval(raw, key, epoch):
    need(len(raw) <= 4096, "an approval is too long")
    r = Bytes(raw)
    need(r.take(4) == b"VTAP" and r.num(2) == 1, "not an approval")
    group, _label = r.num(4), r.blob(63)
    sequence, alive = r.num(8), r.num(8)
    name = r.take(34)
    r.take(8)
    alg, values = plain_pcrs(r.blob())
    signed, sig = r.data[:r.at], r.blob(80)
    psig = r.blob(80)
    r.end()
    need(alive >= epoch, f"approval {sequence} is dead: its epoch has passed")
    ref = b"VTPM host state" + (b" %d" % group if group else b"")
    bits = sum(1 << n for n in values).to_bytes(3, "little")
    p1 = sha(bytes(32) + bytes.fromhex("0000017f00000001") + struct.pack(
        ">H", alg) + b"\x03" + bits + sha(b"".join(
            values[n] for n in sorted(values))))
    policy = sha(p1 + bytes.fromhex("00000149") + sha(
        struct.pack(">Q", alive) + bytes.fromhex("00000009")) + name)
    pub = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key)
    try:
        pub.verify(sig, signed, ec.ECDSA(hashes.SHA256()))
        pub.verify(psig, policy + ref, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as err:
        raise Bad(f"approval {sequence} is not signed by the key") from err
    return group, alg, values


class States:
    """Accepted host states: [(group or None, alg, {pcr: value})]."""

    def __init__(self, path):
        obj = load(path, 512 << 10, "vtpm-host-states", ("states",),
                   ("approval_key", "epoch"), nulls=False)
        need(isinstance(obj["states"], list) and
             1 <= len(obj["states"]) <= 64, "states")
        epoch = obj.get("epoch", 0)
        need(whole(epoch) and epoch >= 0, "epoch is no number")
        if "approval_key" in obj:
            point = b64(obj["approval_key"], 65, "approval_key")
            ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
            need(len(point) == 65, "approval_key is no point")
        self.states, self.why, self.selections = [], [], []
        for st in obj["states"]:
            need(isinstance(st, dict), "a state is not an object")
            if list(st) == ["approval"]:
                key = b64(obj.get("approval_key"), 65, "approval_key")
                try:
                    one = approval(b64(st["approval"], 4096, "approval"), key,
                                   epoch)
                except Bad as err:
                    self.why.append(str(err))
                    try:  # a dead one still says what was asked for
                        self.select(approval(
                            b64(st["approval"], 4096, "approval"), key, 0))
                    except Bad:
                        pass
                    continue
            else:
                need(set(st) <= {"label", "bank", "pcrs"},
                     "a state has an unknown key")
                label = st.get("label", "")
                need(isinstance(label, str) and len(label.encode()) <= 63,
                     "a state's label")
                need(isinstance(st.get("bank"), str) and st["bank"] in ALGS,
                     "a state's bank")
                alg = ALGS[st["bank"]]
                one = (None, alg, pcr_values(st.get("pcrs"), alg, "a state"))
            need(one[1] in STRONG, "a state in a bank below SHA-256")
            need(one[2] and not any(extreme(v) for v in one[2].values()),
                 "a state that must not be accepted")
            self.states.append(one)
            self.select(one)

    def select(self, one):
        self.selections.append([(one[1], sum(1 << n for n in one[2]))])

    def find(self, group, selection, digest, alg):
        for g, bank, values in self.states:
            mask = sum(1 << n for n in values)
            if g in (None, group) and selection == [(bank, mask)] and sha(
                    b"".join(values[n] for n in sorted(values)),
                    alg) == digest:
                return
        raise Bad("; ".join(["no accepted state of the host"] + self.why))


def judge_leaf(j, ev, ctx, allow, channel=None):
    def load_answer():
        ctx["a"] = Answer(ev.part["deep"])

    def part_is(digest, key):
        raw = ev.part[key]
        need(digest == (bytes(32) if raw is None else sha(raw)),
             f"another {key}")

    def inst():
        a, cert = ctx["a"], ctx["inst"]
        need(a.uuid == cert["uuid"] and a.group == cert["group"] and
             a.generation >= cert["generation"], "another vTPM")

    def flags():
        a = ctx["a"]
        need(not a.flags & 2, "its worker crashed since the power cycle")
        need(allow or not a.flags & 17, "restored or recovered")

    if not j.check("deep-format", load_answer):
        return False
    a = ctx["a"]
    return j.row(
        ("deep-quote", lambda: need(
            a.quote == sha(ev.part["quote"] + ev.part["signature"]),
            "for another quote")),
        ("deep-nonce", lambda: need(a.nonce == ev.nonce, "another nonce")),
        ("deep-names", lambda: need(
            (a.ek_name, a.ak_name) == (ctx["ek_name"], ctx["ak"].name),
            "another EK or AK")),
        ("deep-instance", inst),
        ("deep-launch", lambda: part_is(a.launch, "launch_record")),
        ("deep-journal", lambda: part_is(a.journal, "journal")),
        ("deep-channel", lambda: need(
            channel in (None, a.channel), "for another channel's key")),
        ("deep-root", lambda: need(
            not a.flags & 8 and ctx["inst"]["root"] == 2, "a software root")),
        ("deep-flags", flags))


def judge_host(j, ctx, host, states):
    a = ctx["a"]

    def ak_cert():
        cert = der(a.ak_cert, "the host AK's certificate")
        issued(cert, host.ca, "host AK")
        in_date(cert, "host AK")
        need(EKU_AK in purposes(cert) and not is_ca(cert),
             "not for this purpose")
        inst = instance(cert)
        need(not inst["virtual"] and inst["root"] == 2 and
             inst["uuid"] == bytes(16), "not a key of the host's own TPM")
        ctx["host_inst"], ctx["host_key"] = inst, cert.public_key()

    def group():
        need(ctx["host_inst"]["group"] == a.group, "another group's AK")
        need(a.group != 0 or same_key(ctx["host_key"], host.ak.key),
             "not the AK that was enrolled")

    def attest():
        ctx["host_attest"] = Attest(a.attest, ST_QUOTE)

    def path():
        want = sha(b"vTPM root" + struct.pack(">H", 1) + a.root() +
                   struct.pack(">Q", a.sequence))
        need(ctx["host_attest"].extra == want,
             "this leaf is not under what the host's TPM signed")

    def quoted():
        need(ctx["host_attest"].extra == a.want,
             "not over this nonce, group and sequence")

    def selection():
        sel = ctx["host_attest"].selection
        need(len(sel) == 1 and sel[0][0] in STRONG and sel[0][1] != 0,
             "not one bank of SHA-256 or better with at least one PCR")
        need(states is None or sel in states.selections,
             "other PCRs than any state has")

    ok = j.row(
        ("deep-ak-cert", ak_cert), ("deep-ak-group", group),
        ("deep-signature", lambda: ctx.update(host_alg=check_signature(
            ctx["host_key"], a.sig, a.attest))),
        ("deep-attest", attest),
        ("deep-signer", lambda: need(
            ctx["host_attest"].signer == qualified(
                ek_qn(host.ek.name), host.ak.with_key(ctx["host_key"])),
            "not a key under the host's EK")),
        ("host-quote", quoted) if isinstance(a, HostQuote)
        else ("deep-path", path), ("deep-selection", selection))
    if not ok:
        return
    if states is None:
        j.cannot("deep-host-state", "no accepted states were given")
        return
    j.check("deep-host-state", lambda: states.find(
        a.group, ctx["host_attest"].selection, ctx["host_attest"].digest,
        ctx["host_alg"]))


def main():
    p = argparse.ArgumentParser(description="judge deep evidence")
    what = p.add_mutually_exclusive_group(required=True)
    what.add_argument("-e", "--evidence")
    what.add_argument("--quote", help="a host quote, instead of evidence")
    p.add_argument("--nonce", required=True, help="hex")
    p.add_argument("--host", help="host record")
    p.add_argument("--roots", help="PEM: roots of the TPM's manufacturer")
    p.add_argument("--host-states", help="accepted states")
    p.add_argument("--allow-restored", action="store_true")
    p.add_argument("--channel-key", help="SHA-256, hex")
    o = p.parse_args()
    j, ctx = Judge(), None
    try:
        ev = Evidence(o.evidence) if o.evidence else None
        states = States(o.host_states) if o.host_states else None
        host = Host(o.host) if o.host else None
        nonce = bytes.fromhex(o.nonce)
        channel = bytes.fromhex(o.channel_key) if o.channel_key else None
        ctx = (judge_guest(j, ev, nonce) if ev else
               {"a": HostQuote(o.quote, nonce)})
    except (Bad, ValueError) as err:
        print(f"FAIL format: {err}")
        j.failed = True
    if ctx is not None and host is None:
        j.cannot("host-ek-chain", "no host record was given")
    elif ctx is not None:
        roots = read_pems(o.roots) if o.roots else []
        if ev is None:
            if host.judge(j, roots):
                judge_host(j, ctx, host, states)
        elif host.judge(j, roots) and judge_certs(j, ev, ctx, host.ca):
            if ev.part["deep"] is None:
                j.check("deep-format", lambda: need(False, "no deep quote"))
            elif judge_leaf(j, ev, ctx, o.allow_restored, channel):
                judge_host(j, ctx, host, states)
    verdict = "refused" if j.failed else "undecided" if j.open else "accepted"
    print(f"verdict: {verdict}")
    return {"accepted": 0, "refused": 1, "undecided": 3}[verdict]


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tampering.py - each row of the table: change the boot, measure it into a real
vTPM, gather evidence, and hold it against a policy of the boot as it should be.
Refused, and the right file or word named in the one line?

Usage: tampering.py run N BUILD RUN GUEST CA WORK | doc LINES | check
"""
import json
import os
import re
import shutil
import sys

import rows
from boots import run, write_log

DOC = os.path.join(rows.TOP, "doc/TAMPERING.md")
BEGIN, END = "<!-- tamperings: begin -->\n", "<!-- tamperings: end -->\n"


class Lab:
    """A guest's vTPM, and a verifier."""

    def __init__(self, build, runs, guest, ca, work):
        self.b, self.runs, self.guest, self.ca, self.work = (
            build, runs, guest, ca, work)
        self.tcti = "tpmfront:local=%s/%s.tpmif" % (runs, guest)
        self.env = dict(os.environ, TPM2TOOLS_TCTI=self.tcti,
                        LD_LIBRARY_PATH=build)
        self.nonce = self.tool("vtpm-verify", "nonce").decode().strip()

    def tool(self, name, *argv, ok=(0,)):
        return run(os.path.join(self.b, name), *argv, ok=ok)

    def path(self, name):
        return os.path.join(self.work, name)

    def evidence(self, events, shown=None):
        """Boot so, and attest: the log has what has a type."""
        write_log(self.path("log"), [e for e in shown or events if e.kind])
        self.tool("vtpmctl", "--run", self.runs, "reset", self.guest)
        run("tpm2_startup", "-c", env=self.env)
        run("tpm2_pcrextend", *["%d:sha256=%s" % (e.pcr, e.digest.hex())
                                for e in events], env=self.env)
        self.tool("vtpm-attest", "--tcti", self.tcti, "--nonce", self.nonce,
                  "--log", self.path("log"), "-o", self.path("evidence"))

    def make_policy(self, events, name):
        self.evidence(events)
        policy = json.loads(self.tool(
            "vtpm-verify", "policy", "--from", self.path("evidence"),
            "--no-initrd", "the log ends before it", "--allow-software-root"))
        if name == "ima":
            pcrs = json.load(open(self.path("evidence")))["pcrs"]
            policy["banks"]["sha256"]["10"] = {"values": [
                pcrs["sha256"]["10"]]}
        with open(self.path(name + ".policy"), "w") as f:
            json.dump(policy, f)
        ex, line = self.judge(name)
        if ex != 0:
            raise RuntimeError("%s: the boot itself is refused: %s" %
                               (name, line))

    def judge(self, name):
        argv = [os.path.join(self.b, "vtpm-verify"), "-e",
                self.path("evidence"), "--nonce", self.nonce, "--policy",
                self.path(name + ".policy"), "--ca", self.ca]
        out = run("sh", "-c", '"$@"; echo $?', "sh", *argv).decode()
        lines = out.strip().split("\n")
        return int(lines[-1]), lines[-2]


def sample(n):
    """n rows, spread over the table."""
    total = len(rows.ROWS)
    n = min(n, total)
    return [i * total // n for i in range(n)]


def fresh(base, work):
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    return rows.BASES[base](work)


def run_rows(n, build, *args):
    lab = Lab(build, *args)
    measure, have = os.path.join(build, "vtpm-measure"), {}
    refused = named = wrong = done = 0
    os.makedirs(lab.work, exist_ok=True)
    for i in sample(n):
        base, what, act, words = rows.ROWS[i]
        if base not in have:
            good = fresh(base, lab.path("base"))
            have[base] = good.log(measure, rows.LEARN)
            lab.make_policy(have[base], base)
        boot = fresh(base, lab.path("base"))
        act(boot)
        log = boot.log(measure, rows.LEARN) + getattr(boot, "later", [])
        shown = getattr(boot, "shown", lambda _, own: own)(have[base], log)
        lab.evidence(log, shown)
        ex, line = lab.judge(base)
        done += 1
        refused += ex == 1
        right = ex == 1 and all(w in line for w in words)
        named += right and rows.UNNAMED not in words
        wrong += not right
        print("%s - %d %s: %s\t%s" % ("ok" if right else "not ok", i + 1,
                                      base, what, line))
    print("%d tamperings, %d refused, %d named" % (done, refused, named))
    return done != refused or wrong > 0 or (
        n >= len(rows.ROWS) and named * 100 < done * 98)


# --- doc/TAMPERING.md -----------------------------------------------------------------

def table(lines):
    out = ["| | boot | what is changed | the refusal |\n",
           "|---|---|---|---|\n"]
    for i, (base, what, _, _) in enumerate(rows.ROWS):
        line = "`%s`" % lines.get(i + 1, "").replace("REFUSED: ", "")
        out.append("| %d | %s | %s | %s |\n" % (
            i + 1, base, what, line.replace("|", "\\|")))
    return out


def make_doc(path):
    lines = dict((int(m[1]), m[2]) for m in re.finditer(
        r"^ok - (\d+) [^\t]*\t(.*)$", open(path).read(), re.M))
    text = open(DOC).read()
    a, b = text.index(BEGIN) + len(BEGIN), text.index(END)
    with open(DOC, "w") as f:
        f.write(text[:a] + "".join(table(lines)) + text[b:])
    return 0


def check_doc():
    """The document has the rows of the table, and in each what is named."""
    text = open(DOC).read()
    got = text[text.index(BEGIN):text.index(END)].split("\n")[3:-1]
    bad = [] if len(got) == len(rows.ROWS) else ["%d rows, not %d" % (
        len(got), len(rows.ROWS))]
    for i, (line, (base, what, _, words)) in enumerate(zip(got, rows.ROWS)):
        if not line.startswith("| %d | %s | %s | " % (i + 1, base, what)):
            bad.append("row %d is not of %s: %s" % (i + 1, base, what))
        bad += ["row %d does not name %s" % (i + 1, w)
                for w in words if w not in line]
    print("\n".join(bad) or "doc/TAMPERING.md has all %d rows" % len(got))
    return len(bad) > 0


def main():
    what, args = sys.argv[1], sys.argv[2:]
    if what == "run":
        return run_rows(int(args[0]), *args[1:])
    return make_doc(args[0]) if what == "doc" else check_doc()


sys.exit(main())

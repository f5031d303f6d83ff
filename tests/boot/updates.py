#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""updates.py - simulated updates of a machine.  Each is predicted and approved
before the "reboot"; then the boot, as computed here by the rules of firmware,
GRUB, stub and QEMU, is measured into a real vTPM.  Right: every PCR that was
predicted.  Not locked out: a secret that is sealed to an authority opens.

Usage: updates.py N BUILD RUN GUEST WORK
"""
import hashlib
import json
import os
import random
import struct
import sys

import rows
from boots import (LOAD_OPTIONS, INITRD, STUB, Event, application, core_image,
                   find, read_log, run, sha256, small_pe, tag_event, uki,
                   variable)

rng = random.Random(12)
REF = "6ba7b810-9dad-41d1-80b4-00c04fd430c8:root"
# PCRs 0 and 1 are the machine's own, 5 the disk's, 10 IMA's.
JUDGED = [2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14]
WORDS = ["quiet", "a='b", 'x="y z"', "p=two words", "\\back", "$d",
         "console=ttyS0", "ro", "single", "mitigations=off"]


def blob(top=5000):
    return rng.randbytes(rng.randrange(1, top))


def wide(text):
    return text.encode("utf-16-le") + b"\0\0"


def text(pcr, data):
    return Event(pcr, 0xd, sha256(data.encode()), b"")


class Firmware:
    """What OVMF measures before the first program, from a recorded boot; of it
    memory and processors change PCR 0, devices PCR 1."""

    def __init__(self):
        self.log = read_log(rows.LEARN)
        self.log = self.log[:find(self.log, 4, "BOOTX64")]

    def shape(self):
        i = next(i for i, e in enumerate(self.log) if e.kind == 0x80000008)
        e = self.log[i]
        self.log[i] = Event(0, e.kind, sha256(blob()), e.data)

    def dbx(self, work):
        data = blob(400)
        variable(self.log, 7, "dbx", data)
        with open(os.path.join(work, "dbx"), "wb") as f:
            f.write(data)


# --- three ways to boot ----------------------------------------------------------------

class Grub:
    SELECT = "sha256:4,7,8,9"
    CHANGES = ["kernel", "initrd", "argument", "entries", "default", "ucode",
               "loader"]

    def __init__(self, work):
        self.dir, self.esp = work, os.path.join(work, "esp")
        os.makedirs(self.esp + "/EFI/BOOT")
        self.files = {"/vmlinuz": b"k", "/initrd": b"i", "/ucode": b"u"}
        self.modules, self.core = [], core_image(work)
        self.args, self.entries, self.default, self.ucode = (
            ["root=/dev/vda1", "ro"], 1, 0, False)

    def change(self, what):
        if what in ("kernel", "initrd"):
            self.files["/vmlinuz" if what == "kernel" else "/initrd"] = blob()
        elif what == "argument":
            self.args[rng.randrange(len(self.args)):] = [
                rng.choice(WORDS) for _ in range(rng.randrange(1, 4))]
            self.args = [a for a in self.args if "'" not in a] or ["ro"]
        elif what == "entries":
            self.entries = rng.randrange(1, 4)
        elif what == "default":
            self.default = rng.randrange(self.entries)
        elif what == "loader":
            self.modules = rng.sample(["sleep", "date", "cat", "cmp", "hexdump",
                                       "halt", "reboot", "ls", "help"], 3)
            self.core = core_image(self.dir, self.modules)
        else:
            self.ucode = not self.ucode
        self.default = min(self.default, self.entries - 1)

    @staticmethod
    def quoted(arg):
        """An argument as it stands in grub.cfg."""
        return "'" + arg + "'" if set(arg) & set(' "$\\') else arg

    @staticmethod
    def loader_arg(arg):
        """And in the command line that GRUB makes."""
        said = "".join("\\" + c if c in "\\'\"" else c for c in arg)
        return '"' + said + '"' if " " in arg else said

    def body(self, i):
        args = self.args + ["entry=%d" % i]
        linux = " ".join(["linux", "/vmlinuz"] + [self.quoted(a) for a in args])
        return "\n\tset root_of=$root\n\t%s # boots\n\t%s\n" % (
            linux, self.initrd())

    def initrd(self):
        return "initrd " + ("/ucode " if self.ucode else "") + "/initrd"

    def config(self):
        said = "set timeout=0\nset default=%d\n" % self.default
        for i in range(self.entries):
            said += "menuentry 'Linux %d' --id=e%d {%s}\n" % (
                i, i, self.body(i))
        return said.encode()

    def predict(self):
        files = dict(self.files)
        files["/EFI/BOOT/grub.cfg"] = self.config()
        files["/EFI/BOOT/BOOTX64.EFI"] = self.core
        for name, data in files.items():
            with open(self.esp + name, "wb") as f:
                f.write(data)
        return ["-d", self.esp]

    def events(self, firmware):
        args = self.args + ["entry=%d" % self.default]
        said = ["set timeout=0", "set default=%d" % self.default]
        said += ["menuentry Linux %d --id=e%d {%s}" % (i, i, self.body(i))
                 for i in range(self.entries)]
        said += ["setparams Linux %d" % self.default, "set root_of=hd0",
                 " ".join(["linux", "/vmlinuz"] + args),
                 " ".join(["/vmlinuz"] + [self.loader_arg(a) for a in args]),
                 self.initrd()]
        out = firmware + [application("/EFI/BOOT/BOOTX64.EFI", self.core)]
        out += [text(8, s) for s in said]
        names = ["/vmlinuz"] + ["/ucode"] * self.ucode + ["/initrd"]
        return out + [Event(9, 0xd, sha256(d), b"") for d in
                      [self.config()] + [self.files[n] for n in names]]


class Uki:
    SELECT = "sha256:4,7,9,11"
    CHANGES = ["kernel", "initrd", "argument", "release", "picture", "stub"]
    MEASURED = [".linux", ".osrel", ".cmdline", ".initrd", ".splash"]

    def __init__(self, work):
        self.dir, self.stub = work, open(STUB, "rb").read()
        self.parts = {".osrel": b"ID=debian\n", ".cmdline": b"ro quiet",
                      ".linux": small_pe(b"kernel"), ".initrd": b"initrd"}

    def change(self, what):
        if what == "kernel":
            self.parts[".linux"] = small_pe(blob())
        elif what == "initrd":
            self.parts[".initrd"] = blob()
        elif what == "argument":
            self.parts[".cmdline"] = " ".join(
                rng.sample(WORDS, 3)).encode()
        elif what == "release":
            self.parts[".osrel"] = b"ID=debian\nV=%d\n" % rng.randrange(1000)
        elif what == "picture":
            self.parts[".splash"] = blob()
        else: # the text of its DOS stub: other bytes, the same program
            self.stub = self.stub[:0x50] + rng.randbytes(4) + self.stub[0x54:]

    def predict(self):
        self.image = uki(self.dir, self.parts, self.stub)
        return ["-u", os.path.join(self.dir, "uki.efi")]

    def events(self, firmware):
        out = firmware + [application("/EFI/BOOT/BOOTX64.EFI", self.image)]
        for name in self.MEASURED:
            if name in self.parts:
                out.append(Event(11, 0xd, sha256(name.encode() + b"\0"), b""))
                out.append(Event(11, 0xd, sha256(self.parts[name]), b""))
        out.append(application("/linux", self.parts[".linux"]))
        out.append(tag_event(LOAD_OPTIONS, "LOADED_IMAGE::LoadOptions",
                             wide(self.parts[".cmdline"].decode())))
        out.append(tag_event(INITRD, "Linux initrd", self.parts[".initrd"]))
        return out


class Direct:
    SELECT = "sha256:4,7,9"
    CHANGES = ["kernel", "initrd", "argument", "memory"]

    def __init__(self, work):
        self.dir, self.kernel, self.initrd = work, small_pe(b"k"), b"initrd"
        self.cmdline, self.memory = "ro quiet", 512

    def change(self, what):
        if what == "kernel":
            self.kernel = small_pe(blob())
        elif what == "initrd":
            self.initrd = blob()
        elif what == "argument":
            self.cmdline = " ".join(rng.sample(WORDS, 3))
        else:
            self.memory = rng.choice([256, 512, 768, 1024, 1536, 2048])

    def predict(self):
        argv = ["--cmdline", self.cmdline, "--memory", str(self.memory)]
        for name in ("kernel", "initrd"):
            path = os.path.join(self.dir, name)
            with open(path, "wb") as f:
                f.write(getattr(self, name))
            argv += ["--" + name, path]
        return argv

    def patched(self):
        """The kernel as QEMU hands it over."""
        k, low = bytearray(self.kernel), self.memory << 20
        top = min(struct.unpack_from("<I", k, 0x22c)[0], low - 0x28000 - 1)
        k[0x210] = 0xb0
        k[0x211] |= 0x80
        struct.pack_into("<H", k, 0x224, 0xfe00)
        struct.pack_into("<I", k, 0x228, 0x20000)
        struct.pack_into("<II", k, 0x218, (top - len(self.initrd)) & ~0xfff,
                         len(self.initrd))
        return bytes(k)

    def events(self, firmware):
        first = [application("-kernel", self.patched())]
        return first + firmware + [
            tag_event(LOAD_OPTIONS, "x",
                      wide(self.cmdline + " initrd=initrd")),
            tag_event(INITRD, "x", self.initrd)]


# --- the machine ------------------------------------------------------------------------

def values(events):
    pcrs = [bytes(32) for _ in range(24)]
    for e in events:
        pcrs[e.pcr] = hashlib.sha256(pcrs[e.pcr] + e.digest).digest()
    return [p.hex() for p in pcrs]


class Lab:
    def __init__(self, build, runs, guest, work):
        self.b, self.runs, self.guest, self.work = build, runs, guest, work
        self.tcti = "tpmfront:local=%s/%s.tpmif" % (runs, guest)
        self.env = dict(os.environ, TPM2TOOLS_TCTI=self.tcti,
                        LD_LIBRARY_PATH=build)
        self.secret = os.path.join(work, "secret")
        with open(self.secret, "wb") as f:
            f.write(rng.randbytes(32))
        run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-out", self.path("key.pem"))
        run("openssl", "pkey", "-in", self.path("key.pem"), "-pubout", "-out",
            self.path("key.pub"))

    def path(self, name):
        return os.path.join(self.work, name)

    def seal(self, what, *argv, ok=(0,)):
        return run(os.path.join(self.b, "vtpm-seal"), what, *argv, ok=ok)

    def reboot(self, events):
        run(os.path.join(self.b, "vtpmctl"), "--run", self.runs, "reset",
            self.guest)
        run("tpm2_startup", "-c", env=self.env)
        run("tpm2_pcrextend", *["%d:sha256=%s" % (e.pcr, e.digest.hex())
                                for e in events], env=self.env)

    def make_secret(self):
        self.seal("seal", "--tcti", self.tcti, "--authority",
                  self.path("key.pub"), "--ref", REF, "-i", self.secret, "-o",
                  self.path("sealed"))

    def approve(self, prediction, select):
        """The one state that comes next: no other is approved."""
        path = self.path("approvals")
        if os.path.exists(path):
            os.unlink(path)
        self.seal("approve", "--key", self.path("key.pem"), "--ref", REF,
                  "-a", path, "--pcrs", prediction, "--select", select,
                  "--epoch", "1")

    def opens(self):
        out = self.path("out")
        if os.path.exists(out):
            os.unlink(out)
        try:
            self.seal("unseal", "--tcti", self.tcti, "-i", self.path("sealed"),
                      "-a", self.path("approvals"), "-o", out)
        except RuntimeError as e:
            print("# %s" % e)
            return False
        return open(out, "rb").read() == open(self.secret, "rb").read()

    def predict(self, argv, path):
        out = run(os.path.join(self.b, "vtpm-measure"), "predict", *argv,
                  "--learn", rows.LEARN, *self.variables(), "--json",
                  ok=(0, 1))
        with open(path, "wb") as f:
            f.write(out)
        return json.loads(out)["pcrs"]["sha256"]

    def variables(self):
        return (["--variable", "dbx=" + self.path("dbx")]
                if os.path.exists(self.path("dbx")) else [])


def main():
    count, lab = int(sys.argv[1]), None
    work = sys.argv[5]
    os.makedirs(work)
    lab = Lab(*sys.argv[2:])
    firmware, boots = Firmware(), []
    for kind in (Grub, Uki, Direct):
        sub = os.path.join(work, kind.__name__)
        os.makedirs(sub)
        boots.append(kind(sub))
    lab.reboot(boots[0].events(firmware.log))
    lab.make_secret()
    wrong = locked = 0
    states, kinds = set(), {}
    for n in range(count):
        boot = rng.choice(boots)
        what = rng.choice(boot.CHANGES + ["shape", "dbx"])
        if what == "shape":
            firmware.shape()
        elif what == "dbx":
            firmware.dbx(work)
        else:
            boot.change(what)
        name = "%s: %s" % (type(boot).__name__, what)
        kinds[name] = kinds.get(name, 0) + 1
        path = lab.path("prediction")
        got = lab.predict(boot.predict(), path)
        lab.approve(path, boot.SELECT)
        events = boot.events(firmware.log)
        want = values(events)
        lab.reboot(events)
        bad = [p for p in JUDGED if got.get(str(p)) != want[p]]
        states.add(tuple(want))
        if bad:
            wrong += 1
            print("not ok - update %d, %s: PCR %s" % (n, name, bad))
        if not lab.opens():
            locked += 1
            print("not ok - update %d, %s: locked out" % (n, name))
    for name in sorted(kinds):
        print("# %4d %s" % (kinds[name], name))
    print("%d updates, %d different states, %d wrong, %d locked out" %
          (count, len(states), wrong, locked))
    return wrong + locked > 0 or len(states) < count // 2


sys.exit(main())

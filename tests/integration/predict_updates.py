#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""predict_updates.py - simulated updates of a GRUB disk: each state's PCRs 8
and 9 as computed here, from GRUB's rules, equal those of vtpm-measure.

Arguments: vtpm-measure, a folder as an EFI system partition, how many.
"""
import hashlib
import json
import random
import subprocess
import sys

measure, esp, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
rng = random.Random(12)


def extend(pcr, data):
    return hashlib.sha256(pcr + hashlib.sha256(data).digest()).digest()


def quoted(arg):
    """An argument as it stands in grub.cfg."""
    return "'" + arg + "'" if set(arg) & set(' "$\\') or not arg else arg


def loader_arg(arg):
    """And in the command line that GRUB makes."""
    text = "".join("\\" + c if c in "\\'\"" else c for c in arg)
    return '"' + text + '"' if " " in arg else text


class Disk:
    def __init__(self):
        self.files = {"/vmlinuz": b"k", "/initrd": b"i", "/ucode": b"u"}
        self.args = ["root=/dev/vda1", "ro"]
        self.entries = 1
        self.default = 0
        self.ucode = False

    def change(self):
        what = rng.choice(["kernel", "initrd", "argument", "entries",
                           "default", "ucode"])
        if what in ("kernel", "initrd"):
            name = "/vmlinuz" if what == "kernel" else "/initrd"
            self.files[name] = rng.randbytes(rng.randrange(1, 5000))
        elif what == "argument":
            self.args[rng.randrange(len(self.args)):] = [rng.choice(
                ["quiet", "a='b", 'x="y z"', "p=two words", "\\back", "$d",
                 "console=ttyS0"]) for _ in range(rng.randrange(1, 4))]
            self.args = [a for a in self.args if "'" not in a]
            self.args = self.args or ["ro"]
        elif what == "entries":
            self.entries = rng.randrange(1, 4)
        elif what == "default":
            self.default = rng.randrange(self.entries)
        else:
            self.ucode = not self.ucode
        self.default = min(self.default, self.entries - 1)
        return what

    def body(self, i):
        args = self.args + ["entry=%d" % i]
        linux = " ".join(["linux", "/vmlinuz"] + [quoted(a) for a in args])
        initrd = "initrd " + ("/ucode " if self.ucode else "") + "/initrd"
        return "\n\tset root_of=$root\n\t%s # boots\n\t%s\n" % (linux, initrd)

    def config(self):
        text = "set timeout=0\nset default=%d\n" % self.default
        for i in range(self.entries):
            text += "menuentry 'Linux %d' --id=e%d {%s}\n" % (
                i, i, self.body(i))
        return text.encode()

    def pcrs(self):
        p8 = p9 = bytes(32)
        p9 = extend(p9, self.config())
        said = ["set timeout=0", "set default=%d" % self.default]
        said += ["menuentry Linux %d --id=e%d {%s}" % (i, i, self.body(i))
                 for i in range(self.entries)]
        args = self.args + ["entry=%d" % self.default]
        said += ["setparams Linux %d" % self.default, "set root_of=hd0",
                 " ".join(["linux", "/vmlinuz"] + args),
                 " ".join(["/vmlinuz"] + [loader_arg(a) for a in args])]
        said += ["initrd " + ("/ucode " if self.ucode else "") + "/initrd"]
        for text in said:
            p8 = extend(p8, text.encode())
        names = ["/vmlinuz"] + ["/ucode"] * self.ucode + ["/initrd"]
        for name in names:
            p9 = extend(p9, self.files[name])
        return p8.hex(), p9.hex()

    def write(self):
        for name, data in self.files.items():
            with open(esp + name, "wb") as f:
                f.write(data)
        with open(esp + "/EFI/BOOT/grub.cfg", "wb") as f:
            f.write(self.config())


def main():
    disk, wrong, seen = Disk(), 0, set()
    for n in range(count):
        what = disk.change()
        disk.write()
        out = subprocess.run([measure, "predict", "-d", esp, "--json"],
                             capture_output=True, check=False).stdout
        got = json.loads(out)["pcrs"]["sha256"]
        want = disk.pcrs()
        seen.add(want)
        if (got.get("8"), got.get("9")) != want:
            wrong += 1
            print("update %d (%s): predicted %s %s, wanted %s" %
                  (n, what, got.get("8"), got.get("9"), want))
    print("%d updates, %d different states, %d wrong" %
          (count, len(seen), wrong))
    return wrong != 0 or len(seen) < count // 2


sys.exit(main())

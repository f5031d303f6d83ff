#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""launch_random.py - random QEMU command lines: what real QEMU opens must be in
the launch record, with its digest, or the launch refused.

usage: launch_random.py VTPMCTL RUN GUEST FOLDER SEED LINES [real]
real: every tenth line is launched in earnest, too, and QEMU then may open no
firmware by its path.
"""
import hashlib
import json
import os
import random
import re
import struct
import subprocess
import sys

ctl, run, guest, folder, seed, lines = sys.argv[1:7]
real = len(sys.argv) > 7
rnd = random.Random(int(seed))
QEMU = "qemu-system-x86_64"
path = lambda name: os.path.join(folder, name)
CODE, VARS = os.environ["OVMF_CODE"], path("vars")


def put(name, data):
    with open(path(name), "wb") as f:
        f.write(data)


def make_files():
    k = bytearray(16384)
    k[0x1f1] = 1
    k[0x1fe:0x200] = b"\x55\xaa"
    k[0x202:0x208] = b"HdrS\x02\x02"
    put("linux", k)
    m = (0x1BADB002, 0x10000, 0x100000000 - 0x1BADB002 - 0x10000,
         0x100000, 0x100000, 0, 0, 0x100000)
    put("multiboot", struct.pack("<8I", *m) + bytes(4064))
    put("initrd", b"initrd" * 100)
    put("bios", rnd.randbytes(65536))
    rom = bytearray(rnd.randbytes(1024))
    rom[0:3] = b"\x55\xaa\x02"
    for n in ("rom", "rom,comma"):
        put(n, rom)
        rom[100] ^= 1
    put("blob", b"blob" * 25)
    put("blob2", b"another" * 25)
    # What QEMU takes for "nofile", and for "\u0000/x" in JSON.
    rom[101] ^= 1
    put("off", rom)
    os.mkdir(os.fsencode(folder) + b"/\xc0\x80")
    with open(os.fsencode(folder) + b"/\xc0\x80/x", "wb") as f:
        f.write(rom)
    put("disk", bytes(65536))
    with open(os.environ["OVMF_VARS"], "rb") as f:
        put("vars", f.read())
    put("conf", b'[machine]\n  kernel = "%s"\n' % path("linux").encode())


def esc(s):
    return s.replace(",", ",,")


MACHINES = ["pc", "q35", "pc", "q35", "microvm", "isapc", "none",
            "pc-i440fx-2.4", "pc-i440fx-1.7", "pc-i440fx-7.2", "pc-q35-2.4",
            "pc-q35-6.2"]
CARDS = ["e1000", "e1000e", "rtl8139", "virtio-net-pci", "vmxnet3", "ne2k_pci",
         "pcnet", "i82557b", "i82801", "e1000-82545em",
         "virtio-net-pci-transitional"]
DISPLAYS = ["VGA", "cirrus-vga", "qxl-vga", "virtio-vga", "vmware-svga",
            "bochs-display", "ati-vga", "ramfb", "isa-vga", "isa-cirrus-vga",
            "sga", "secondary-vga", "qxl", "virtio-gpu-pci"]
OTHERS = ["virtio-rng-pci", "qemu-xhci", "ich9-ahci", "pcie-root-port",
          "virtio-balloon-pci", "usb-tablet", "vmgenid", "i6300esb",
          "virtio-serial-pci", "isa-debug-exit", "AC97", "frobnicator", "edu"]


def device(driver, **keys):
    if rnd.random() < .4:
        return ["-device", json.dumps({"driver": driver, **keys})]
    text = driver if rnd.random() < .8 else "driver=" + driver
    return ["-device", ",".join([text] + [k + "=" + esc(str(v))
                                          for k, v in keys.items()])]


def rom_keys():
    return {} if rnd.random() < .6 else {"romfile": rnd.choice(
        ["", path("rom"), path("rom,comma"), "efi-e1000.rom", "sgabios.bin",
         path("nothing")])}


def nodes():
    ro = rnd.random() < .7
    return ["-blockdev", json.dumps({"driver": "file", "filename": CODE,
                                     "node-name": "s0",
                                     "auto-read-only": True}),
            "-blockdev", json.dumps({"node-name": "f0", "read-only": ro,
                                     "driver": "raw", "file": "s0"}),
            "-blockdev", "driver=file,node-name=s1,filename=" + VARS
            if rnd.random() < .2 else
            json.dumps({"driver": "file", "filename": VARS,
                        "node-name": "s1"}),
            "-blockdev", json.dumps({"node-name": "f1", "read-only": False,
                                     "driver": "raw", "file": "s1"}),
            "-machine", "pflash0=f0,pflash1=f1"]


def flash():
    out = ["-drive", "if=pflash,format=raw,%sfile=%s%s" % (
        rnd.choice(["", "unit=0,", "index=0,"]), CODE,
        rnd.choice([",readonly=on", ",readonly=on", ",readonly",
                    ",read-only=on", ""]))]
    if rnd.random() < .7:
        out += ["-drive", "file=%s,if=pflash,%s" % (
            VARS, rnd.choice(["format=raw", "format=raw,unit=1", "unit=1",
                              "format=raw,snapshot=on"]))]
    return out


def firmware():
    return rnd.choice([
        lambda: [], lambda: [], lambda: [],
        lambda: ["-bios", rnd.choice([path("bios"), "bios.bin",
                                      "bios-microvm.bin", "nothing"])],
        flash, nodes])()


def kernel():
    if rnd.random() < .5:
        return []
    out = ["-kernel", path(rnd.choice(["linux", "linux", "multiboot"]))]
    if rnd.random() < .5:
        out += ["-initrd", path("initrd")]
    if rnd.random() < .5:
        out += ["-append", rnd.choice(["quiet", "-initrd", "a,b=c"])]
    return out


def cards():
    r = rnd.random()
    if r < .3:
        return ["-nic", rnd.choice(["none", "user", "user,model=",
                                    "model="]) ]if r < .1 else [
            rnd.choice(["-nic", "-net"]), rnd.choice(
                ["none", "nic,model=" + rnd.choice(CARDS), "user"])]
    if r < .4:
        return ["-nic", "user,model=" + rnd.choice(CARDS + ["virtio"])]
    if r < .75:
        return device(rnd.choice(CARDS), **rom_keys())
    return []


def displays():
    r = rnd.random()
    if r < .25:
        return ["-vga", rnd.choice(["std", "cirrus", "vmware", "qxl", "virtio",
                                    "none"])]
    return device(rnd.choice(DISPLAYS), **({} if r < .5 else rom_keys())) \
        if r < .6 else []


def extra():
    b, b2 = path("blob"), path("blob2")
    return rnd.choice([
        lambda: ["-option-rom", rnd.choice([
            path("rom"), esc(path("rom,comma")) + ",bootindex=1",
            "romfile=" + path("rom"), "sgabios.bin"])],
        lambda: ["-fw_cfg", rnd.choice(["name=", ""]) + "opt/x,file=" + b],
        lambda: ["-fw_cfg", "opt/y,string=text"],
        lambda: ["-fw_cfg", "opt/x,file=%s,file=%s" % (b, b2)],
        lambda: ["-fw_cfg", "opt/x,file=%s,nofile" % b],
        lambda: ["-device", "e1000,noromfile"],
        lambda: ["-device", '{"driver":"e1000","romfile":"\\u0000/x"}'],
        lambda: ["-acpitable", "sig=ABCD,data=" + b],
        lambda: ["-acpitable", "file=" + rnd.choice([b, b + ":" + b2])],
        lambda: ["-smbios", rnd.choice(["file=" + b, "type=1,product=x",
                                        "type=11,value=a,value=b",
                                        "type=11,path=" + b])],
        lambda: device("loader", file=b, addr="0x10000", **{
            "force-raw": "on"}),
        lambda: ["-device", "loader,addr=0x1000,data=1,data-len=4"],
        lambda: ["-device", "loader,file=%s,file=%s,addr=0" % (b, b2)],
        lambda: ["-global", "e1000.romfile=" + rnd.choice(["", path("rom")])],
        lambda: ["-global", "driver=VGA,property=romfile,value=" +
                 path("rom")],
        lambda: ["-global", "PIIX4_PM.disable_s3=1"],
        lambda: ["-boot", rnd.choice(["c", "order=dc,menu=on", "splash=" + b])],
        lambda: ["-set", "drive.x.file=" + b],
        lambda: ["-L", folder],
        lambda: ["-readconfig", path("conf")],
        lambda: ["-drive", "if=none,id=x,format=raw,file=" + path("disk")],
        lambda: ["-drive", "if=none,if=pflash,format=raw,file=" + CODE],
        lambda: [path("disk")],
        lambda: ["-pidfile", "-kernel"],
        lambda: ["-machine", "kernel=" + path("linux")],
        lambda: ["-gdb", "tcp::0"],
        lambda: ["-serial", "null"],
        lambda: ["-object", "memory-backend-ram,id=m,size=16M"],
        lambda: ["-M", "q35"],
        lambda: device(rnd.choice(OTHERS)),
        lambda: device(rnd.choice(OTHERS)),
    ])()


def command_line():
    m = rnd.choice(MACHINES)
    out = [rnd.choice(["-M", "-machine", "--machine"]),
           m if rnd.random() < .7 else "type=" + m + rnd.choice(
               ["", ",usb=off"])]
    parts = [firmware(), kernel(), cards(), displays()]
    if rnd.random() < .6:
        parts.append(["-nodefaults"])
    parts += [extra() for _ in range(rnd.choice([0, 0, 1, 1, 2]))]
    rnd.shuffle(parts)
    for p in parts:
        out += p
    return out + ["-m", "64", "-display", "none", "-accel", "tcg"]


# --- what QEMU opens

NOT_CODE = re.compile(
    r"^/(proc|sys|dev|etc)/|\.so(\.|$)|/locale|/gconv|/zoneinfo|/keymaps/|"
    r"/alsa/|/glib-|/icu/|/icons/|/fonts/|/terminfo/|/p11-kit|/ssl/|/pulse|/lib/.*\.d/")


def opened(argv, monitor, where):
    """The files that this command line opens, by strace; text of the monitor"""
    log = path("strace")
    p = subprocess.run(
        ["strace", "-f", "-qq", "-e", "trace=openat,open,execveat", "-o", log] +
        argv, input=monitor, capture_output=True, cwd=where, timeout=60, check=False)
    out = set()
    with open(log, errors="replace") as f:
        for line in f:
            m = re.search(r'open(?:at)?\((?:AT_FDCWD, )?"((?:[^"\\]|\\.)*)"'
                          r'.*\) = \d', line)
            if m and "O_DIRECTORY" not in line:
                name = m[1].encode().decode("unicode_escape")
                out.add(os.path.join(
                    where, os.fsdecode(name.encode("latin-1"))))
    return out, p


def digest(name):
    """By the TPM's first bank, which vtpmctl shows."""
    with open(name, "rb") as f:
        return hashlib.sha1(f.read()).hexdigest()


def loaded(files):
    return {f for f in files
            if not NOT_CODE.search(f) and os.path.isfile(f) and
            not os.path.realpath(f).startswith("/usr/bin/") and
            os.path.basename(f) not in ("disk", "-kernel")}


def record(line):
    p = subprocess.run([ctl, "--run", run, "--json", "launch", "qemu", guest,
                        "--site", "/dev/null", "--dry-run", "--", QEMU] + line,
                       capture_output=True, text=True, cwd=folder)
    if p.returncode != 0:
        return None, p.stderr.strip()
    r = json.loads(p.stdout)
    return {i["digest"]: i["text"] for i in r["items"]}, r


def launch(line):
    """In earnest: what QEMU opens by a path, flash that is written apart"""
    argv = [ctl, "--run", run, "launch", "qemu", guest, "--site", "/dev/null",
            "--", QEMU] + line + ["-S", "-monitor", "stdio"]
    files, p = opened(argv, b"quit\n", folder)
    log = open(path("strace"), errors="replace").read()
    # Behind the last exec, which is QEMU's.
    return log[log.rindex("execveat("):] if "execveat(" in log else "", p


def main():
    count = dict.fromkeys(
        ("accepted", "refused", "loaded", "spare", "real"), 0)
    bad = 0
    make_files()
    for n in range(int(lines)):
        line = command_line()
        rec, why = record(line)
        if rec is None:
            count["refused"] += 1
            continue
        count["accepted"] += 1
        files, p = opened([QEMU, "-no-user-config", "-S", "-monitor", "stdio"] +
                          line, b"quit\n", folder)
        code = {digest(f): f for f in loaded(files)}
        for d in sorted(set(code) - set(rec)):
            bad += 1
            print("line %d: not in the record: %r\n  %s" % (
                n, code[d], " ".join(line)))
        count["loaded"] += len(code)
        if p.returncode == 0:
            count["spare"] += len([
                d for d, t in rec.items() if d not in code and
                t.startswith("/") and not t.endswith(QEMU)])
        if real and n % 10 == 0 and p.returncode == 0:
            log, q = launch(line)
            count["real"] += 1
            names = re.findall(r'open(?:at)?\((?:AT_FDCWD, )?"([^"]*)".*= \d',
                               log)
            for f in loaded({os.path.join(folder, x) for x in names}):
                if f not in (VARS, CODE):
                    bad += 1
                    print("line %d: opened by its path: %s\n  %s" % (
                        n, f, " ".join(line)))
            if q.returncode != 0:
                bad += 1
                print("line %d: QEMU does not start: %s\n  %s" % (
                    n, q.stderr.decode().strip()[-300:], " ".join(line)))
    print("# seed %s: %s" % (seed, ", ".join(
        "%d %s" % (v, k) for k, v in count.items())))
    return 1 if bad or count["accepted"] * 4 < int(lines) else 0


sys.exit(main())

# SPDX-License-Identifier: BSD-3-Clause
"""rows.py - the table of tamperings: what is changed in which boot, and what
the refusal must name in its one line."""
import os
import struct

from boots import (BOOT_MANAGER, DRIVER, INITRD, LOAD_OPTIONS, STUB, Disk,
                   Event, application, content, core_image, find, grub,
                   read_log, run, sha256, small_pe, tag_event, text_event, uki,
                   value_of, variable)

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
LEARN = os.path.join(TOP, "tests/vectors/predict/lab.eventlog")
SHIM = os.path.join(TOP, "tests/vectors/logs/keylime-mb.eventlog")

GRUB_CFG = b"""set timeout=0
set default=0
load_env
if [ -n "$saved_args" ]; then set extra="$saved_args"; fi
source /EFI/BOOT/extra.cfg
menuentry 'Debian' --id debian {
\tlinux /vmlinuz root=/dev/vda1 ro lockdown=integrity quiet $extra
\tinitrd /ucode.img /initrd.img
}
menuentry 'Rescue' --id rescue {
\tlinux /vmlinuz root=/dev/vda1 ro single
\tinitrd /initrd.img
}
"""
XEN_CFG = b"""set timeout=0
menuentry 'Xen' {
\tmultiboot2 /xen.gz placeholder dom0_mem=512M flask=enforcing iommu=force
\tmodule2 /vmlinuz placeholder root=/dev/vda1 ro quiet
\tmodule2 /initrd.img
\tmodule2 /xenpolicy
}
"""


def grubenv(*lines):
    text = "# GRUB Environment Block\n" + "".join(s + "\n" for s in lines)
    return text.encode() + b"#" * (1024 - len(text))


# --- bases: a boot that is right --------------------------------------------------

class Grub(Disk):
    def __init__(self, work):
        super().__init__(work, "grub")
        self.files = {
            "/EFI/BOOT/BOOTX64.EFI": core_image(self.dir),
            "/EFI/BOOT/grub.cfg": GRUB_CFG,
            "/EFI/BOOT/extra.cfg": b"set gfx=text\n",
            "/EFI/BOOT/grubenv": grubenv("saved_args="),
            "/vmlinuz": b"kernel 6.1 " * 99, "/initrd.img": b"initrd " * 99,
            "/ucode.img": b"microcode " * 99, "/old": b"kernel 5.10 " * 99}


class Xen(Disk):
    def __init__(self, work):
        super().__init__(work, "xen")
        self.files = {
            "/EFI/BOOT/BOOTX64.EFI": core_image(self.dir),
            "/EFI/BOOT/grub.cfg": XEN_CFG, "/xen.gz": b"xen 4.17 " * 99,
            "/vmlinuz": b"dom0 6.1 " * 99, "/initrd.img": b"initrd " * 99,
            "/xenpolicy": b"flask " * 99}


class Uki(Disk):
    def __init__(self, work):
        super().__init__(work, "uki")
        self.args, self.stub = [], None
        self.sections = {
            ".osrel": b"ID=debian\nVERSION_ID=12\n",
            ".uname": b"6.1.0-40-amd64",
            ".cmdline": b"root=/dev/vda1 ro quiet",
            ".splash": b"BM picture", ".linux": small_pe(b"kernel 6.1 " * 99),
            ".initrd": b"initrd " * 99}

    def image(self):
        self.files = {"/EFI/BOOT/BOOTX64.EFI":
                      uki(self.dir, self.sections, self.stub)}
        return super().image()


class Direct:
    """QEMU's -kernel; the firmware's events are those of the learnt log."""

    def __init__(self, work):
        self.dir = os.path.join(work, "direct")
        os.makedirs(self.dir)
        self.kernel, self.initrd = small_pe(b"kernel 6.1 " * 99), b"i" * 999
        self.cmdline, self.memory = "root=/dev/vda1 ro quiet", 512

    def log(self, measure, learn):
        argv = ["--cmdline", self.cmdline, "--memory", str(self.memory)]
        for name in ("kernel", "initrd"):
            path = os.path.join(self.dir, name)
            data = getattr(self, name)
            if data is not None:
                with open(path, "wb") as f:
                    f.write(data)
                argv += ["--" + name, path]
        out = os.path.join(self.dir, "log")
        run(measure, "predict", *argv, "--learn", learn, "--log", out,
            ok=(0, 1))
        return read_log(out)


class BootManager:
    """systemd-boot, which starts a kernel by an entry of loader/entries: what
    its version 252 and the kernel's EFI stub measure, behind the firmware's
    events of the learnt log."""

    def __init__(self, work):
        self.manager = open(BOOT_MANAGER, "rb").read()
        self.kernels = {"/vmlinuz": small_pe(b"kernel 6.1 " * 99),
                        "/old": small_pe(b"kernel 5.10 " * 99)}
        self.initrds = {"/initrd.img": b"initrd " * 99}
        self.default = "debian"
        self.entries = {
            "debian": {"linux": "/vmlinuz", "initrd": "/initrd.img",
                       "options": "root=/dev/vda1 ro quiet"},
            "rescue": {"linux": "/vmlinuz", "initrd": "/initrd.img",
                       "options": "root=/dev/vda1 ro single"}}

    def log(self, _measure, learn):
        entry = self.entries[self.default]
        log = read_log(learn)
        log = log[:find(log, 4, "BOOTX64")]
        log.append(application("/EFI/BOOT/BOOTX64.EFI", self.manager))
        log.append(application(entry["linux"], self.kernels[entry["linux"]]))
        log.append(text_event(12, entry["options"]))
        options = entry["options"].encode("utf-16-le") + b"\0\0"
        log.append(tag_event(LOAD_OPTIONS, "LOADED_IMAGE::LoadOptions",
                             options))
        log.append(tag_event(INITRD, "Linux initrd",
                             self.initrds[entry["initrd"]]))
        return log


class Shim:
    """The recorded boot of somebody's machine: firmware, shim with MOK under
    Secure Boot, GRUB of RHEL 9 with entries of loader/entries."""

    def __init__(self, _work):
        self.events = read_log(SHIM)

    def log(self, _measure, _learn):
        return self.events


class Ima(Grub):
    """The GRUB disk's boot, and what IMA measures then, which the log does not
    have."""
    FILES = {"/usr/lib/systemd/systemd": b"systemd", "/usr/bin/dash": b"dash",
             "/usr/sbin/sshd": b"sshd", "/usr/bin/login": b"login"}

    def __init__(self, work):
        Disk.__init__(self, work, "ima")
        sub = Grub(os.path.join(work, "ima"))
        self.files, self.list = sub.files, dict(self.FILES)

    def log(self, measure, learn):
        log = super().log(measure, learn)
        log.append(Event(10, None, sha256(b"boot_aggregate"), b""))
        for name, data in self.list.items():
            log.append(Event(10, None, sha256(sha256(data) + name.encode()),
                             b""))
        return log


BASES = {"grub": Grub, "xen": Xen, "uki": Uki, "direct": Direct,
         "systemd-boot": BootManager, "shim": Shim, "ima": Ima}


# --- how things are changed ---------------------------------------------------------

def flipped(data, at=100):
    at = min(at, len(data) - 1)
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def replaced(data, old, new):
    assert old in data, old
    return data.replace(old, new, 1)


def cfg(old, new, name="/EFI/BOOT/grub.cfg"):
    def act(b):
        b.files[name] = replaced(b.files[name], old.encode(), new.encode())
    return act


def put(name, data):
    def act(b):
        b.files[name] = data(b.files[name]) if callable(data) else data
    return act


def gone(name):
    def act(b):
        del b.files[name]
    return act


def core(**kw):
    def act(b):
        b.files["/EFI/BOOT/BOOTX64.EFI"] = core_image(b.dir, **kw)
    return act


def table(old, new):
    def act(b):
        text = "\n".join(b.table)
        assert old in text
        b.table = text.replace(old, new).split("\n")
    return act


def section(name, data):
    def act(b):
        old = b.sections.get(name)
        b.sections[name] = data(old) if callable(data) else data
    return act


def drop_section(name):
    def act(b):
        del b.sections[name]
    return act


def set_to(name, data):
    def act(b):
        old = getattr(b, name)
        setattr(b, name, data(old) if callable(data) else data)
    return act


def entry(name, key, value):
    def act(b):
        b.entries[name][key] = value
    return act


def member(name, key, data):
    def act(b):
        d = getattr(b, name)
        d[key] = data(d[key]) if callable(data) else data
    return act


def log(how, *args, **kw):
    """An edit of a recorded log."""
    def act(b):
        how(b.events, *args, **kw)
    return act


def set_variable(pcr, name, data, nth=0):
    def act(b):
        old = value_of(b.events, pcr, name, nth)
        variable(b.events, pcr, name, data(old) if callable(data) else data,
                 nth)
    return act


def insert(pcr, before, nth, *events):
    def act(b):
        i = find(b.events, pcr, before, nth)
        b.events[i:i] = events
    return act


def remove(pcr, text, nth=0):
    def act(b):
        del b.events[find(b.events, pcr, text, nth)]
    return act


def cheat(act, shown):
    """Tampered with, and a log that hides it: shown(good log, log)."""
    def both(b):
        act(b)
        b.shown = shown
    return both


def extended(pcr, data):
    """Software in the guest extends a PCR, which no log has."""
    def act(b):
        b.later = [Event(pcr, None, sha256(data), b"")]
    return act


def without(pcr, text):
    def act(_good, log):
        i = find(log, pcr, text)
        return log[:i] + log[i + 1:]
    return act


def old_words(good, log):
    """The digests of this boot, the words of the good one."""
    return [Event(e.pcr, e.kind, e.digest, g.data) for g, e in zip(good, log)]


def ima_only(name, data):
    def act(b):
        b.list[name] = data
    return act


# --- the table --------------------------------------------------------------------------

CFG = 'file "(hd0,gpt1)/EFI/BOOT/grub.cfg"'
EDITED = "GRUB's configuration was edited"
WORDS = ["init=/bin/sh", "single", "rd.break", "apparmor=0", "selinux=0",
         "mitigations=off", "module.sig_enforce=0", "ima_appraise=off",
         "systemd.debug_shell=1", "nokaslr"]
UNNAMED = ""  # refused, but neither file nor word is named
ROWS = []


def row(base, what, act, *named):
    ROWS.append((base, what, act, named))


for word in WORDS:
    row("grub", "grub.cfg: `%s` on the kernel's command line" % word,
        cfg("quiet", word + " quiet"), CFG, 'added "%s"' % word, EDITED)
row("grub", "grub.cfg: `lockdown=none` for `lockdown=integrity`",
    cfg("integrity", "none"), CFG,
    '"lockdown=none" instead of "lockdown=integrity"', EDITED)
row("grub", "grub.cfg: `lockdown=integrity` removed",
    cfg("lockdown=integrity ", ""), CFG, 'removed "lockdown=integrity"')
row("grub", "grub.cfg: another root file system",
    cfg("/dev/vda1 ro lock", "/dev/vdb1 ro lock"), CFG,
    '"root=/dev/vdb1" instead of "root=/dev/vda1"')
row("grub", "grub.cfg: root mounted read-write", cfg(" ro lock", " rw lock"),
    CFG, '"rw" instead of "ro"')
row("grub", "grub.cfg: another kernel", cfg("linux /vmlinuz", "linux /old"),
    CFG, '/old', "/vmlinuz")
row("grub", "grub.cfg: another initrd",
    cfg("/ucode.img /initrd.img", "/ucode.img /old"), CFG, "/old")
row("grub", "grub.cfg: microcode left out", cfg("/ucode.img ", ""), CFG,
    "/ucode.img")
row("grub", "grub.cfg: a further initrd",
    cfg("/ucode.img /initrd.img", "/ucode.img /initrd.img /old"), CFG,
    "/old")
row("grub", "grub.cfg: another default entry", cfg("default=0", "default=1"),
    CFG, '"default=1" instead of "default=0"')
row("grub", "grub.cfg: a menu entry renamed", cfg("'Debian'", "'Linux'"),
    CFG, '"Linux" instead of "Debian"')
row("grub", "grub.cfg: a menu entry with another id",
    cfg("--id debian", "--id other"), CFG,
    '"other" instead of "debian"')
row("grub", "grub.cfg: a menu entry added",
    cfg("menuentry 'Rescue'", "menuentry 'x' { linux /old; }\n"
        "menuentry 'Rescue'"), CFG, "menuentry x {")
row("grub", "grub.cfg: a menu entry removed",
    put("/EFI/BOOT/grub.cfg", GRUB_CFG[:GRUB_CFG.index(b"menuentry 'R")]), CFG, "missing", "menuentry Rescue")
row("grub", "grub.cfg: nothing but a comment added",
    cfg("load_env", "# hello\nload_env"), "other content of: " + CFG, EDITED)
row("grub", "grub.cfg: a command before the menu",
    cfg("load_env", "set debug=all\nload_env"), CFG,
    'added: GRUB command "set debug=all"')
row("grub", "grub.cfg: a condition turned round", cfg("[ -n", "[ -z"),
    CFG, '"-z" instead of "-n"')
row("grub", "grub.cfg: a function instead of a command",
    cfg("set default=0", "function load_env { true; }\nset default=0"), CFG,
    EDITED)
row("grub", "grub.cfg: another file is sourced", cfg("extra.cfg", "more.cfg"),
    CFG, "more.cfg")
row("grub", "grub.cfg: replaced by one line",
    put("/EFI/BOOT/grub.cfg", b"linux /vmlinuz init=/bin/sh\nboot\n"), CFG,
    "linux /vmlinuz init=/bin/sh")
row("grub", "the sourced extra.cfg gains a command",
    put("/EFI/BOOT/extra.cfg", b"set gfx=text\nset extra=init=/bin/sh\n"),
    'file "/EFI/BOOT/extra.cfg"', "set extra=init=/bin/sh")
row("grub", "the sourced extra.cfg is removed", gone("/EFI/BOOT/extra.cfg"),
    'missing: file "/EFI/BOOT/extra.cfg"')
row("grub", "grubenv: a word for the command line",
    put("/EFI/BOOT/grubenv", grubenv("saved_args=init=/bin/sh")),
    'file "(hd0,gpt1)/EFI/BOOT/grubenv"', "init=/bin/sh", "grubenv changed")
row("grub", "grubenv: a counter, used by nothing",
    put("/EFI/BOOT/grubenv", grubenv("saved_args=", "n=1")),
    'file "(hd0,gpt1)/EFI/BOOT/grubenv"', "grubenv changed")
row("grub", "the kernel replaced by an older one", put("/vmlinuz",
    b"kernel 5.10 " * 99), 'file "/vmlinuz"', "a kernel update")
row("grub", "one bit of the kernel", put("/vmlinuz", flipped),
    'file "/vmlinuz"', "a kernel update")
row("grub", "the initrd replaced", put("/initrd.img", b"backdoor"),
    'file "/initrd.img"', "the initrd was made anew")
row("grub", "one byte appended to the initrd",
    put("/initrd.img", lambda d: d + b"\0"), 'file "/initrd.img"',
    "the initrd was made anew")
row("grub", "microcode replaced", put("/ucode.img", flipped),
    'file "/ucode.img"', "microcode")
row("grub", "GRUB itself: a further module", core(extra=["sleep"]),
    "\\\\EFI\\\\BOOT\\\\BOOTX64.EFI", "a boot loader or kernel")
row("grub", "GRUB itself: one bit",
    put("/EFI/BOOT/BOOTX64.EFI", lambda d: flipped(d, 0x1800)),
    "\\\\EFI\\\\BOOT\\\\BOOTX64.EFI", "a boot loader or kernel")
row("grub", "GRUB itself: a built-in configuration",
    core(early="normal /EFI/BOOT/grub.cfg\n"),
    "\\\\EFI\\\\BOOT\\\\BOOTX64.EFI", "a boot loader or kernel")
row("grub", "partition table: a partition's name",
    table("name=esp", "name=ESP"), "partition table")
row("grub", "partition table: a partition's UUID",
    table("-000000000007", "-000000000008"), "partition table")
row("grub", "partition table: a partition shortened",
    table("size=16384", "size=16383"), "partition table")
row("grub", "partition table: a partition added",
    lambda b: b.table.append("start=20480, size=2048, type=L"),
    "partition table")

row("xen", "Xen's command line: `flask=disabled`",
    cfg("flask=enforcing", "flask=disabled"), CFG,
    '"flask=disabled" instead of "flask=enforcing"')
row("xen", "Xen's command line: no `iommu=force`", cfg(" iommu=force", ""),
    CFG, "iommu=force")
row("xen", "Xen's command line: more memory for dom0",
    cfg("dom0_mem=512M", "dom0_mem=1G"), CFG,
    '"dom0_mem=1G" instead of "dom0_mem=512M"')
row("xen", "dom0's command line: `init=/bin/sh`",
    cfg("ro quiet", "ro init=/bin/sh quiet"), CFG, 'added "init=/bin/sh"')
row("xen", "Xen replaced", put("/xen.gz", b"xen 4.14 " * 99),
    'file "/xen.gz"', "an update of Xen")
row("xen", "dom0's kernel replaced", put("/vmlinuz", flipped),
    'file "/vmlinuz"', "a kernel update")
row("xen", "dom0's initrd replaced", put("/initrd.img", flipped),
    'file "/initrd.img"', "the initrd was made anew")
row("xen", "Xen's Flask policy replaced", put("/xenpolicy", flipped),
    'file "/xenpolicy"')
row("xen", "Xen's Flask policy left out",
    cfg("\tmodule2 /xenpolicy\n", ""), CFG, "/xenpolicy")
row("xen", "a further module for Xen",
    cfg("\tmodule2 /xenpolicy\n", "\tmodule2 /xenpolicy\n\tmodule2 /xen.gz\n"),
    CFG, "module2 /xen.gz")

row("uki", "UKI: kernel", section(".linux", small_pe(b"kernel 5.10 " * 99)),
    "BOOTX64.EFI", '".linux"', "a boot loader or kernel")
row("uki", "UKI: initrd", section(".initrd", flipped), "BOOTX64.EFI", '".initrd"')
row("uki", "UKI: command line",
    section(".cmdline", b"root=/dev/vda1 ro init=/bin/sh"), "BOOTX64.EFI", '".cmdline"')
row("uki", "UKI: os-release", section(".osrel", b"ID=other\n"), "BOOTX64.EFI", '".osrel"')
row("uki", "UKI: kernel's version", section(".uname", b"6.2"), "BOOTX64.EFI")
row("uki", "UKI: picture", section(".splash", b"BM another"), "BOOTX64.EFI", '".splash"')
row("uki", "UKI: a device tree added", section(".dtb", b"tree"),
    "BOOTX64.EFI", '".dtb"')
row("uki", "UKI: a section removed", drop_section(".splash"), "BOOTX64.EFI", '".splash"')
row("uki", "UKI: a signature's key added", section(".pcrpkey", b"key"),
    "BOOTX64.EFI", '".pcrpkey"')

row("uki", "UKI: one bit of its stub",
    set_to("stub", lambda _: flipped(open(STUB, "rb").read(), 0x800)),
    "BOOTX64.EFI", "a boot loader or kernel")

row("direct", "-kernel: kernel", set_to("kernel", lambda d: flipped(d, 0x500)),
    "PCR 4", "a boot loader or kernel")
row("direct", "-kernel: initrd", set_to("initrd", lambda d: flipped(d)),
    "initrd", "the initrd was made anew")
row("direct", "-kernel: command line",
    set_to("cmdline", "root=/dev/vda1 ro init=/bin/sh"),
    "kernel load options", "the kernel command line changed")
row("direct", "-kernel: no initrd", set_to("initrd", None), "PCR 4")

row("systemd-boot", "loader/entries: a word on the command line",
    entry("debian", "options", "root=/dev/vda1 ro init=/bin/sh quiet"),
    'added "init=/bin/sh"', "the command line")
row("systemd-boot", "loader/entries: another kernel",
    entry("debian", "linux", "/old"), "\\\\old", "a boot loader or kernel")
row("systemd-boot", "loader.conf: another entry",
    set_to("default", "rescue"), '"single" instead of "quiet"')
row("systemd-boot", "systemd-boot replaced",
    set_to("manager", lambda d: flipped(d, 0x500)), "BOOTX64.EFI",
    "a boot loader or kernel")
row("systemd-boot", "its kernel replaced",
    member("kernels", "/vmlinuz", lambda d: flipped(d, 0x500)), "\\\\vmlinuz",
    "a boot loader or kernel")
row("systemd-boot", "its initrd replaced",
    member("initrds", "/initrd.img", flipped), "initrd",
    "the initrd was made anew")

row("shim", "Secure Boot switched off", set_variable(7, "SecureBoot", b"\0"),
    'EFI variable "SecureBoot"', "Secure Boot was switched")
row("shim", "PK replaced", set_variable(7, "PK", flipped),
    'EFI variable "PK"', "Secure Boot's keys")
row("shim", "KEK removed", set_variable(7, "KEK", b""),
    'EFI variable "KEK"', "Secure Boot's keys")
row("shim", "a key added to db", set_variable(7, "db", lambda d: d + d[:99]),
    'EFI variable "db"', "Secure Boot's keys")
row("shim", "dbx rolled back", set_variable(7, "dbx", lambda d: d[:-48]),
    'EFI variable "dbx"', "revoked signatures (dbx)")
row("shim", "dbx emptied", set_variable(7, "dbx", b""),
    'EFI variable "dbx"', "revoked signatures (dbx)")
row("shim", "shim signed by another key in db",
    set_variable(7, "db", flipped, 1), 'authority in EFI variable "db"',
    "another key signed")
row("shim", "GRUB signed by another key in MOK",
    set_variable(7, "Shim", flipped), 'authority in EFI variable "Shim"',
    "another key signed")
row("shim", "MOK: a key enrolled", log(content, 14, "MokList", b"keys", 0),
    'shim\'s "MokList"', "shim's keys (MOK)")
row("shim", "MOK: the deny list emptied",
    log(content, 14, "MokListX", b"", 0), 'shim\'s "MokListX"',
    "shim's keys (MOK)")
row("shim", "MOK: a further list",
    insert(14, "MokListX", 0, Event(14, 0xd, sha256(b"t"),
                                    b"MokListTrusted\0")),
    'shim\'s "MokListTrusted"', "shim's keys (MOK)")
row("shim", "shim replaced", log(content, 4, "shimx64.efi", b"shim"),
    "shimx64.efi", "a boot loader or kernel")
row("shim", "GRUB replaced", log(content, 4, "grubx64.efi", b"grub"),
    "grubx64.efi", "a boot loader or kernel")
row("shim", "GRUB's first configuration, on the ESP",
    log(content, 9, "EFI/centos/grub.cfg", b"x"),
    'file "(hd0,gpt1)/EFI/centos/grub.cfg"', EDITED)
row("shim", "grubenv", log(content, 9, "grub2/grubenv", b"x"),
    'file "(hd0,gpt2)/grub2/grubenv"', "grubenv changed")
row("shim", "loader/entries: the kernel's entry",
    log(content, 9, "183.el9.x86_64.conf", b"x"), "183.el9.x86_64.conf",
    "a boot entry of the loader was edited")
row("shim", "loader/entries: the rescue entry",
    log(content, 9, "0-rescue.conf", b"x"), "0-rescue.conf",
    "a boot entry of the loader was edited")
row("shim", "a command for GRUB typed at its prompt",
    insert(8, "insmod blscfg", 0,
           Event(8, 0xd, sha256(b"set root=hd1"),
                 b"grub_cmd: set root=hd1\0")),
    'added: GRUB command "set root=hd1"')
row("shim", "kernel options in GRUB's variables",
    log(grub, "kernelopts=root=", "kernelopts=init=/bin/sh root="),
    '"kernelopts=init=/bin/sh', "grub.cfg")
row("shim", "firmware: its version",
    log(content, 0, "\0\0", b"v2", 0), "firmware version", "other firmware")
row("shim", "firmware: the volume that holds its drivers",
    lambda b: volume(b, 0x900000), "firmware volume at 0x900000",
    "other firmware")
row("shim", "machine: other memory, as OVMF's first volume shows it",
    lambda b: volume(b, 0x820000), "firmware volume at 0x820000",
    "other memory, processors")
row("shim", "machine: another option ROM",
    lambda b: rom(b, False), "PCR 2 event 1", "option ROM")
row("shim", "machine: a further card with an option ROM",
    lambda b: rom(b, True), "PCR 2 event", "added", "option ROM")
row("shim", "firmware: another boot order",
    set_variable(1, "BootOrder", lambda d: d[2:] + d[:2]),
    'EFI variable "BootOrder"', "the boot order changed")
row("shim", "firmware: a boot entry changed",
    set_variable(1, "Boot0002", flipped), 'EFI variable "Boot0002"',
    "a boot entry was added, removed or changed")
row("shim", "firmware: a boot entry removed", remove(1, "Boot0003"),
    'missing: EFI variable "Boot0003"', "a boot entry was added, removed")

# The journal keeps but a chain of PCR 10, and evidence has no list of IMA: the
# line names the PCR, not the program.
row("ima", "IMA: a program replaced", ima_only("/usr/sbin/sshd", b"backdoor"),
    UNNAMED, "PCR 10 is", "IMA")
row("ima", "IMA: a further program ran", ima_only("/tmp/x", b"x"), UNNAMED,
    "PCR 10 is", "IMA")

KERNEL = put("/vmlinuz", b"backdoor")
row("grub", "the kernel replaced, and the log of the good boot shown",
    cheat(KERNEL, lambda good, log: good), "PCR 9 event 4", 'file "/vmlinuz"')
row("grub", "the kernel replaced, and its event cut out of the log",
    cheat(KERNEL, without(9, "/vmlinuz")), "PCR 9 event 4")
row("grub", "`init=/bin/sh`, and the words of the good boot in the log",
    cheat(cfg("quiet", "init=/bin/sh quiet"), old_words),
    "PCR 8 event 7", "text is not what was measured")
row("grub", "PCR 12 extended by software in the guest",
    extended(12, b"x"), "PCR 12 was extended")
row("grub", "PCR 8 extended by software in the guest",
    extended(8, b"x"), "PCR 8 event", "added")


def volume(b, base):
    for i, e in enumerate(b.events):
        if e.pcr == 0 and e.data.startswith(struct.pack("<Q", base)):
            b.events[i] = Event(0, e.kind, sha256(b"other"), e.data)
            return
    raise LookupError(base)


def rom(b, further):
    i = next(i for i, e in enumerate(b.events) if e.kind == DRIVER)
    e = b.events[i]
    other = Event(2, e.kind, sha256(b"rom"), e.data)
    b.events[i:i + 1] = [e, other] if further else [other]

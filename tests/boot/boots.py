# SPDX-License-Identifier: BSD-3-Clause
"""boots.py - event logs of boots: read, written, edited, computed from files."""
import hashlib
import os
import shutil
import struct
import subprocess
import uuid

IPL, TAG = 0xd, 0x6
BOOT_VARIABLE, APPLICATION, DRIVER = 0x80000002, 0x80000003, 0x80000004
LOAD_OPTIONS, INITRD = 0x8f3b22ed, 0x8f3b22ec


def sha256(data):
    return hashlib.sha256(data).digest()


class Event:
    def __init__(self, pcr, kind, digest, data):
        self.pcr, self.kind, self.digest, self.data = pcr, kind, digest, data


# --- TCG logs -------------------------------------------------------------------

def read_log(path):
    """The events of a crypto-agile log that extend a PCR, in bank SHA-256."""
    buf = open(path, "rb").read()
    size = struct.unpack_from("<I", buf, 28)[0]
    spec, pos, out = buf[32:32 + size], 32 + size, []
    nalgs = struct.unpack_from("<I", spec, 24)[0]
    lens = dict(struct.unpack_from("<HH", spec, 28 + 4 * i)
                for i in range(nalgs))
    while pos < len(buf):
        pcr, kind, n = struct.unpack_from("<III", buf, pos)
        pos += 12
        digest = b""
        for _ in range(n):
            alg = struct.unpack_from("<H", buf, pos)[0]
            if alg == 0xb:
                digest = buf[pos + 2:pos + 34]
            pos += 2 + lens[alg]
        size = struct.unpack_from("<I", buf, pos)[0]
        data = buf[pos + 4:pos + 4 + size]
        pos += 4 + size
        if kind != 3:
            out.append(Event(pcr, kind, digest, data))
    return out


def write_log(path, events):
    spec = (b"Spec ID Event03\0" + struct.pack("<IBBBBI", 0, 0, 2, 0, 2, 1) +
            struct.pack("<HH", 0xb, 32) + b"\0")
    with open(path, "wb") as f:
        f.write(struct.pack("<II", 0, 3) + bytes(20) +
                struct.pack("<I", len(spec)) + spec)
        for e in events:
            f.write(struct.pack("<IIIH", e.pcr, e.kind, 1, 0xb) + e.digest +
                    struct.pack("<I", len(e.data)) + e.data)


# --- edits of a log: what the changed thing measures --------------------------------

def find(log, pcr, text, nth=0):
    """The index of an event by a part of its data, ASCII or UTF-16."""
    hits = [i for i, e in enumerate(log) if e.pcr == pcr and (
        text.encode() in e.data or text.encode("utf-16-le") in e.data)]
    return hits[nth]


def content(log, pcr, text, data, nth=0):
    """A file or volume that is measured as a whole has other content."""
    i = find(log, pcr, text, nth)
    log[i] = Event(pcr, log[i].kind, sha256(data), log[i].data)


def find_variable(log, pcr, name, nth):
    """The index of an EFI variable's event."""
    hits = [i for i, e in enumerate(log) if e.pcr == pcr and len(e.data) > 32
            and e.data[32:].startswith(name.encode("utf-16-le")) and
            struct.unpack_from("<Q", e.data, 16)[0] == len(name)]
    return hits[nth]


def variable(log, pcr, name, value, nth=0):
    """An EFI variable has another value."""
    i = find_variable(log, pcr, name, nth)
    old = log[i].data
    chars, size = struct.unpack_from("<QQ", old, 16)
    data = (old[:24] + struct.pack("<Q", len(value)) +
            old[32:32 + 2 * chars] + value)
    measured = value if log[i].kind == BOOT_VARIABLE else data
    log[i] = Event(pcr, log[i].kind, sha256(measured), data)


def value_of(log, pcr, name, nth=0):
    data = log[find_variable(log, pcr, name, nth)].data
    chars, size = struct.unpack_from("<QQ", data, 16)
    return data[32 + 2 * chars:32 + 2 * chars + size]


def grub(log, old, new):
    """Words of GRUB's commands and command lines are others."""
    for i, e in enumerate(log):
        if e.pcr == 8 and old.encode() in e.data:
            data = e.data.replace(old.encode(), new.encode())
            text = data[data.index(b": ") + 2:].rstrip(b"\0")
            log[i] = Event(8, e.kind, sha256(text), data)


def text_event(pcr, text):
    """What systemd's loader and stub measure: UTF-16 with its NUL."""
    data = text.encode("utf-16-le") + b"\0\0"
    return Event(pcr, IPL, sha256(data), data)


def tag_event(tag, name, data):
    """What the kernel's EFI stub measures."""
    name = name.encode() + b"\0"
    return Event(9, TAG, sha256(data),
                 struct.pack("<II", tag, len(name)) + name)


def application(path, image):
    """What firmware measures of a program that it starts from a disk."""
    name = path.replace("/", "\\").encode("utf-16-le") + b"\0\0"
    node = struct.pack("<BBH", 4, 4, 4 + len(name)) + name
    node += struct.pack("<BBH", 0x7f, 0xff, 4)
    data = struct.pack("<QQQQ", 0, len(image), 0, len(node)) + node
    return Event(4, APPLICATION, authenticode(image), data)


# --- PE -------------------------------------------------------------------------------

def authenticode(pe):
    """The SHA-256 of an image as firmware takes it: headers without checksum
    and signatures, sections in the order of the file, what follows them."""
    at = struct.unpack_from("<I", pe, 0x3c)[0]
    opt = at + 24
    wide = struct.unpack_from("<H", pe, opt)[0] == 0x20b
    entry = opt + (112 if wide else 96) + 4 * 8
    signed = struct.unpack_from("<II", pe, entry)[1]
    head = struct.unpack_from("<I", pe, opt + 60)[0]
    n, size = struct.unpack_from("<H12xH", pe, at + 6)
    parts = sorted(struct.unpack_from("<II", pe, opt + size + 40 * i + 16)[::-1]
                   for i in range(n))
    body = pe[:opt + 64] + pe[opt + 68:entry] + pe[entry + 8:head]
    body += b"".join(pe[start:start + length] for start, length in parts)
    done = head + sum(length for _, length in parts)
    return sha256(body + pe[done:len(pe) - signed])


def small_pe(body):
    """A program that only its measurement is wanted of; with the header of a
    bzImage, so that it is a kernel for QEMU, too."""
    head = bytearray(0x400)
    head[0:2] = b"MZ"
    struct.pack_into("<I", head, 0x3c, 0x40)
    size = len(body) + -len(body) % 512
    struct.pack_into("<4sHHIIIHH", head, 0x40, b"PE\0\0", 0x8664, 1, 0, 0, 0,
                     240, 0x206)
    struct.pack_into("<HBBIIIII", head, 0x58, 0x20b, 2, 0, size, 0, 0, 0x1000,
                     0x1000)
    struct.pack_into("<QII", head, 0x70, 0, 0x1000, 512)
    struct.pack_into("<II", head, 0x58 + 56, 0x1000 + size, 0x400)
    struct.pack_into("<H", head, 0x58 + 68, 10)
    struct.pack_into("<I", head, 0x58 + 108, 16)
    struct.pack_into("<8sIIII", head, 0x58 + 240, b".text", size, 0x1000, size,
                     0x400)
    struct.pack_into("<I", head, 0x58 + 240 + 36, 0x60000020)
    head[0x1f1] = 1
    struct.pack_into("<H", head, 0x1fe, 0xaa55)
    head[0x200:0x202] = b"\xeb\x66"
    head[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", head, 0x206, 0x20f)
    head[0x211] = 1
    struct.pack_into("<I", head, 0x22c, 0x7fffffff)
    return bytes(head) + body + bytes(-len(body) % 512)


# --- boots whose log vtpm-measure predicts ---------------------------------------------

CORE_MODULES = ("normal linux multiboot2 chain configfile tpm fat part_gpt "
                "test loadenv echo").split()


def run(*argv, ok=(0,), **kw):
    p = subprocess.run(argv, capture_output=True, check=False, **kw)
    if p.returncode not in ok:
        raise RuntimeError("%s: %s" % (" ".join(argv[:3]),
                                       p.stderr.decode()[-400:]))
    return p.stdout


class Disk:
    """A disk with a GPT, and GRUB or a UKI on its EFI system partition."""

    def __init__(self, work, name):
        self.dir, self.name, self.files = os.path.join(work, name), name, {}
        self.table = ["label: gpt",
                      "label-id: 11111111-2222-3333-4444-555555555555",
                      "start=2048, size=%d, type=U, name=esp, uuid=%s" %
                      (16384, uuid.UUID(int=7))]
        self.args = ["--fixed-grubenv"]
        os.makedirs(self.dir)

    def image(self):
        path = os.path.join(self.dir, "disk.img")
        esp = os.path.join(self.dir, "esp.img")
        tree = os.path.join(self.dir, "tree")
        shutil.rmtree(tree, ignore_errors=True)
        for name, data in self.files.items():
            full = tree + name
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "wb") as f:
                f.write(data)
        with open(esp, "wb") as f:
            f.truncate(8 << 20)
        run("mkfs.vfat", "-i", "12345678", esp)
        run("mcopy", "-s", "-i", esp,
            *[os.path.join(tree, n) for n in sorted(os.listdir(tree))], "::/",
            env=dict(os.environ, MTOOLS_SKIP_CHECK="1"))
        with open(path, "wb") as f:
            f.truncate(16 << 20)
        run("sfdisk", "-q", path, input="\n".join(self.table).encode())
        with open(path, "r+b") as f:
            f.seek(1 << 20)
            f.write(open(esp, "rb").read())
        return path

    def log(self, measure, learn):
        out = os.path.join(self.dir, "log")
        run(measure, "predict", "-d", self.image(), "--learn", learn, "--log",
            out, *self.args, ok=(0, 1))
        return read_log(out)


def core_image(work, extra=(), early=None):
    """GRUB as the program that firmware starts."""
    out, argv = os.path.join(work, "core.efi"), []
    if early is not None:
        cfg = os.path.join(work, "early.cfg")
        with open(cfg, "w") as f:
            f.write(early)
        argv = ["-c", cfg]
    run("grub-mkimage", "-O", "x86_64-efi", "-p", "/EFI/BOOT", *argv, "-o",
        out, *CORE_MODULES, *extra)
    return open(out, "rb").read()


STUB = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub"
BOOT_MANAGER = "/usr/lib/systemd/boot/efi/systemd-bootx64.efi"


def uki(work, sections, stub=None):
    """A unified kernel image; sections: {name: bytes}."""
    source, argv = os.path.join(work, "stub"), []
    with open(source, "wb") as f:
        f.write(stub or open(STUB, "rb").read())
    for i, (name, data) in enumerate(sections.items()):
        part = os.path.join(work, "section%d" % i)
        with open(part, "wb") as f:
            f.write(data)
        argv += ["--add-section", "%s=%s" % (name, part),
                 "--change-section-vma", "%s=0x%x" %
                 (name, 0x100000 * (i + 1))]
    out = os.path.join(work, "uki.efi")
    run("objcopy", *argv, source, out)
    return open(out, "rb").read()

#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""next_boot.py - the SHA-256 PCRs of a boot that differs from a logged one in
words: a command line, and the files that hold it.

  next_boot.py LOG OLD NEW [OLD-FILE NEW-FILE]... >pcrs.json

Every event whose digest is that of text with OLD in it gets the digest of the
text with NEW; one that is the digest of OLD-FILE that of NEW-FILE.
"""
import hashlib
import json
import struct
import sys


def sha(data):
    return hashlib.sha256(data).digest()


def events(log):
    """PCR, SHA-256 digest and data of all that extend."""
    size, = struct.unpack_from("<I", log, 28)
    at = 32 + size
    lens = dict(struct.unpack_from("<HH", log, 32 + 28 + 4 * i) for i in range(
        struct.unpack_from("<I", log, 32 + 24)[0]))
    while at < len(log):
        pcr, kind, count = struct.unpack_from("<III", log, at)
        at += 12
        digests = {}
        for _ in range(count):
            alg, = struct.unpack_from("<H", log, at)
            digests[alg] = log[at + 2:at + 2 + lens[alg]]
            at += 2 + lens[alg]
        size, = struct.unpack_from("<I", log, at)
        if kind != 3:
            yield pcr, digests[11], log[at + 4:at + 4 + size]
        at += 4 + size


def replaced(digest, data, old, new):
    """GRUB measures its strings without prefix and NUL, Linux in UTF-16."""
    texts = [data, data.rstrip(b"\0")]
    texts += [t.split(b": ", 1)[1] for t in list(texts) if b": " in t]
    for a, b in ((old, new), (old.encode("utf-16le").decode("latin1"),
                              new.encode("utf-16le").decode("latin1"))):
        a, b = a.encode("latin1"), b.encode("latin1")
        for text in texts:
            if sha(text) == digest and a in text:
                return sha(text.replace(a, b))
    return digest


def main():
    log = open(sys.argv[1], "rb").read()
    old, new = sys.argv[2:4]
    files = [sha(open(f, "rb").read()) for f in sys.argv[4:]]
    swap = dict(zip(files[::2], files[1::2]))
    pcrs = {}
    for pcr, digest, data in events(log):
        digest = swap.get(digest, replaced(digest, data, old, new))
        pcrs[pcr] = sha(pcrs.get(pcr, bytes(32)) + digest)
    print(json.dumps({"pcrs": {"sha256": {
        str(p): v.hex() for p, v in sorted(pcrs.items())}}}))


main()

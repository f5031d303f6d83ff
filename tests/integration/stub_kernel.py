#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""stub_kernel.py - FILE: what GRUB takes for a kernel with an EFI stub that asks
for its initrd."""
import struct
import sys

TEXT = b"a kernel"
head = bytearray(512)
head[0:2] = b"MZ"
struct.pack_into("<I", head, 0x3c, 64)
struct.pack_into("<4sHHIIIHH", head, 64, b"PE", 0x8664, 1, 0, 0, 0, 240, 2)
struct.pack_into("<H", head, 88, 0x20b)
struct.pack_into("<H", head, 88 + 44, 1)  # MajorImageVersion
struct.pack_into("<I", head, 88 + 60, len(head))
struct.pack_into("<I", head, 88 + 108, 16)
struct.pack_into("<8sIIII", head, 88 + 240, b".text", len(TEXT), 4096,
                 len(TEXT), len(head))
with open(sys.argv[1], "wb") as f:
    f.write(bytes(head) + TEXT)

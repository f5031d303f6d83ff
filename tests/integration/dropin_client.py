#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""dropin_client.py KIND PATH - hostile clients of swtpm's sockets, and two that
are not: data passes a data connection and uses it; listen PATH COMMAND...
executes COMMAND with descriptor 3 listening at PATH."""
import os
import random
import socket
import struct
import sys


def connect(path):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(10)
    s.connect(path)
    return s


def garbage(path):
    rnd = random.Random(11)
    for size in (1, 3, 4, 7, 100, 4096, 200000):
        s = connect(path)
        try:
            s.sendall(b"\xff" + rnd.randbytes(size - 1))
            s.settimeout(0.2)
            s.recv(4096)
        except OSError:
            pass
        s.close()


def surplus(path):
    for count in (2, 30, 200):
        s = connect(path)
        null = os.open("/dev/null", os.O_RDONLY)
        socket.send_fds(s, [struct.pack(">I", 1)], [null] * count)
        os.close(null)
        if s.recv(8)[:4] != bytes(4):
            sys.exit("GET_CAPABILITY with descriptors was not answered")
        s.close()


def silent(path):
    for s in [connect(path) for _ in range(8)]:
        s.close()


def cut(path):
    s = connect(path)
    s.sendall(bytes.fromhex("80010000000c0000017b"))
    s.close()
    for _ in range(20):
        s = connect(path)
        s.sendall(bytes.fromhex("80010000000c000001440000"))
        s.close()
        s = connect(path)
        s.sendall(bytes.fromhex("80010000000c0000017b0008"))
        if s.recv(4096)[:12] != bytes.fromhex("8001000000140000000000" "08"):
            sys.exit("GetRandom got the answer of another client")
        s.close()


def data(path):
    s = connect(path)
    mine, theirs = socket.socketpair()
    mine.settimeout(10)
    socket.send_fds(s, [struct.pack(">I", 0x10)], [theirs.fileno()])
    if s.recv(4) != bytes(4):
        sys.exit("SET_DATAFD refused")
    theirs.close()
    s.sendall(struct.pack(">II", 2, 0))
    if s.recv(4) != bytes(4):
        sys.exit("INIT refused")
    mine.sendall(bytes.fromhex("80010000000c000001440000"))
    if mine.recv(4096) != bytes.fromhex("80010000000a00000000"):
        sys.exit("TPM2_Startup failed")


def listen(path):
    s = socket.socket(socket.AF_UNIX)
    s.bind(path + ".new")
    s.listen()
    os.rename(path + ".new", path)
    os.dup2(s.fileno(), 3)
    os.set_inheritable(3, True)
    os.execv(sys.argv[3], sys.argv[3:])


{"garbage": garbage, "surplus": surplus, "silent": silent, "cut": cut,
 "data": data, "listen": listen}[sys.argv[1]](sys.argv[2])

#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""tpmtcp.py RINGCMD SOCKET PORT - a vTPM's ring behind a TCP port.

TrouSerS' tcsd has no TCTI; it reaches a TPM that is not in the kernel by TCP
(tcsd -e): one command, one answer.  The ring is driven by tests/ringcmd.
"""
import socket
import subprocess
import sys

ring = subprocess.Popen([sys.argv[1], "--timeout", "30000", sys.argv[2], "-"],
                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def exactly(conn, n):
    data = b""
    while len(data) < n:
        part = conn.recv(n - len(data))
        if not part:
            return None
        data += part
    return data


def serve(conn):
    while head := exactly(conn, 6):
        body = exactly(conn, int.from_bytes(head[2:6], "big") - 6)
        ring.stdin.write((head + body).hex() + "\n")
        ring.stdin.flush()
        while (line := ring.stdout.readline().strip()).startswith("open"):
            pass
        conn.sendall(bytes.fromhex(line))


listener = socket.create_server(("127.0.0.1", int(sys.argv[3])))
while True:
    conn, _ = listener.accept()
    with conn:
        serve(conn)

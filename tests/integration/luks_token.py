#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""luks_token.py - does systemd's own token handler open a volume?

  luks_token.py VOLUME TCTI SIGNATURES

As systemd-cryptsetup calls libcryptsetup and, by it, systemd's handler of the
token "systemd-tpm2"; but no volume is mapped: device-mapper is not needed.
"""
import ctypes
import sys


class Params(ctypes.Structure):
    """systemd 252, tpm2-util.h: systemd_tpm2_plugin_params."""

    _fields_ = [
        ("search_pcr_mask", ctypes.c_uint32),
        ("device", ctypes.c_char_p),
        ("signature_path", ctypes.c_char_p),
    ]


def main():
    volume, tcti, signatures = (a.encode() for a in sys.argv[1:4])
    lib = ctypes.CDLL("libcryptsetup.so.12")
    lib.crypt_activate_by_token_pin.argtypes = [
        ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int,
        ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_uint32]
    lib.crypt_load.argtypes = [
        ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    volume_p = ctypes.c_void_p()
    if lib.crypt_init(ctypes.byref(volume_p), volume) < 0:
        sys.exit("cannot open the volume")
    if lib.crypt_load(volume_p, b"LUKS2", None) < 0:
        sys.exit("not LUKS2")
    params = Params(0xFFFFFFFF, tcti, signatures)
    rc = lib.crypt_activate_by_token_pin(
        volume_p, None, b"systemd-tpm2", -1, None, 0, ctypes.byref(params), 0)
    print("opened key slot", rc) if rc >= 0 else sys.exit(f"refused: {rc}")


main()

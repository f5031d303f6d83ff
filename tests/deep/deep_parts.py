# SPDX-License-Identifier: BSD-3-Clause
"""deep_parts.py - what verify_deep.py is made of: bytes, JSON, the TPM's
structures and certificates, each read as doc/FORMATS.md has it.
"""
import base64
import datetime
import hashlib
import json
import re
import struct

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.x509.oid import ExtensionOID, ObjectIdentifier

ALG_NAMES = {0x0004: "sha1", 0x000B: "sha256", 0x000C: "sha384",
             0x000D: "sha512"}
ALGS = {v: k for k, v in ALG_NAMES.items()}
STRONG = {0x000B: hashes.SHA256, 0x000C: hashes.SHA384, 0x000D: hashes.SHA512}
CURVES = {3: ec.SECP256R1, 4: ec.SECP384R1, 5: ec.SECP521R1}
RSA, ECC, RSASSA, RSAPSS, ECDSA, NULL = 1, 0x23, 0x14, 0x16, 0x18, 0x10
MAGIC = 0xFF544347
ST_QUOTE, ST_CERTIFY = 0x8018, 0x8017
FIXED_TPM, FIXED_PARENT, ORIGIN = 1 << 1, 1 << 4, 1 << 5
RESTRICTED, DECRYPT, SIGN = 1 << 16, 1 << 17, 1 << 18
EKU_EK, EKU_AK = "2.23.133.8.1", "2.23.133.8.3"
OID_INSTANCE = ObjectIdentifier("1.3.6.1.4.1.99999.20.1")
OID_ROOT = ObjectIdentifier("1.3.6.1.4.1.99999.20.2")
OID_PERIOD = ObjectIdentifier("2.5.29.16")
PERIOD_MAX = datetime.timedelta(days=2)
TCG_CRITICAL = {"2.5.29.17", "2.5.29.9"}
# TCG EK Credential Profile, templates L-1 and L-2: PolicySecret(endorsement).
EK_POLICY = bytes.fromhex(
    "837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa")


class Bad(Exception):
    """Bytes or JSON that are not what they should be, or a check failed."""


def need(cond, words):
    if not cond:
        raise Bad(words)


def sha(data, alg=0x000B):
    return hashlib.new(ALG_NAMES[alg], data).digest()


class Bytes:
    """Reads from the front; never past the end."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        need(self.at + n <= len(self.data), "ends too early")
        self.at += n
        return self.data[self.at - n:self.at]

    def num(self, n):
        return int.from_bytes(self.take(n), "big")

    def blob(self, most=65535):
        n = self.num(2)
        need(n <= most, "a field is too long")
        return self.take(n)

    def end(self):
        need(self.at == len(self.data), "bytes are left over")


def b64(value, most, what):
    need(isinstance(value, str), f"{what} is not text")
    need(value, f"{what} is empty")
    try:
        raw = base64.b64decode(value.encode("ascii"), validate=True)
    except (ValueError, UnicodeError) as err:
        raise Bad(f"{what} is not base64") from err
    need(base64.b64encode(raw).decode() == value,
         f"{what} is not in the canonical spelling")
    need(len(raw) <= most, f"{what} is too long")
    return raw


def hexa(value, what):
    """Digits only; bytes.fromhex() would take blanks, too."""
    need(isinstance(value, str) and re.fullmatch("(?:[0-9a-fA-F]{2})*", value),
         f"{what} is not hexadecimal")
    return bytes.fromhex(value)


def whole(value):
    """A JSON integer; True and 1.0 are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def pcr_values(obj, alg, what):
    """{ "0": hex, ... } with numbers as one writes them."""
    need(isinstance(obj, dict), f"{what} is not an object")
    out = {}
    for name, value in obj.items():
        need(re.fullmatch("0|[1-9][0-9]?", name) and int(name) < 24,
             f"{what}: '{name}' is no PCR")
        out[int(name)] = hexa(value, f"{what}: PCR {name}")
        need(len(out[int(name)]) == hashlib.new(ALG_NAMES[alg]).digest_size,
             f"{what}: PCR {name} is too short or too long")
    return out


def no_twice(pairs):
    out = {}
    for key, value in pairs:
        need(key not in out, f'"{key}" comes twice')
        out[key] = value
    return out


def load(path, most, fmt, must, may, nulls=True):
    """nulls: a key that may be missing may also be null."""
    try:
        raw = open(path, "rb").read(most + 1)
    except OSError as err:
        raise SystemExit(f"verify_deep: {path}: {err.strerror}")
    need(len(raw) <= most, f"{path} is too long")
    try:
        obj = json.loads(raw.decode("utf-8"), object_pairs_hook=no_twice)
    except (ValueError, UnicodeError) as err:
        raise Bad(f"{path} is not JSON: {err}") from err
    need(isinstance(obj, dict), f"{path} is not an object")
    need(obj.get("format") == fmt, f'{path}: format is not "{fmt}"')
    need(whole(obj.get("version")) and obj["version"] == 1,
         f"{path}: version is not 1")
    for key in must:
        need(obj.get(key) is not None, f'{path}: "{key}" is missing')
    for key in obj:
        need(key in must or key in may or key in ("format", "version"),
             f'{path}: unknown key "{key}"')
        need(nulls or obj[key] is not None, f'{path}: "{key}" is null')
    return obj


# --- the TPM's structures -------------------------------------------------


class Public:
    """TPM2B_PUBLIC of an RSA or ECC key."""

    def __init__(self, raw):
        outer = Bytes(raw)
        self.area = outer.blob()
        outer.end()
        r = Bytes(self.area)
        self.type, self.name_alg, self.attrs = r.num(2), r.num(2), r.num(4)
        self.policy = r.blob(64)
        need(self.name_alg in STRONG, "its Name is not by SHA-256 or better")
        need(self.type in (RSA, ECC), "neither RSA nor ECC")
        self.sym = r.num(2)
        if self.sym != NULL:
            r.num(2), r.num(2)
        self.scheme = r.num(2)
        self.scheme_hash = r.num(2) if self.scheme != NULL else None
        if self.type == RSA:
            self.bits, self.exp = r.num(2), r.num(4) or 65537
            self.modulus = r.blob(512)
            need(2048 <= self.bits <= 4096 and
                 len(self.modulus) * 8 == self.bits and self.exp == 65537 and
                 self.modulus[0] & 0x80, "not an RSA key of 2048 to 4096 bits")
            self.key = rsa.RSAPublicNumbers(
                self.exp, int.from_bytes(self.modulus, "big")).public_key()
        else:
            curve = r.num(2)
            need(r.num(2) == NULL, "a key derivation scheme")
            x, y = r.blob(66), r.blob(66)
            need(curve in CURVES, "an unknown curve")
            try:
                self.key = ec.EllipticCurvePublicNumbers(
                    int.from_bytes(x, "big"), int.from_bytes(y, "big"),
                    CURVES[curve]()).public_key()
            except ValueError as err:
                raise Bad("its point is not on the curve") from err
        r.end()
        self.name = struct.pack(">H", self.name_alg) + sha(self.area,
                                                           self.name_alg)

    def has(self, *bits):
        return all(self.attrs & b for b in bits)

    def with_key(self, key):
        """The Name that another key by the same template has."""
        if self.type == RSA:
            need(isinstance(key, rsa.RSAPublicKey) and
                 key.key_size == self.bits, "another kind of key")
            raw = key.public_numbers().n.to_bytes(self.bits // 8, "big")
            area = self.area[:-len(self.modulus)] + raw
        else:
            need(isinstance(key, ec.EllipticCurvePublicKey) and
                 key.curve.name == self.key.curve.name, "another kind of key")
            size = (key.curve.key_size + 7) // 8
            nums = key.public_numbers()
            unique = b"".join(struct.pack(">H", size) + v.to_bytes(size, "big")
                              for v in (nums.x, nums.y))
            area = self.area[:-len(unique)] + unique
        return struct.pack(">H", self.name_alg) + sha(area, self.name_alg)


def check_signature(key, sig_bytes, data, only=None):
    """TPMT_SIGNATURE; returns its hash.  only: (scheme, hash) if given."""
    r = Bytes(sig_bytes)
    scheme, alg = r.num(2), r.num(2)
    need(alg in STRONG, "signed with a hash below SHA-256")
    if only is not None:
        need((scheme, alg) == only, "another scheme than the key's")
    digest = STRONG[alg]()
    try:
        if scheme in (RSASSA, RSAPSS):
            raw = r.blob(512)
            r.end()
            need(isinstance(key, rsa.RSAPublicKey), "not an RSA key's")
            pad = padding.PKCS1v15() if scheme == RSASSA else padding.PSS(
                padding.MGF1(digest), padding.PSS.AUTO)
            key.verify(raw, data, pad, digest)
        elif scheme == ECDSA:
            s1, s2 = r.blob(66), r.blob(66)
            r.end()
            need(isinstance(key, ec.EllipticCurvePublicKey), "not an ECC key's")
            key.verify(utils.encode_dss_signature(
                int.from_bytes(s1, "big"), int.from_bytes(s2, "big")),
                data, ec.ECDSA(digest))
        else:
            raise Bad("an unknown signature scheme")
    except (InvalidSignature, ValueError) as err:
        raise Bad("not this key's signature") from err
    return alg


class Attest:
    """TPMS_ATTEST of a quote or of TPM2_Certify."""

    def __init__(self, raw, want):
        r = Bytes(raw)
        need(r.num(4) == MAGIC, "magic: not made by a TPM")
        need(r.num(2) == want, "another type of attestation")
        self.signer, self.extra = r.blob(68), r.blob(64)
        r.take(8 + 4 + 4)
        need(r.num(1) in (0, 1), "clock info")
        r.take(8)
        if want == ST_QUOTE:
            self.selection, n = [], r.num(4)
            need(n <= 16, "too many banks")
            for _ in range(n):
                alg, size = r.num(2), r.num(1)
                need(1 <= size <= 4, "a selection")
                bits = int.from_bytes(r.take(size), "little")
                self.selection.append((alg, bits))
            self.digest = r.blob(64)
        else:
            self.name, self.qualified = r.blob(68), r.blob(68)
        r.end()


def qualified(parent_qn, name):
    alg = int.from_bytes(name[:2], "big")
    return name[:2] + sha(parent_qn + name, alg)


def ek_qn(ek_name):
    alg = int.from_bytes(ek_name[:2], "big")
    return ek_name[:2] + sha(bytes.fromhex("4000000b") + ek_name, alg)


def ek_name(key):
    """Name of an EK by template L-1 (RSA 2048) or L-2 (P-256)."""
    head = struct.pack(">HI", 0x000B, 0x000300B2) + struct.pack(
        ">H", 32) + EK_POLICY + bytes.fromhex("000600800043") + b"\x00\x10"
    if isinstance(key, rsa.RSAPublicKey):
        need(key.key_size == 2048, "an EK that is not of template L-1")
        area = struct.pack(">H", RSA) + head + struct.pack(
            ">HIH", 2048, 0, 256) + key.public_numbers().n.to_bytes(256, "big")
    else:
        need(isinstance(key.curve, ec.SECP256R1), "not of template L-2")
        nums = key.public_numbers()
        area = struct.pack(">H", ECC) + head + b"\x00\x03\x00\x10" + b"".join(
            b"\x00\x20" + v.to_bytes(32, "big") for v in (nums.x, nums.y))
    return b"\x00\x0b" + sha(area)


# --- certificates ---------------------------------------------------------


def der(raw, what):
    try:
        cert = x509.load_der_x509_certificate(raw)
    except ValueError as err:
        raise Bad(f"{what} is not a certificate") from err
    # The library looks at the signature's octets alone.
    need(raw[-len(cert.signature) - 1] == 0,
         f"{what}: unused bits in its signature")
    return cert


def chain(raw, what):
    """A certificate, and that of the issuing key behind it or None."""
    need(len(raw) > 4 and raw[:2] == b"\x30\x82", f"{what} is no certificate")
    size = 4 + int.from_bytes(raw[2:4], "big")
    return der(raw[:size], what), der(raw[size:], what) if raw[
        size:] else None


def same_key(a, b):
    return a.public_numbers() == b.public_numbers()


def issued(cert, issuer, words):
    need(cert.issuer == issuer.subject, f"{words}: another issuer")
    alg = cert.signature_hash_algorithm
    need(alg is not None and alg.name in ("sha256", "sha384", "sha512"),
         f"{words}: a weak hash")
    key = issuer.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(cert.signature, cert.tbs_certificate_bytes,
                       padding.PKCS1v15(), alg)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(cert.signature, cert.tbs_certificate_bytes,
                       ec.ECDSA(alg))
        else:
            raise Bad(f"{words}: an unknown kind of key")
    except InvalidSignature as err:
        raise Bad(f"{words}: not signed by it") from err


def dates(cert):
    if hasattr(cert, "not_valid_before_utc"):  # since version 42
        return cert.not_valid_before_utc, cert.not_valid_after_utc
    return (cert.not_valid_before.replace(tzinfo=datetime.timezone.utc),
            cert.not_valid_after.replace(tzinfo=datetime.timezone.utc))


def in_date(cert, words):
    first, last = dates(cert)
    now = datetime.datetime.now(datetime.timezone.utc)
    need(first <= now <= last, f"{words}: out of date")


def constraints(cert, kind):
    try:
        return cert.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def period(cert):
    """Both ends of the key's usage period, or None."""
    try:
        ext = cert.extensions.get_extension_for_oid(OID_PERIOD).value
    except x509.ExtensionNotFound:
        return None
    # Newer versions know this extension.
    raw = ext.value if hasattr(ext, "value") else ext.public_bytes()
    items = der_items(raw)
    need([tag for tag, _ in items] == [0x80, 0x81],
         "the issuing key's period")
    return [datetime.datetime.strptime(
        text.decode("ascii") + "+0000", "%Y%m%d%H%M%SZ%z")
        for _, text in items]


def issued_by_key(cert, by, ca, words):
    """cert by the issuing key whose certificate is `by`, that one by ca."""
    issued(by, ca, words)
    in_date(by, words)
    up, own = (constraints(x, x509.BasicConstraints) for x in (ca, by))
    need(up.path_length is None or up.path_length > 0,
         f"{words}: the CA allows no other below it")
    use = constraints(by, x509.KeyUsage)
    need(own is not None and own.ca and own.path_length == 0 and
         use is not None and use.key_cert_sign,
         f"{words}: not an issuing key's certificate")
    used = period(by)
    need(used is not None and
         datetime.timedelta(0) <= used[1] - used[0] <= PERIOD_MAX,
         f"{words}: no period, or a long one")
    need(used[0] <= dates(cert)[0] <= used[1],
         f"{words}: begins outside the issuing key's period")
    issued(cert, by, words)


def is_ca(cert):
    try:
        return cert.extensions.get_extension_for_oid(
            ExtensionOID.BASIC_CONSTRAINTS).value.ca
    except x509.ExtensionNotFound:
        return False


def purposes(cert):
    try:
        ext = cert.extensions.get_extension_for_oid(
            ExtensionOID.EXTENDED_KEY_USAGE)
        return [p.dotted_string for p in ext.value]
    except x509.ExtensionNotFound:
        return []


def der_items(raw):
    """The (tag, content) items in one DER SEQUENCE; short lengths do."""
    r = Bytes(raw)
    need(r.num(1) == 0x30, "an extension that is not a SEQUENCE")
    n = r.num(1)
    need(n < 0x80 and n == len(raw) - 2, "an extension's length")
    out = []
    while r.at < len(raw):
        tag, size = r.num(1), r.num(1)
        need(size < 0x80, "an extension's length")
        out.append((tag, r.take(size)))
    return out


def der_int(item):
    need(item[0] == 2 and item[1], "an extension's number")
    return int.from_bytes(item[1], "big", signed=True)


def extension(cert, oid):
    try:
        return der_items(cert.extensions.get_extension_for_oid(oid).value.value)
    except x509.ExtensionNotFound as err:
        raise Bad("does not say which vTPM or root it is for") from err


def instance(cert):
    it = extension(cert, OID_INSTANCE)
    need(len(it) == 6 and der_int(it[0]) == 1, "VtpmInstance")
    need(it[1][0] == 4 and len(it[1][1]) == 16, "VtpmInstance: uuid")
    need(it[5][0] == 1 and len(it[5][1]) == 1, "VtpmInstance: virtual")
    return {"uuid": it[1][1], "generation": der_int(it[2]),
            "group": der_int(it[3]), "root": der_int(it[4]),
            "virtual": it[5][1] != b"\x00"}


def root_kind(cert):
    it = extension(cert, OID_ROOT)
    need(len(it) == 2 and der_int(it[0]) == 1, "VtpmRoot")
    return der_int(it[1])


def read_pems(path):
    try:
        data = open(path, "rb").read()
    except OSError as err:
        raise SystemExit(f"verify_deep: {path}: {err.strerror}")
    mark = b"-----BEGIN CERTIFICATE-----"
    return [x509.load_pem_x509_certificate(mark + part)
            for part in data.split(mark)[1:]]

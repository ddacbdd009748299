#!/usr/bin/env python3
"""Writes the fixtures of this folder from docs/formats/keys.md alone, with another implementation of AES-GCM.

Run once per version of the format (needs python3-cryptography); a fixture is never changed.
"""
import hashlib
import hmac
import pathlib
import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HERE = pathlib.Path(__file__).parent
TREE = bytes(range(0x40, 0x50))
LEDGER = bytes(range(0x60, 0x68))
ROOT = bytes(range(0x80, 0xA0))
NONCE = bytes(range(12))


def padded(length):
    if length <= 1024:
        return -(-length // 64) * 64
    exponent = length.bit_length() - 1
    mask = (1 << (exponent - exponent.bit_length())) - 1
    return (length + mask) & ~mask


def box(key, nonce, aad, body):
    plain = bytes(32) + struct.pack(">I", len(body)) + body
    return AESGCM(key).encrypt(nonce, plain + bytes(padded(len(plain)) - len(plain)), aad)


def keep(name, data):
    lines = [data[at:at + 16].hex() for at in range(0, len(data), 16)]
    (HERE / f"{name}.hex").write_text("\n".join(lines) + "\n")


# A leaf node of epoch 5, attempt 2: leaf i has 32 bytes of i and was made in epoch 3; leaf 7 died in epoch 5.
entries = [bytes([i]) * 32 + struct.pack(">QI", 3, 0) for i in range(64)]
entries[7] = bytes(32) + struct.pack(">QI", 5, 0xFFFFFFFF)
node_key = struct.pack(">BIQI", 4, 1234, 5, 2)
keep("node-row-key", node_key)
keep("node-content", b"".join(entries))
keep("node", NONCE + box(ROOT, NONCE, TREE + node_key, b"".join(entries)))

keep("fence", struct.pack(">HI", 1, 3) + struct.pack(">3Q", 17, 64, 2**30 - 1))
keep("fence-lost-row-key", struct.pack(">Q", 2**63 | 207))

change = (struct.pack(">QQ", 4, 5) + b"\x11" * 32 + b"\x22" * 32 + struct.pack(">QHHH", 9, 0, 2, 1)
          + struct.pack(">I", 2) + struct.pack(">2Q", 100, 207))
pending_key = struct.pack(">QI", 5, 2)
keep("pending-row-key", pending_key)
keep("pending", NONCE + box(hmac.new(ROOT, b"pending", hashlib.sha256).digest(), NONCE, TREE + pending_key,
                            struct.pack(">HH", 1, 1) + change))

slot = b"SIEGELR1" + struct.pack(">H6xQ", 1, 5) + ROOT + b"\x22" * 32 + LEDGER + TREE
slot += bytes(480 - len(slot))
keep("root-slot", slot + hashlib.sha256(slot).digest())

LEAF = b"\x07" * 32
EVENT = bytes(range(0xC0, 0xD0))
part_key = hmac.new(LEAF, b"part" + EVENT + struct.pack(">H", 1), hashlib.sha256).digest()
aad = b"siegel/part/1" + TREE + EVENT + struct.pack(">HIH", 1, 7, 3)
keep("part", box(part_key, bytes(12), aad, b"made-up body"))
row_key = hmac.new(LEAF, b"row" + b"records" + struct.pack(">I", 1), hashlib.sha256).digest()
SEVENS = b"\x07" * 12
keep("row", SEVENS + box(row_key, SEVENS, b"siegel/row/1" + TREE + struct.pack(">Q", 5) + b"row 17", b"made-up row"))
keep("day-mac", hmac.new(hmac.new(LEAF, b"day-mac", hashlib.sha256).digest(), b"client key", hashlib.sha256).digest())
day_key = hmac.new(LEAF, b"day-seal", hashlib.sha256).digest()
keep("day", box(day_key, NONCE, b"siegel/day/1" + TREE, b"made-up answer"))

#!/usr/bin/env python3
"""Writes generated.json: vectors for IK and IKpsk2 with corner cases (empty prologue and payloads, an absent
init_remote_static), computed from the Noise specification by other code than ours:
hashlib's BLAKE2b, hmac, and python3-cryptography's X25519 and ChaCha20-Poly1305. Needed only to make the file anew."""

import hashlib
import hmac
import json
import pathlib
import random

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def public(private):
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def dh(private, peer):
    return X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(peer))


def digest(data):
    return hashlib.blake2b(data).digest()


def hkdf(key, data, count):
    temporary = hmac.new(key, data, hashlib.blake2b).digest()
    out, last = [], b""
    for i in range(1, count + 1):
        last = hmac.new(temporary, last + bytes([i]), hashlib.blake2b).digest()
        out.append(last)
    return out


def seal(key, nonce, text, associated):
    return ChaCha20Poly1305(key).encrypt(bytes(4) + nonce.to_bytes(8, "little"), text, associated)


class Symmetric:
    def __init__(self, name, prologue, responder):
        self.h = name.encode().ljust(64, b"\0")
        self.ck = self.h
        self.mix_hash(prologue)
        self.mix_hash(responder)

    def mix_hash(self, data):
        self.h = digest(self.h + data)

    def mix_key(self, data):
        self.ck, key = hkdf(self.ck, data, 2)
        self.key, self.nonce = key[:32], 0

    def mix_key_and_hash(self, data):
        self.ck, mixed, key = hkdf(self.ck, data, 3)
        self.mix_hash(mixed)
        self.key, self.nonce = key[:32], 0

    def encrypt_and_hash(self, text):
        out = seal(self.key, self.nonce, text, self.h)
        self.nonce += 1
        self.mix_hash(out)
        return out

    def mix_ephemeral(self, key, psk):
        self.mix_hash(key)
        if psk is not None:
            self.mix_key(key)


def vector(rng, psk, prologue, payloads, remote=True):
    def octets():
        return rng.randbytes(32)

    name = f"Noise_{'IKpsk2' if psk is not None else 'IK'}_25519_ChaChaPoly_BLAKE2b"
    i_s, i_e, r_s, r_e = octets(), octets(), octets(), octets()
    state = Symmetric(name, prologue, public(r_s))
    state.mix_ephemeral(public(i_e), psk)
    state.mix_key(dh(i_e, public(r_s)))
    one = public(i_e) + state.encrypt_and_hash(public(i_s))
    state.mix_key(dh(i_s, public(r_s)))
    one += state.encrypt_and_hash(payloads[0])
    state.mix_ephemeral(public(r_e), psk)
    state.mix_key(dh(r_e, public(i_e)))
    state.mix_key(dh(r_e, public(i_s)))
    if psk is not None:
        state.mix_key_and_hash(psk)
    two = public(r_e) + state.encrypt_and_hash(payloads[1])
    keys = [key[:32] for key in hkdf(state.ck, b"", 2)]
    messages = [one, two] + [seal(keys[i % 2], i // 2 - 1, payload, b"")
                             for i, payload in enumerate(payloads) if i >= 2]
    out = {"protocol_name": name, "init_prologue": prologue.hex(), "init_static": i_s.hex(), "init_ephemeral": i_e.hex()}
    if remote:
        out["init_remote_static"] = public(r_s).hex()
    out |= {"resp_prologue": prologue.hex(), "resp_static": r_s.hex(), "resp_ephemeral": r_e.hex()}
    if psk is not None:
        out |= {"init_psks": [psk.hex()], "resp_psks": [psk.hex()]}
    if rng.random() < 0.5:
        out["handshake_hash"] = state.h.hex()
    out["messages"] = [{"payload": p.hex(), "ciphertext": c.hex()} for p, c in zip(payloads, messages)]
    return out


def main():
    rng = random.Random(1)
    vectors = []
    for psk in (False, True):
        for count in (2, 3, 9):
            for size in (0, 1, 64, 300):
                payloads = [rng.randbytes(size) for _ in range(count)]
                vectors.append(vector(rng, rng.randbytes(32) if psk else None, rng.randbytes(rng.choice((0, 1, 200))),
                                      payloads, remote=rng.random() < 0.5))
    path = pathlib.Path(__file__).with_name("generated.json")
    path.write_text(json.dumps({"vectors": vectors}, indent=1) + "\n")


main()

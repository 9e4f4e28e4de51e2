"""A certificate for loopback and the authority that signed it, made anew for each server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificates:
    """PEM files."""

    ca: Path
    chain: Path
    key: Path


def certificates(folder: Path) -> Certificates:
    import trustme

    folder.mkdir(parents=True, exist_ok=True)
    made = Certificates(folder / "ca.pem", folder / "chain.pem", folder / "key.pem")
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    authority.cert_pem.write_to_path(made.ca)
    made.chain.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    made.key.write_bytes(_pkcs8(issued.private_key_pem.bytes()))
    made.key.chmod(0o600)
    return made


def _pkcs8(key: bytes) -> bytes:
    """Java reads no other form."""
    from cryptography.hazmat.primitives import serialization as form

    loaded = form.load_pem_private_key(key, None)
    return loaded.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())

"""The signed statement of the JWT bearer flow. Floor 3: computes, does no I/O and has no clock."""

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

__all__ = ['LIFETIME', 'assertion', 'private_key']

# Bits. RFC 7518, 3.3: smaller ones must not sign with RS256.
_SMALLEST_KEY = 2048
# Seconds. Salesforce accepts no more than three minutes, and its clock decides.
LIFETIME = 180


def private_key(pem: str) -> RSAPrivateKey:
    """Read a key.

    Args:
        pem: a line end may also be written as backslash and n, as environment variables often have it.
    Raises:
        ValueError: with what it has to be; never with a part of it.
    """
    if '\n' not in pem.strip():
        pem = pem.replace('\\n', '\n')
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except Exception:
        # ValueError, TypeError for a passphrase, UnsupportedAlgorithm; none of their texts is needed.
        key = None
    if not isinstance(key, RSAPrivateKey) or key.key_size < _SMALLEST_KEY:
        raise ValueError(
            f'an RSA private key of {_SMALLEST_KEY} bits or more in PEM form without a passphrase'
        )
    return key


def assertion(key: RSAPrivateKey, *, consumer_key: str, username: str, audience: str, now: float) -> str:
    """The statement that the app acts for the user.

    Args:
        audience: 'https://login.salesforce.com' or 'https://test.salesforce.com', wherever it is sent.
        now: seconds since the epoch.
    """
    claims = {'iss': consumer_key, 'sub': username, 'aud': audience, 'exp': int(now) + LIFETIME}
    return jwt.encode(claims, key, algorithm='RS256')

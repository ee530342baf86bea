"""The keys of a fleet: one certificate and its key, which scheduler, workers and coordinator share."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_weekops.core.errors import InputError

if TYPE_CHECKING:
    from distributed.security import Security

CERTIFICATE_NAME, KEY_NAME = "fleet.crt", "fleet.key"


@dataclass(frozen=True)
class Keys:
    """Where certificate and key lie. Who has both is let in, so that they are a secret of the fleet."""

    certificate: Path
    key: Path

    @classmethod
    def make(cls, directory: Path) -> Keys:
        """Make new ones, for their owner's eyes only. Raises ``InputError`` where some are there already."""
        try:
            from distributed.security import Security

            made = Security.temporary()
        except ImportError as error:
            raise InputError(
                "Keys cannot be made without the package cryptography. Hosts would be open to everybody. Install it: "
                'pip install "pytest-weekops[fleet]".'
            ) from error
        return cls.write(directory, str(made.tls_scheduler_cert), str(made.tls_scheduler_key))

    @classmethod
    def write(cls, directory: Path, certificate: str, key: str) -> Keys:
        """Keep what was made, for its owner's eyes only. Raises ``InputError`` where some are there already."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = cls(directory / CERTIFICATE_NAME, directory / KEY_NAME)
        for path, text in ((found.key, key), (found.certificate, certificate)):
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            except OSError as error:
                raise InputError(
                    f"Keys cannot be made as {path}: {error.strerror}. Hosts that have the old ones would be shut out. "
                    "Name an empty directory."
                ) from error
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(text)
        return found

    @classmethod
    def at(cls, directory: Path) -> Keys:
        """Those that were made there. Raises ``InputError`` where they are not, or where others may read the key."""
        found = cls(directory / CERTIFICATE_NAME, directory / KEY_NAME)
        try:
            mode = found.key.stat().st_mode
            found.certificate.stat()
        except OSError as error:
            raise InputError(
                f"--keys {directory} has no keys of a fleet: {error.strerror}. Nobody would let us in. Make them: "
                "weekops fleet keys DIR."
            ) from error
        if mode & 0o077:
            raise InputError(
                f"Key {found.key} can be read by others, who could run programs on every host. It is not used. Make it "
                "private: chmod 600, and new ones if somebody may have read it."
            )
        return found

    def security(self) -> Security:
        """What Dask is given: nothing goes unencrypted, and nobody without the key is let in."""
        from distributed.security import Security

        certificate, key = str(self.certificate), str(self.key)
        return Security(
            require_encryption=True,
            tls_ca_file=certificate,
            **{
                f"tls_{role}_{what}": path
                for role in ("client", "scheduler", "worker")
                for what, path in (("cert", certificate), ("key", key))
            },
        )

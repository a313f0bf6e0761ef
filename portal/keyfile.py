"""The secrets of a machine that was given none: made once, kept beside its data. For DEBUG only."""

import json
import os
import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet


def load_or_create(path: Path) -> dict[str, str]:
    """Read SECRET_KEY, PIN_KEY and PIN_DIGEST_KEY from `path`; make the file (mode 600) if it is missing.

    Two processes that start together end with the same keys: the file appears whole or not at all.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        keys = {
            "SECRET_KEY": secrets.token_urlsafe(50),
            "PIN_KEY": Fernet.generate_key().decode(),
            "PIN_DIGEST_KEY": secrets.token_urlsafe(32),
        }
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(keys))
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    loaded: dict[str, str] = json.loads(path.read_text())
    return loaded

"""A copy of the log, as a stranger makes it."""

import pytest

from petition.models import LogHead


@pytest.fixture
def copy(client, tmp_path):
    """Writes the log as a stranger copies it, from the site's own answers."""

    def make() -> str:
        size = LogHead.objects.get().size
        paths = ["checkpoint", "vkey"]
        for level in range(3):
            hashes = size >> 8 * level
            for number in range(-(-hashes // 256)):
                width = min(256, hashes - number * 256)
                end = f"{number:03}" + (f".p/{width}" if width < 256 else "")
                paths.append(f"tile/{level}/{end}")
                if level == 0:
                    paths.append(f"tile/entries/{end}")
        for path in paths:
            response = client.get(f"/log/{path}")
            assert response.status_code == 200, path
            target = tmp_path / "copy" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(response.content)
        return str(tmp_path / "copy")

    return make

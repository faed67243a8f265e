"""Whether the Prefect server that the environment names answers. Imports nothing of Prefect."""

import os

WAIT_SECONDS = 3.0


def api_url() -> str | None:
    """`PREFECT_API_URL`, or None when flows run with a server of their own."""
    return os.environ.get("PREFECT_API_URL") or None


def answers(url: str) -> bool:
    """Whether the server's health page says yes within three seconds."""
    import httpx

    try:
        return httpx.get(f"{url.rstrip('/')}/health", timeout=WAIT_SECONDS).is_success
    except (httpx.HTTPError, httpx.InvalidURL):
        return False

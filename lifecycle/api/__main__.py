"""Serves the API alone: `python -m lifecycle.api --host 127.0.0.1 --port 8080`. `lifecycle.web` serves the whole site."""

from lifecycle.api.app import create
from lifecycle.api.serving import serve

if __name__ == "__main__":
    serve(create)

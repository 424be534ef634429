"""What a proxy in front says of the client: believed from the proxies that the settings name, from nobody else."""

from __future__ import annotations

from fastapi import FastAPI
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from backend.settings import Settings


def add_proxy(app: FastAPI, settings: Settings) -> None:
    """Let X-Forwarded-For and X-Forwarded-Proto of trusted proxies name a request's address and scheme.

    Call it after all other middleware was added: the last one added is the first that sees a request.
    """
    trusted = [one.strip() for one in settings.trusted_proxies.split(",") if one.strip()]
    if trusted:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=trusted)

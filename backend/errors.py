"""Errors a person can act on: an HTTP status and one sentence that names the thing and the mend."""

from __future__ import annotations


class EigenscopeError(Exception):
    """Base of every error that is an answer rather than a defect.

    `type` and `status` are what the REST API shows: `{"error": type, "detail": str(error)}`.
    """

    type = "error"
    status = 500


class InvalidInput(EigenscopeError):
    """The request, file or setting is wrong; the sentence says what to change."""

    type = "invalid_input"
    status = 422


class NotFound(EigenscopeError):
    """The named thing does not exist."""

    type = "not_found"
    status = 404


class Conflict(EigenscopeError):
    """The thing exists but its state forbids the request."""

    type = "conflict"
    status = 409


class Unauthorized(EigenscopeError):
    """The request carries no valid token."""

    type = "unauthorized"
    status = 401


class Unavailable(EigenscopeError):
    """A service this needs does not answer (database, broker, disk)."""

    type = "unavailable"
    status = 503


class Forbidden(EigenscopeError):
    """The token is valid and only reads."""

    type = "forbidden"
    status = 403


class TooManyAttempts(EigenscopeError):
    """Wrong tokens came too often; `seconds` says when the next may be tried."""

    type = "too_many_attempts"
    status = 429

    def __init__(self, sentence: str, seconds: int) -> None:
        super().__init__(sentence)
        self.seconds = seconds

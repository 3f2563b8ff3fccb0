"""What the provider says when it does not do what it was asked, in Stripe's words."""

from typing import Any

Body = dict[str, Any]


class StripeError(Exception):
    """An error answer: its HTTP status and the members of its `error` object.

    `effects` says that what was done before it stays done (a declined card leaves a failed charge); `saved` that the
    answer is kept under the idempotency key. What was turned away before the work began is not kept.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        effects: bool = False,
        saved: bool = True,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.code = code
        self.param = param
        self.effects = effects
        self.saved = saved
        self.more: Body = more

    def body(self, request_id: str) -> Body:
        """The answer's JSON."""
        error: Body = {"message": self.message, "type": self.kind, **self.more}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        if self.param:
            error["param"] = self.param
        error["request_log_url"] = f"https://dashboard.stripe.com/test/logs/{request_id}"
        return {"error": error}


def turned_away(
    message: str,
    status: int,
    *,
    kind: str = "invalid_request_error",
    code: str | None = None,
    param: str | None = None,
) -> StripeError:
    """An error that came before any work, so that the key is still free for the same request."""
    return StripeError(message, status=status, kind=kind, code=code, param=param, saved=False)


def bad_parameter(message: str, param: str, code: str | None = None) -> StripeError:
    """A parameter that cannot be read; nothing is kept under the key."""
    return turned_away(message, 400, code=code, param=param)


def missing(kind: str, object_id: str, param: str, *, in_path: bool = False) -> StripeError:
    """No such object: 404 when the path names it, 400 when a parameter does."""
    return StripeError(
        f"No such {kind}: '{object_id}'", status=404 if in_path else 400, code="resource_missing", param=param
    )


def card_error(message: str, code: str, *, decline_code: str | None = None, **more: Any) -> StripeError:
    """A payment that the card's bank or its holder did not let through."""
    declined = {} if decline_code is None else {"decline_code": decline_code}
    return StripeError(message, status=402, kind="card_error", code=code, effects=True, **declined, **more)


def server_error(status: int = 500, *, saved: bool = True) -> StripeError:
    """An error on the provider's side."""
    message = "An unknown error occurred."
    return StripeError(message, status=status, kind="api_error", saved=saved)

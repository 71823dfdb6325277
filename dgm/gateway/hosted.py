"""The upstream that goes through litellm: every provider it knows, by names such as "anthropic/claude-…".

litellm is imported at the first call, for it takes seconds, and so that it fetches no table of prices and reports to
nobody. It reads the providers' keys from the kernel's environment itself; what it says of errors may repeat one, so the
values of all variables that look like keys are blotted out.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from dgm.domain import JSON
from dgm.gateway import Completion, Denied, Fault
from dgm.gateway.faults import completion, from_status, retry_after

_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)


class LitellmUpstream:
    """`base_url` and `key` are for one provider that is reached elsewhere than usual; without, the environment's."""

    def __init__(self, base_url: str = "", key: str = "", *, seconds: float = 600.0) -> None:
        self._options: dict[str, Any] = {"timeout": seconds, "num_retries": 0, "max_retries": 0}
        if base_url:
            self._options["api_base"] = base_url
        if key:
            self._options["api_key"] = key

    def check(self, model: str) -> None:
        """Raises Denied when the environment lacks what the provider of `model` wants, as far as litellm knows it."""
        if self._options.get("api_key") or self._options.get("api_base"):
            return
        _forget_empty_keys()
        missing = _litellm().validate_environment(model)["missing_keys"]
        if missing:
            raise Denied(
                f"{model} needs {' and '.join(missing)} in the environment; set it, or name a server with --model-url"
            )

    def complete(self, request: Mapping[str, JSON]) -> Completion:
        litellm = _litellm()
        try:
            answer = litellm.completion(**request, **self._options, **_without_mcp(request))
        except ImportError as error:
            raise Denied(f"litellm lacks a package for {request['model']!r}: {error}") from None
        except litellm.exceptions.openai.OpenAIError as error:
            raise self._failure(error) from None
        except Exception as error:  # it translates what an agent wrote: what it trips over must not end the run
            raise Fault(f"litellm fails: {type(error).__name__}", billed=True, suspect=True) from error
        # Written and read again: a lone surrogate, which some providers cut a text down to, is escaped like any other.
        return completion(json.dumps(self._blotted(answer.model_dump())).encode())

    def close(self) -> None:
        """Forget the clients that litellm keeps; their connections end with them."""
        if _litellm.cache_info().currsize:
            _litellm().in_memory_llm_clients_cache.flush_cache()

    def _failure(self, error: Any) -> Exception:
        status = getattr(error, "status_code", None)
        wanted = retry_after((getattr(error, "litellm_response_headers", None) or {}).get("retry-after"))
        text = str(self._blotted(str(error)))
        if isinstance(error, _litellm().exceptions.ContextWindowExceededError):
            return from_status(400, '{"error": {"code": "context_length_exceeded", "message": "the context is full"}}')
        if isinstance(error, _litellm().exceptions.openai.APIConnectionError) or status in (None, 500):
            # Under this name litellm also tells of answers that broke off or were none.
            return Fault(f"no answer: {type(error).__name__}: {text[:200]}", billed=True, suspect=True)
        return from_status(status, text, wanted)

    def _blotted(self, value: JSON) -> JSON:
        """`value` without any key in its texts."""
        return _without(
            value, {secret for secret in (self._options.get("api_key", ""), *_secrets()) if len(secret) >= 8}
        )


def _without(value: JSON, secrets: Collection[str]) -> JSON:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, "[key]")
        return value
    if isinstance(value, list):
        return [_without(item, secrets) for item in value]
    if isinstance(value, dict):
        return {key: _without(item, secrets) for key, item in value.items()}
    return value


def _secrets() -> set[str]:
    return {value for name, value in os.environ.items() if _SECRET.search(name)}


def _forget_empty_keys() -> None:
    """A key that is set to nothing is none, and litellm would take it for one."""
    for name in [name for name, value in os.environ.items() if not value and _SECRET.search(name)]:
        del os.environ[name]


def _without_mcp(request: Mapping[str, JSON]) -> Mapping[str, bool]:
    """Some releases import the package `mcp` for every call with tools, though only tools of that kind need it."""
    return {"_skip_mcp_handler": True} if "tools" in request and _imports_mcp() else {}


@functools.cache
def _imports_mcp() -> bool:
    return "_skip_mcp_handler" in Path(_litellm().main.__file__).read_text(encoding="utf-8")


@functools.cache
def _litellm() -> Any:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    litellm: Any = importlib.import_module("litellm")
    litellm.telemetry = False
    litellm.suppress_debug_info = True
    litellm.drop_params = True
    return litellm

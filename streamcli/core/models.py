"""Models by name: what each verb uses by default, and the limits that come with a small embedded one."""

from dataclasses import dataclass

DEFAULT_MODEL = "claude-sonnet-5-5"
# A watcher asks again and again, all day: the small, fast model is the sensible default.
DEFAULT_WATCH_MODEL = "claude-haiku-5-5"

# The API takes a request of 32 MB; input that is larger is refused before it is read to its end.
MAX_MESSAGE_BYTES = 32_000_000


@dataclass(frozen=True)
class Limits:
    """Defaults that depend on the model, in tokens."""

    max_tokens: int
    window_tokens: int


SERVER_LIMITS = Limits(max_tokens=8192, window_tokens=8000)
# The embedded server has 8,192 tokens of context and reads about 100 prompt tokens a second on two cores.
EMBEDDED_LIMITS = Limits(max_tokens=1024, window_tokens=1500)


def is_embedded(model: str) -> bool:
    """`local`, `local:NAME` and `local:FILE.gguf` run on this machine."""
    return model == "local" or model.startswith("local:")


def limits(model: str) -> Limits:
    """The limits that apply where the user sets none."""
    return EMBEDDED_LIMITS if is_embedded(model) else SERVER_LIMITS

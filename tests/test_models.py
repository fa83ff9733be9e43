"""Models by name, and the limits that come with them."""

import pytest

from streamcli.config import AnalyzeSettings, Settings
from streamcli.core.models import EMBEDDED_LIMITS, SERVER_LIMITS, is_embedded, limits


@pytest.mark.parametrize(
    ("model", "embedded"),
    [
        ("local", True),
        ("local:smollm2", True),
        ("local:/tmp/some model.gguf", True),
        ("claude-sonnet-5-5", False),
        ("localhost", False),
        ("my-local", False),
        ("Local", False),
        ("", False),
    ],
)
def test_local_and_what_begins_with_it_and_a_colon_is_embedded(model, embedded):
    assert is_embedded(model) == embedded
    assert limits(model) == (EMBEDDED_LIMITS if embedded else SERVER_LIMITS)


@pytest.mark.parametrize(
    ("model", "max_tokens", "limit"),
    [("claude-x", None, 8192), ("local", None, 1024), ("claude-x", 5, 5), ("local:smollm2", 5, 5)],
)
def test_the_answer_is_limited_by_the_user_or_else_by_the_model(model, max_tokens, limit):
    assert Settings(verb="chat", model=model, max_tokens=max_tokens).answer_limit == limit


@pytest.mark.parametrize(
    ("model", "window_tokens", "limit"),
    [("claude-x", None, 8000), ("local", None, 1500), ("claude-x", 300, 300), ("local", 300, 300)],
)
def test_the_window_is_limited_by_the_user_or_else_by_the_model(model, window_tokens, limit):
    assert AnalyzeSettings(verb="analyze", model=model, window_tokens=window_tokens).window_limit == limit

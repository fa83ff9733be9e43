"""What stands between a model's text and stdout."""

from types import SimpleNamespace

from streamcli.commands.stages import Staging
from streamcli.config import ChatSettings


async def test_on_a_terminal_too_there_is_one_commit_a_write(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    runtime = SimpleNamespace(notes=SimpleNamespace(passage=print, columns=lambda: None), sink=None)
    staging = Staging(SimpleNamespace(stdout_is_terminal=True, **vars(runtime)), ChatSettings(verb="chat", model="a"))
    assert staging.form == "markdown"
    shown = ""
    commits = []

    def commit():
        commits.append(len(shown))

    pipeline = staging.begin(commit).pipeline
    for step in range(1000):
        shown += "".join(map(str, pipeline.feed("four", step / 1000)))
    shown += "".join(map(str, pipeline.flush(1.0)))
    assert "fourfour" in shown
    assert commits[0] == 0  # before anything is shown
    assert len(commits) <= 1000 * 4 // 32 + 1

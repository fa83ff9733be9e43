"""streamcli models fetch: a model's weights, ahead of their first use."""

from streamcli.commands.runtime import Runtime
from streamcli.config import FetchSettings
from streamcli.core.models import is_embedded
from streamcli.edge.progress import FetchBar
from streamcli.errors import UsageError
from streamcli.net.catalogue import CATALOGUE
from streamcli.net.weights import locate


async def fetch(runtime: Runtime, settings: FetchSettings) -> int:
    """Puts the weights into the cache directory, and prints where they are."""
    if not is_embedded(settings.name):
        raise UsageError(f"there is no embedded model {settings.name!r}", f"known: {', '.join(CATALOGUE)}")
    with FetchBar(runtime.notes) as progress:
        path = await locate(settings.name, runtime.notes.notice, progress)
    await runtime.sink.write(str(path).encode("utf-8", "surrogateescape") + b"\n")
    return 0

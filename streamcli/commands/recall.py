"""What of a conversation goes along with a question. What does not is said, once."""

from collections.abc import Sequence
from dataclasses import replace

from streamcli.commands.answer import Notices
from streamcli.core.attachments import check_model, not_text
from streamcli.core.content import Content, words_only
from streamcli.core.history import Bounds, Exchange, conversation
from streamcli.core.models import is_embedded
from streamcli.core.prompt import sendable


class Recall:
    """One for each conversation."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._has_said_what_fell_out = False
        self._has_said_what_is_unread = False

    def messages(
        self, earlier: Sequence[Exchange], question: Content, model: str, before: int, notes: Notices
    ) -> tuple[tuple[str, Content], ...]:
        """Those of a request; `before` is how many exchanges there were before the `earlier` ones.

        Raises InputError for a file of the question that the model cannot read.
        """
        if not isinstance(question, str):
            check_model(question, model)
        if is_embedded(model):
            earlier = self._in_words(earlier, model, notes)
        messages, fell_out = conversation(earlier, question, self._bounds)
        self._say_what_fell_out(before + fell_out, notes)
        return messages

    def _in_words(self, exchanges: Sequence[Exchange], model: str, notes: Notices) -> Sequence[Exchange]:
        """Of images and PDF an embedded model gets the names."""
        names = [name for exchange in exchanges for name in not_text(exchange.question)]
        if names and not self._has_said_what_is_unread:
            self._has_said_what_is_unread = True
            those = ", ".join(dict.fromkeys(names))
            notes.notice(f"{sendable(model)} reads text only: of what went along before it gets the name: {those}")
        return [replace(exchange, question=words_only(exchange.question)) for exchange in exchanges]

    def _say_what_fell_out(self, count: int, notes: Notices) -> None:
        if count and not self._has_said_what_fell_out:
            self._has_said_what_fell_out = True
            those = "1 earlier exchange is" if count == 1 else f"{count} earlier exchanges are"
            notes.detail(f"{those} not sent any more (--max-history, --max-history-tokens)")

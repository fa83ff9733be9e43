"""For plug-ins: what a transform of the text stream is made of.

A package that brings one names, in the entry point group `streamcli.transforms`, a callable without arguments that
makes an object of this shape, one for each answer:

    feed(text, now)   more of the answer, in pieces as they are written, safe for a terminal where the output is one;
                      `now` is in seconds, of a clock that never goes back. "" is a look at the clock. Returns a list
                      of what goes on: text, and remarks.
    deadline()        when `feed` wants to look at the clock again, though no text comes; None for never
    flush()           the same as `feed`, at the end of the answer: all that is still held

A Remark does not go into the text: with -f json it is an event, else a line on stderr.
"""

from streamcli.core.events import Remark
from streamcli.core.pipeline import Stage as Transform

__all__ = ["Remark", "Transform"]

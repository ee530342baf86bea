"""SIGTERM ends a run as Ctrl-C does: what was measured is judged and kept, and the workers are gone.

Schedulers and CI systems send it before they kill. Its default would end the process at once, with scratch files left
behind and no word of what the run had found.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType


class Termination:
    """In force from :meth:`begin` to :meth:`end`, unless somebody else listens to SIGTERM already.

    The first signal raises ``KeyboardInterrupt``, which pytest knows how to end with. Later ones do nothing: CI systems
    send several, and the verdict is being written by then. SIGINT stays as it is, so that Ctrl-C twice breaks off.
    """

    def __init__(self) -> None:
        self.came = False
        self._in_force = False
        self._is_ending = False

    def begin(self) -> None:
        """Listen. Only the main thread may; elsewhere, and beside another handler, nothing is done."""
        if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, self._interrupt)
            self._in_force = True

    def ending(self) -> None:
        """The run has come to its end: a signal from here on only notes that it came."""
        self._is_ending = True

    def end(self) -> None:
        """Put the default back; harmless where it was never replaced, or replaced by somebody else since."""
        if self._in_force and signal.getsignal(signal.SIGTERM) == self._interrupt:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self._in_force = False

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        self.came = True
        if not self._is_ending:
            self._is_ending = True
            raise KeyboardInterrupt("SIGTERM")

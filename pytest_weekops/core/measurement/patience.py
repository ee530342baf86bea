"""How long a session waits for calm launches: in launches while some come, in pauses while a neighbour works. Pure.

Two hundred short launches are over in a fraction of a second, and another program keeps a CPU for seconds: three times
as many launches would only meet it three times as often. So after a few disturbed ones in a row a session pauses and
tries one launch at a time, for so many seconds at most. Nothing of it looks at the measured times.
"""

from __future__ import annotations

from dataclasses import dataclass

PATIENCE = 3  # times what is planned, at which a session gives up waiting for calm launches or pairs
PAUSE_S = 0.1
IN_A_ROW = 8  # disturbed launches or pairs behind which a session pauses
LOOK_S = 1.0  # of waiting, after which somebody asks whether other programs run at all


@dataclass
class Patience:
    """The waiting of one session that has ``planned`` launches, or pairs of turns.

    ``wait_s`` are the seconds for which it may wait: its pauses, and the launches that only try. ``waited_s`` are those
    that it did.
    """

    planned: int
    wait_s: float = 0.0
    calm: int = 0
    taken: int = 0
    waited_s: float = 0.0
    _in_a_row: int = 0
    _trying: bool = False

    @property
    def may_be_last(self) -> bool:
        """Whether the next launch ends the session, should it be calm."""
        return self.calm >= self.planned - 1 or self.taken >= PATIENCE * self.planned - 1

    @property
    def is_over(self) -> bool:
        """Whether enough were calm, or nothing more may be waited for."""
        return self.calm >= self.planned or self.taken >= PATIENCE * self.planned

    @property
    def pause_s(self) -> float:
        """Seconds to sleep before the next launch; 0 where it comes at once."""
        is_due = self._in_a_row >= IN_A_ROW and self.waited_s < self.wait_s
        return min(PAUSE_S, self.wait_s - self.waited_s) if is_due else 0.0

    def paused(self, seconds: float) -> None:
        """A pause of so many seconds is over: what comes next tries whether the neighbour is gone."""
        self.waited_s += seconds
        self._trying = True

    def note(self, calm: list[bool], seconds: float) -> None:
        """Launches were taken in so many seconds: of each in order, whether it was calm.

        Those behind a pause do not count towards the most that a session takes; their time does as waiting.
        """
        if self._trying:
            self.waited_s += seconds
        else:
            self.taken += len(calm)
        self._trying = False
        for each in calm:
            self.calm += each
            self._in_a_row = 0 if each else self._in_a_row + 1

    def give_up(self) -> None:
        """Waiting is in vain: no pause comes any more."""
        self.wait_s = self.waited_s

"""All that the handlers of one channel have to do, from an event's arrival to its position. Floor 4: pure.

No clock, no chance, no I/O of its own: `now` (seconds of any monotonic clock) goes in, runs and effects come
out (`effects.py`), and `deadline` says when time alone brings the next run. Never raises on what a server
sends. It sets no bound to what is in flight and is fair to the handlers of its channel only: both for all
channels is the business of whoever asks for runs.

    arrived -> tracker (a re-delivery ends here) -> each handler's line -> next -> Run
    ended   -> handled, tried again, or given up -> done by all handlers -> tracker -> Mark
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from nameko_salesforce.bayeux.messages import Delivery
from nameko_salesforce.bayeux.outcomes import Outcome
from nameko_salesforce.events import creation_of, replay_id_of
from nameko_salesforce.replay.position import Position, ReplayId
from nameko_salesforce.replay.tracker import Mark, Ticket, Tracker
from nameko_salesforce.streaming.effects import DeadLettered, Dropped, Effect, Run
from nameko_salesforce.streaming.handling import Arrival, HandlerOptions, Handling

__all__ = ['ChannelWork', 'Numbers']


@dataclass(frozen=True, slots=True)
class Numbers:
    """A channel's work at a moment. Where not said otherwise an event counts once for each handler.

    Attributes:
        unfinished: events, each once, that some handler is not done with.
        waiting: not tried yet.
        in_flight: under way.
        retrying: to be tried again, or waiting for such of their batch.
        letters: dead letters that are not stored yet.
        handled, dead_letters, skipped: so far.
        retries: attempts so far that failed and were not the last.
        dropped: events so far that were re-deliveries, or passed over.
        stopped: the outcome that stopped it, of each handler that is stopped.
    """

    unfinished: int
    waiting: int
    in_flight: int
    retrying: int
    letters: int
    handled: int
    dead_letters: int
    skipped: int
    retries: int
    dropped: int
    stopped: Mapping[str, Outcome]


class ChannelWork:
    """The events of one channel that are not done.

    Invariants:
        - An event that was taken on is waiting, under way, to be tried again, a letter to be stored, or done.
        - An event is done for the tracker when all handlers are done with it.

    Args:
        handlers: of the service on this channel, at least one.
        committed: where the process began; None where nothing was known.
        draw: gives a random number in [0, 1), for jitter.
        window: see `Tracker`.

    Attributes:
        characters: of the text of the events that are unfinished.

    Raises:
        ValueError: there is no handler, or two have one name.
    """

    def __init__(
        self,
        handlers: Sequence[HandlerOptions],
        committed: Position | None,
        draw: Callable[[], float],
        *,
        window: int = 1000,
    ) -> None:
        if not handlers:
            raise ValueError('a channel without handlers has no work')
        self._handlings = {each.name: Handling(each, draw) for each in handlers}
        if len(self._handlings) != len(handlers):
            raise ValueError(f'handlers of one name: {[each.name for each in handlers]}')
        self._turns = list(self._handlings.values())
        self._tracker = Tracker(committed, window=window)
        self._committed = self._tracker.committable
        self._unfinished: dict[Arrival, None] = {}  # of the stream
        self._reruns: set[Arrival] = set()
        self._letters: set[DeadLettered] = set()
        self.characters = 0.0
        self._dropped = 0

    # --- what can be seen ------------------------------------------------------------------------

    @property
    def received(self) -> ReplayId | None:
        """The id to subscribe from again inside this process."""
        return self._tracker.received

    @property
    def committable(self) -> Mark | None:
        """The last event with everything up to it done."""
        return self._tracker.committable

    @property
    def deadline(self) -> float | None:
        """When time alone brings the next run; of meaning while `next` gives none. None: never."""
        times = (each.deadline for each in self._turns)
        return min((each for each in times if each is not None), default=None)

    @property
    def unfinished(self) -> int:
        """Events that some handler is not done with: what memory grows with, together with `characters`."""
        return len(self._unfinished) + len(self._reruns)

    @property
    def oldest(self) -> Arrival | None:
        """The first of them to arrive from the stream."""
        return next(iter(self._unfinished), None)

    def numbers(self) -> Numbers:
        """For a status; costs more than a look at one of them."""
        turns = self._turns
        return Numbers(
            unfinished=self.unfinished,
            waiting=sum(each.waiting for each in turns),
            in_flight=sum(each.running for each in turns),
            retrying=sum(each.retrying for each in turns),
            letters=len(self._letters),
            handled=sum(each.handled for each in turns),
            dead_letters=sum(each.dead_letters for each in turns),
            skipped=sum(each.skipped for each in turns),
            retries=sum(each.retries for each in turns),
            dropped=self._dropped,
            stopped={each.name: each.stopped for each in turns if each.stopped is not None},
        )

    # --- the stream ------------------------------------------------------------------------------

    def begin(self, committed: Position | None) -> None:
        """Learn where the process began, before anything has arrived."""
        self._tracker.begin(committed)
        self._committed = self._tracker.committable

    def arrived(
        self,
        events: Sequence[Delivery],
        now: float,
        *,
        provisional: bool = False,
        characters: float = 0,
    ) -> Sequence[Effect]:
        """Take events on, in the order of arrival.

        Args:
            provisional: see `Tracker.arrived`.
            characters: of the text that each was in.
        """
        turns = self._turns
        effects: list[Effect] = []
        arrivals: list[Arrival] = []
        for event in events:
            data = event.data
            arrival = Arrival(event, replay_id_of(data), creation_of(data), now, len(turns), characters)
            if self._tracker.arrived(arrival, provisional=provisional):
                arrivals.append(arrival)
            else:
                self._dropped += 1
                effects += [Dropped(event), *self.moved()]
        self._unfinished.update(dict.fromkeys(arrivals))
        return effects + self._take_on(arrivals, turns, now)

    def pass_over(self, event: Delivery, *, provisional: bool = False) -> Sequence[Effect]:
        """Take an event for done that no handler of this process needs to see, in the order of arrival."""
        ticket = Ticket(replay_id_of(event.data), creation_of(event.data))
        if self._tracker.arrived(ticket, provisional=provisional):
            self._tracker.done(ticket)
        self._dropped += 1
        return [Dropped(event), *self.moved()]

    def again(self, event: Delivery, handler: str, now: float) -> Arrival:
        """Have one handler run an event that is past, such as a dead letter: no position waits for it.

        Returns:
            What knows whether that is over: `unfinished` is 0 then. A new dead letter belongs to it.
        Raises:
            KeyError: there is no such handler.
        """
        turn = self._handlings[handler]
        arrival = Arrival(event, None, None, now, 1, 0)
        self._tracker.arrived(arrival)
        self._reruns.add(arrival)
        self._take_on([arrival], [turn], now)
        return arrival

    def _take_on(self, arrivals: Sequence[Arrival], turns: Sequence[Handling], now: float) -> list[Effect]:
        for arrival in arrivals:
            self.characters += arrival.characters
        effects: list[Effect] = []
        for each in turns:
            effects += each.add(arrivals, now)
        return effects

    def mixed(self) -> None:
        """Provisional events came on both lanes: see `Tracker.mixed`."""
        self._tracker.mixed()

    def poll_answered(self) -> Sequence[Effect]:
        """The outstanding poll was answered and its events have arrived."""
        self._tracker.poll_answered()
        return self.moved()

    def poll_lost(self) -> Sequence[Effect]:
        """The outstanding poll failed; `received` is where to subscribe from."""
        self._tracker.poll_lost()
        return self.moved()

    def skipped_ahead(self) -> Sequence[Effect]:
        """The channel was resumed at new events only: see `Tracker.skipped_ahead`."""
        self._tracker.skipped_ahead()
        return self.moved()

    # --- runs ------------------------------------------------------------------------------------

    def next(self, now: float) -> Run | None:
        """The next attempt to be made, of the handlers in turn. None where there is none now."""
        turns = self._turns
        for number, each in enumerate(turns):
            run = each.next(now)
            if run is not None:
                if len(turns) > 1:
                    turns[:] = [*turns[number + 1 :], *turns[: number + 1]]
                return run
        return None

    def ended(self, run: Run, outcome: Outcome, now: float) -> Sequence[Effect]:
        """Say how an attempt ended; a second word about the same one is ignored.

        Whether a position has moved by that `moved` says: several may have ended.
        """
        effects: list[Effect] = []
        for place in self._handlings[run.handler].ended(run, outcome, now, effects):
            self._finish(place.content)
        for each in effects:
            if isinstance(each, DeadLettered):
                self._letters.add(each)
        return effects

    def letter_stored(self, letter: DeadLettered) -> Sequence[Effect]:
        """A dead letter is kept: the position may pass its event. More than once is harmless."""
        if letter in self._letters:
            self._letters.discard(letter)
            self._finish(letter._arrival)
        return self.moved()

    def resume(self) -> None:
        """Start the handlers that are stopped with the event that failed."""
        for each in self._turns:
            each.resume()

    def _finish(self, arrival: Arrival) -> None:
        arrival.unfinished -= 1
        if not arrival.unfinished:
            self._unfinished.pop(arrival, None)
            self._reruns.discard(arrival)
            self.characters -= arrival.characters
            self._tracker.done(arrival)

    def moved(self) -> Sequence[Effect]:
        """A mark, where the last one that was given is not the newest any more."""
        committable = self._tracker.committable
        if committable is self._committed or committable is None:
            return ()
        self._committed = committable
        return (committable,)

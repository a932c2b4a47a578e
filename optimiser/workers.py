"""Work dealt out to processes of this machine, or to a Dask cluster: what each piece gives, in the order of finishing.

Processes and not threads: part of a search runs in Python, which only one thread at a time may.
A worker that is killed loses nothing: what it had in hand is given to another.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from typing import Any, TypeVar

from optimiser.clock import never
from optimiser.errors import OutputError, Problem

PATIENCE = 0.5  # seconds between two looks at whether somebody asked to stop
LIVES = 10  # times that a piece of work is given out again when its worker dies: more often, and it is the work's fault
RETRIES = 2  # of a piece of work that a cluster says has failed
K = TypeVar("K")
R = TypeVar("R")
Task = Callable[[Any, Any], R]  # (what is common to all, its own part)


def processors() -> int:
    """How many this program may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def on_processes(
    task: Task[R], common: object, parts: Mapping[K, object], jobs: int, stop: Callable[[], bool] = never
) -> Iterator[tuple[K, R]]:
    """Each part's key with what `task(common, part)` gives, on `jobs` processes; no more once `stop` says True: what is
    in hand then is dropped. Raises what a task raises, and OutputError where workers die again and again."""
    left, died = dict(parts), 0
    while left and not stop():
        before = set(multiprocessing.active_children())
        pool = _pool(task, common, min(jobs, len(left)))
        try:
            futures = {pool.submit(_do, part): key for key, part in left.items()}
            for future in _as_done(futures, stop):
                key = futures[future]
                found = future.result()
                del left[key]
                yield key, found
        except BrokenProcessPool:
            died += 1
            if died > LIVES:
                raise _dying(died) from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in set(multiprocessing.active_children()) - before:
                child.terminate()


def in_turn(
    task: Task[R], common: object, parts: Mapping[K, object], stop: Callable[[], bool] = never
) -> Iterator[tuple[K, R]]:
    """As `on_processes`, in this very process."""
    for key, part in parts.items():
        found = None if stop() else task(common, part)
        if found is None or stop():
            return
        yield key, found


def on_cluster(
    task: Task[R], common: object, parts: Mapping[K, object], address: str, stop: Callable[[], bool] = never
) -> Iterator[tuple[K, R]]:
    """As `on_processes`, on the Dask cluster whose scheduler is at the address; its workers need this program at the
    same version. Raises OutputError where there is no such cluster or no `distributed`."""
    try:
        from distributed import Client, KilledWorker
        from distributed.client import FutureCancelledError
        from distributed.client import wait as wait_for
    except ImportError:
        mend = 'Install it: pip install "consortia[dask]".'
        raise OutputError(Problem("needs the library distributed", "--scheduler", mend=mend)) from None
    try:
        client = Client(address, timeout=10)
    except (OSError, ValueError) as fault:
        mend = "Start one with `dask scheduler`, or give its address as it prints it: tcp://…:8786."
        raise OutputError(Problem(f"no cluster answers at {address}: {fault}", "--scheduler", mend=mend)) from fault
    pickled = pickle.dumps(common)
    shared: Any = None
    with client:

        def give(key: K) -> Any:
            return client.submit(_unpacked, task, packed(), parts[key], pure=False, retries=RETRIES)

        def packed() -> Any:
            """What is common, as a task of its own and not scattered: the cluster makes it again where it is lost."""
            nonlocal shared
            if shared is None or shared.status in ("error", "cancelled", "lost"):
                shared = client.submit(bytes, pickled, pure=False, retries=RETRIES)
            return shared

        futures = {give(key): key for key in parts}
        died = dict.fromkeys(parts, 0)
        while futures and not stop():
            try:
                done = wait_for(list(futures), timeout=PATIENCE, return_when="FIRST_COMPLETED").done
            except TimeoutError:
                continue
            for future in done:
                key = futures.pop(future)
                try:
                    found = future.result()
                except (KilledWorker, FutureCancelledError):
                    died[key] += 1
                    if died[key] > LIVES:
                        raise _dying(died[key]) from None
                    futures[give(key)] = key
                else:
                    yield key, found
        client.cancel(list(futures))


def _as_done(futures: Mapping[Future[R], object], stop: Callable[[], bool]) -> Iterator[Future[R]]:
    waiting = set(futures)
    while waiting and not stop():
        done, waiting = wait(waiting, PATIENCE, FIRST_COMPLETED)
        yield from done


def _pool(task: Task[R], common: object, jobs: int) -> ProcessPoolExecutor:
    fresh = multiprocessing.get_context("spawn")  # a fork would copy threads that compiled code holds
    return ProcessPoolExecutor(jobs, mp_context=fresh, initializer=_begin, initargs=(task, common))


def _begin(task: Task[Any], common: object) -> None:
    """A worker begins: it leaves Ctrl-C to its parent, works in one thread, and keeps what is common."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _one_thread()
    _held()[:] = [task, common]


def _do(part: object) -> Any:
    task, common = _held()
    return task(common, part)


@cache
def _held() -> list[Any]:
    """What a worker process keeps between pieces of work."""
    return []


def _unpacked(task: Task[R], packed: bytes, part: object) -> R:
    _one_thread()
    return task(pickle.loads(packed), part)


def _one_thread() -> None:
    import numba

    numba.set_num_threads(1)


def _dying(times: int) -> OutputError:
    mend = "Look whether memory runs out; give fewer --jobs. What is done is kept."
    return OutputError(Problem(f"a worker died, {times} times", "", "A piece of work is given out again.", mend))

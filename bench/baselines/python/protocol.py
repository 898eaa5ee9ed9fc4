"""The protocol of ../protocol.ts for contestants in Python.

An engine has build(), prepare(), run(), which leaves the first output in `buffer`, and fresh(), which makes a new one.
It may have pipeline(count), write() and read(), and open(suite, folder).
"""

import functools
import json
import sys
import time

import numpy


def read_suite():
    """The suite of the command line."""
    return sys.argv[1]


def read_job():
    """The threads, the device and the folder of the command line."""
    _, threads, device, folder = sys.argv[1:]
    return int(threads), device, folder


def read_inputs(folder, shapes):
    """The inputs of the job as arrays."""
    return [numpy.fromfile(f"{folder}/input_{i}.bin", numpy.float32).reshape(shape) for i, shape in enumerate(shapes)]


def carry_out(name, engine):
    """Greets, and carries out commands until there are no more."""
    has = functools.partial(hasattr, engine)
    say({"engine": name, "fresh": True, "transfers": has("write"), "opens": has("open")})
    built = False
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        if command == "build":
            answer = timed(engine.build, 1)
            if not built:
                engine.prepare()
                built = True
        elif command == "open":
            engine.open(*argument.split(" ", 1))
            built, answer = False, {}
        elif command == "pipeline" and has("pipeline"):
            answer = timed(lambda: engine.pipeline(int(argument)), 1, int(argument))
        elif command in ("run", "pipeline"):
            answer = timed(engine.run, int(argument))
        elif command in ("write", "read"):
            answer = timed(getattr(engine, command), int(argument))
        elif command == "fresh":
            answer = timed(engine.fresh, int(argument))
        elif command == "output":
            engine.buffer.tofile(argument)
            answer = {}
        else:
            raise ValueError(f"there is no command {command}")
        say(answer)


def serve(name, engine):
    """Greets, and carries out commands until there are no more. An error ends it with one line."""
    try:
        carry_out(name, engine)
    except Exception as error:  # noqa: BLE001: whatever it is, the report shows the first line
        sys.exit(f"{type(error).__name__}: {error}")


def timed(work, count, parts=1):
    """The mean time of so many calls, each of which does so many parts."""
    began = time.perf_counter()
    for _ in range(count):
        work()
    return {"milliseconds": (time.perf_counter() - began) * 1e3 / count / parts}


def say(answer):
    print(json.dumps(answer), flush=True)

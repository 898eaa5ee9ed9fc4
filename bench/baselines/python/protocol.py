"""The protocol of ../protocol.ts for contestants in Python.

An engine has build(), prepare(), run(), which copies the first output to `buffer`, and fresh(), which copies it to a
new buffer. It may have pipeline(count), write() and read(), and open(suite, folder).
"""

import functools
import json
import sys
import time

import numpy


def read_suite():
    """The suite in the arguments."""
    return sys.argv[1]


def read_job():
    """The threads, the device and the folder in the arguments."""
    _, threads, device, folder = sys.argv[1:]
    return int(threads), device, folder


def read_inputs(folder, shapes):
    """The inputs of the job as arrays."""
    return [numpy.fromfile(f"{folder}/input_{i}.bin", numpy.float32).reshape(shape) for i, shape in enumerate(shapes)]


def execute(name, engine):
    """Greets, then executes commands until standard input ends."""
    has = functools.partial(hasattr, engine)
    reply({"engine": name, "fresh": True, "transfers": has("write"), "opens": has("open")})
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
            raise ValueError(f"unknown command {command}")
        reply(answer)


def serve(name, engine):
    """Like execute(), but an error ends the process with a one-line message."""
    try:
        execute(name, engine)
    except Exception as error:  # noqa: BLE001: the report shows the first line of any error
        sys.exit(f"{type(error).__name__}: {error}")


def timed(work, count, parts=1):
    """The mean time of one of `parts` equal parts of a call, over `count` calls."""
    began = time.perf_counter()
    for _ in range(count):
        work()
    return {"milliseconds": (time.perf_counter() - began) * 1e3 / count / parts}


def reply(answer):
    print(json.dumps(answer), flush=True)

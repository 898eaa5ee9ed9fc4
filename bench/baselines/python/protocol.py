"""The protocol of ../protocol.ts for contestants in Python.

An engine has build(), prepare(), run(), which leaves the first output in `buffer`, and fresh(), which makes a new one.
"""

import json
import sys
import time

import numpy


def read_job():
    """The threads, the device and the folder of the command line."""
    _, threads, device, folder = sys.argv[1:]
    return int(threads), device, folder


def read_inputs(folder, shapes):
    """The inputs of the job as arrays."""
    return [numpy.fromfile(f"{folder}/input_{i}.bin", numpy.float32).reshape(shape) for i, shape in enumerate(shapes)]


def serve(name, engine):
    """Greets, and carries out commands until there are no more."""
    say({"engine": name, "fresh": True})
    built = False
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        if command == "build":
            answer = timed(engine.build, 1)
            if not built:
                engine.prepare()
                built = True
        elif command in ("run", "pipeline"):
            answer = timed(engine.run, int(argument))
        elif command == "fresh":
            answer = timed(engine.fresh, int(argument))
        elif command == "output":
            engine.buffer.tofile(argument)
            answer = {}
        else:
            raise ValueError(f"there is no command {command}")
        say(answer)


def timed(work, count):
    """The mean time of so many calls."""
    began = time.perf_counter()
    for _ in range(count):
        work()
    return {"milliseconds": (time.perf_counter() - began) * 1e3 / count}


def say(answer):
    print(json.dumps(answer), flush=True)

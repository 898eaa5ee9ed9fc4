"""Load test of server.py with one replica and with two, one of which it kills: python check.py

Prints requests/s for one and for two replicas. For the kill, prints how many requests failed, and the time until there
were two replicas again. WEBNN_MODELS must name squeezenet.onnx, and WEBNN_SERVE the server's command, as for server.py.
"""

import http.client
import json
import os
import signal
import threading
import time
import urllib.error
import urllib.request

import numpy as np
import psutil
import ray
from ray import serve
from server import WebNN

CONNECTIONS, SECONDS = 16, 15
URL = "http://127.0.0.1:8000"


def body():
    data = np.random.default_rng(1).standard_normal((1, 3, 224, 224), np.float32).tobytes()
    tensor = {
        "name": "data",
        "datatype": "FP32",
        "shape": [1, 3, 224, 224],
        "parameters": {"binary_data_size": len(data)},
    }
    head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    return head + data, {"inference-header-content-length": str(len(head))}


def load(seconds):
    """Starts connections that send requests for some seconds. Returns the threads, and the lists that they fill:
    the times of the answers, and the time and message of each failure."""
    content, headers = body()
    end, answers, failures = time.time() + seconds, [], []

    def connection():
        while time.time() < end:
            request = urllib.request.Request(f"{URL}/v2/models/squeezenet/infer", content, headers)
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    answer.read()
                answers.append(time.time())
            except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
                failures.append((time.time(), str(error)))

    threads = [threading.Thread(target=connection) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    return threads, answers, failures


def deploy(replicas):
    serve.run(WebNN.options(autoscaling_config=None, num_replicas=replicas).bind())


def replicas():
    """The process ids of the replicas."""
    return [process.pid for process in psutil.process_iter() if process.name().startswith("ray::ServeReplica")]


def is_restored(killed):
    states = serve.status().applications["default"].deployments["WebNN"].replica_states
    return states == {"RUNNING": 2} and killed not in replicas() and len(replicas()) == 2


def main():
    ray.init(num_cpus=4, include_dashboard=False, logging_level="error")
    for count in (1, 2):
        deploy(count)
        threads, answers, failures = load(SECONDS)
        for thread in threads:
            thread.join()
        print(f"{count} replicas: {len(answers) / SECONDS:.1f} requests/s, {len(failures)} failures", flush=True)
    threads, answers, failures = load(2 * SECONDS)
    time.sleep(5)
    victim = replicas()[0]
    killed = time.time()
    os.kill(victim, signal.SIGKILL)
    while not is_restored(victim):
        time.sleep(0.2)
    restored = time.time() - killed
    for thread in threads:
        thread.join()
    last = max((at - killed for at, _ in failures), default=0)
    print(f"one of two replicas killed: {len(answers)} answers, {len(failures)} failures, the last {last:.1f} s after the kill")
    print(f"two replicas again after {restored:.1f} s", *{text for _, text in failures}, sep="\n")
    serve.shutdown()


main()

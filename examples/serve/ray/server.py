"""`webnn serve` as a deployment of Ray Serve: serve run server:app

Each replica starts its own server and forwards requests to it. Ray adapts the number of replicas to the requests in
flight, replaces replicas whose health check fails, and lets old replicas finish their requests on an update.
WEBNN_MODELS names the models, separated by commas; WEBNN_SERVE is the command that starts the server.
"""

import asyncio
import ctypes
import os
import shlex
import signal
import socket
import subprocess
import sys

import httpx
from ray import serve
from starlette.requests import Request
from starlette.responses import Response

COMMAND = os.environ.get("WEBNN_SERVE", "deno run -A jsr:@webnn/cli serve")
MODELS = [model for model in os.environ.get("WEBNN_MODELS", "").split(",") if model]
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "host", "content-length"}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def end_with_parent():
    """On Linux, makes the kernel end the server when its replica is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


@serve.deployment(
    max_ongoing_requests=32,
    autoscaling_config={"min_replicas": 1, "max_replicas": 4, "target_ongoing_requests": 8},
    health_check_period_s=2,
    health_check_timeout_s=10,
    graceful_shutdown_timeout_s=30,
)
class WebNN:
    async def __init__(self):
        if not MODELS:
            raise ValueError("WEBNN_MODELS must name the models, separated by commas")
        port = free_port()
        args = [*shlex.split(COMMAND), *MODELS, "--port", str(port)]
        self.child = subprocess.Popen(args, stdout=subprocess.DEVNULL, preexec_fn=end_with_parent)
        self.client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60)
        while not await self.is_ready():
            if self.child.poll() is not None:
                raise RuntimeError(f"{args[0]} ended with {self.child.returncode}")
            await asyncio.sleep(0.1)

    async def is_ready(self):
        try:
            return (await self.client.get("/v2/health/ready")).status_code == 200
        except httpx.TransportError:
            return False

    async def check_health(self):
        if not await self.is_ready():
            raise RuntimeError("the server is not ready")

    async def __call__(self, request: Request) -> Response:
        headers = {name: value for name, value in request.headers.items() if name not in HOP_BY_HOP}
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        sent = self.client.build_request(request.method, path, headers=headers, content=await request.body())
        answer = await self.client.send(sent, stream=True)
        body = b"".join([part async for part in answer.aiter_raw()])
        kept = {name: value for name, value in answer.headers.items() if name not in HOP_BY_HOP}
        return Response(body, answer.status_code, headers=kept)

    def __del__(self):
        if hasattr(self, "child"):
            self.child.terminate()
            self.child.wait()


app = WebNN.bind()

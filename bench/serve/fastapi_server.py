"""A minimal server with onnxruntime and FastAPI: python fastapi_server.py PORT MODEL...

It supports only binary tensors of the Open Inference Protocol.
"""

import json
import pathlib
import sys

import numpy as np
import onnxruntime
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

TYPES = {"FP32": np.float32, "INT64": np.int64}
port, *files = sys.argv[1:]
sessions = {pathlib.Path(file).stem: onnxruntime.InferenceSession(file) for file in files}
app = FastAPI()


@app.get("/v2/health/ready")
async def ready():
    return {"ready": True}


@app.post("/v2/models/{name}/infer")
async def infer(name: str, request: Request):
    body = await request.body()
    at = int(request.headers["inference-header-content-length"])
    feeds = {}
    for tensor in json.loads(body[:at])["inputs"]:
        size = tensor["parameters"]["binary_data_size"]
        dtype = np.dtype(TYPES[tensor["datatype"]])
        feeds[tensor["name"]] = np.frombuffer(body, dtype, size // dtype.itemsize, at).reshape(tensor["shape"])
        at += size
    session = sessions[name]
    results = await run_in_threadpool(session.run, None, feeds)
    outputs = [
        {
            "name": port.name,
            "datatype": "FP32",
            "shape": result.shape,
            "parameters": {"binary_data_size": result.nbytes},
        }
        for port, result in zip(session.get_outputs(), results)
    ]
    head = json.dumps({"model_name": name, "model_version": "1", "outputs": outputs}).encode()
    headers = {"inference-header-content-length": str(len(head))}
    return Response(b"".join([head, *(result.tobytes() for result in results)]), headers=headers)


uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning")

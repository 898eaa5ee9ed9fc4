"""Clients that others wrote, against a server: python clients.py URL

The server has a model for each data type, named as NumPy names it, that gives back its input x of shape [n, 2] as y, and
`log`, the logarithm. Each check prints a line; the status is 1 if one failed.
"""

import asyncio
import sys

import numpy as np
import tritonclient.http as triton
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from tritonclient.utils import InferenceServerException

URL = sys.argv[1]
VALUES = {
    "float32": [[1.5, -2.25], [3.4e38, 1e-45]],
    "float16": [[1.5, -2.25], [65504, 6e-8]],
    "float64": [[0.5, -2.25], [1024, 0]],
    "int8": [[-128, 127], [0, 1]],
    "uint8": [[0, 255], [1, 2]],
    "int32": [[-(2**31), 2**31 - 1], [0, 1]],
    "uint32": [[0, 2**32 - 1], [1, 2]],
    "int64": [[-(2**63), 2**63 - 1], [2**53 + 1, 0]],
    "uint64": [[0, 2**64 - 1], [2**53 + 1, 1]],
    "bool": [[True, False], [False, True]],
}
NAMES = {
    "float32": "FP32", "float16": "FP16", "float64": "FP64", "int8": "INT8", "uint8": "UINT8", "int32": "INT32",
    "uint32": "UINT32", "int64": "INT64", "uint64": "UINT64", "bool": "BOOL",
}  # fmt: skip
failed = 0


def check(name, passed, detail=""):
    global failed
    failed += not passed
    print(f"{'passed' if passed else 'FAILED'}: {name}{'' if passed else f': {detail}'}")


def same(a, b):
    return a is not None and a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def refused(name, call, status=b"400"):
    try:
        check(name, False, f"answered {call()}")
    except InferenceServerException as error:
        check(name, error.status() == status.decode(), f"{error.status()} {error.message()}")


def of_triton():
    client = triton.InferenceServerClient(URL.removeprefix("http://"))
    check("triton: live, ready", client.is_server_live() and client.is_server_ready())
    check("triton: server metadata", "binary_tensor_data" in client.get_server_metadata()["extensions"])
    for model, values in VALUES.items():
        name = NAMES[model]
        array = np.array(values, model)
        check(f"triton: {name}: ready", client.is_model_ready(model) and client.is_model_ready(model, "1"))
        ports = client.get_model_metadata(model)["inputs"]
        check(f"triton: {name}: metadata", ports == [{"name": "x", "datatype": name, "shape": [-1, 2]}], ports)
        for is_binary in (True, False):
            if name == "FP16" and not is_binary:
                continue  # The client refuses float16 in JSON.
            given = triton.InferInput("x", array.shape, name)
            given.set_data_from_numpy(array, binary_data=is_binary)
            asked = triton.InferRequestedOutput("y", binary_data=is_binary)
            how = "binary" if is_binary else "JSON"
            for codec in (None, "gzip", "deflate"):
                result = client.infer(
                    model, [given], outputs=[asked], request_id="7", request_compression_algorithm=codec,
                    response_compression_algorithm=codec,
                )  # fmt: skip
                passed = same(result.as_numpy("y"), array) and result.get_response()["id"] == "7"
                check(f"triton: {name}: {how}, {codec or 'plain'}", passed, result.get_response())
        result = client.infer(model, [given])
        check(f"triton: {name}: all outputs", same(result.as_numpy("y"), array), result.get_response())
    of_triton_errors(client)
    client.close()


def of_triton_errors(client):
    def infer(model, datatype, array, name="x", output="y", **options):
        given = triton.InferInput(name, array.shape, datatype)
        given.set_data_from_numpy(array)
        return client.infer(model, [given], outputs=[triton.InferRequestedOutput(output)], **options).get_response()

    row = np.ones((1, 2), np.float32)
    refused("triton: an unknown model", lambda: infer("none", "FP32", row), b"404")
    refused("triton: an unknown version", lambda: infer("float32", "FP32", row, model_version="2"), b"404")
    refused("triton: an unknown input", lambda: infer("float32", "FP32", row, name="z"))
    refused("triton: an unknown output", lambda: infer("float32", "FP32", row, output="z"))
    refused("triton: a wrong shape", lambda: infer("float32", "FP32", np.ones((1, 3), np.float32)))
    refused("triton: no rows", lambda: infer("float32", "FP32", np.ones((0, 2), np.float32)))
    refused("triton: another type", lambda: infer("float32", "INT32", np.ones((1, 2), np.int32)))
    for datatype in ("INT16", "UINT16"):
        refused(f"triton: {datatype}", lambda: infer("int32", datatype, np.ones((1, 2), datatype.lower())))
    refused("triton: BYTES", lambda: infer("uint8", "BYTES", np.array([[b"a", b"b"]], np.object_)))
    check("triton: the next request", infer("float32", "FP32", row)["model_name"] == "float32")


async def of_kserve():
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    check("kserve: live", await client.is_server_live(URL) is True)
    check("kserve: ready", await client.is_server_ready(URL) is True)
    for model, values in VALUES.items():
        name = NAMES[model]
        array = np.array(values, model)
        check(f"kserve: {name}: ready", await client.is_model_ready(URL, model) is True)
        for is_binary in (True, False):
            if name == "FP16" and not is_binary:
                continue  # The client refuses float16 in JSON.
            given = InferInput("x", list(array.shape), name)
            given.set_data_from_numpy(array, binary_data=is_binary)
            request = InferRequest(model, [given], request_id="7", parameters={"binary_data_output": is_binary})
            answer = await client.infer(URL, request, model_name=model)
            result = answer.outputs[0].as_numpy()
            check(f"kserve: {name}: {'binary' if is_binary else 'JSON'}", same(result, array), (result, array))
            check(f"kserve: {name}: id", answer.id == "7", answer.id)
    given = InferInput("x", [1, 2], "FP32")
    given.set_data_from_numpy(np.array([[-1, 0]], np.float32), binary_data=False)
    try:
        await client.infer(URL, InferRequest("log", [given]), model_name="log")
        check("kserve: NaN in JSON", False, "answered")
    except Exception as error:
        check("kserve: NaN in JSON", "has NaN at 0" in str(error), error)
    await client.close()


of_triton()
asyncio.run(of_kserve())
sys.exit(failed > 0)

"""Checks the models of a folder with onnx.checker and runs them with onnxruntime.

Usage: verify_export.py FOLDER

FOLDER/cases.json lists the cases: their model, and the inputs as bytes in base64. What comes out is written to
FOLDER/results.json, in the same order: the outputs as bytes in base64, or an error.
"""
import base64
import json
import sys

import numpy
import onnx
import onnxruntime


def feeds(inputs):
    return {
        each["name"]: numpy.frombuffer(base64.b64decode(each["bytes"]), each["dataType"]).reshape(each["shape"])
        for each in inputs
    }


def run(path, case):
    onnx.checker.check_model(onnx.load(path), full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_outputs()]
    if case["isChecked"]:
        return {"names": names, "inputs": [each.name for each in session.get_inputs()]}
    values = session.run(None, feeds(case["inputs"]))
    return {
        "names": names,
        "inputs": [each.name for each in session.get_inputs()],
        "outputs": {
            name: base64.b64encode(numpy.ascontiguousarray(value).tobytes()).decode()
            for name, value in zip(names, values)
        },
    }


def main(folder):
    with open(f"{folder}/cases.json") as file:
        cases = json.load(file)
    results = []
    for case in cases:
        try:
            results.append(run(f"{folder}/{case['model']}", case))
        except Exception as error:  # whatever either library says
            results.append({"error": " ".join(str(error).split())})
    with open(f"{folder}/results.json", "w") as file:
        json.dump({"onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__, "results": results}, file)


main(sys.argv[1])

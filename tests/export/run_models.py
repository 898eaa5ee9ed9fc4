"""Checks models with onnx.checker and runs them with onnxruntime.

Usage: run_models.py FOLDER

FOLDER/models.json lists the models: their files, and the bytes of the inputs in base64. The results are written to
FOLDER/results.json, in the same order: the bytes of the outputs in base64, or an error. If a model has a reference, the
reference is run too, and the outputs of both are converted to float64.
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


def open_session(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def compute(session, inputs, data_type=None):
    names = [each.name for each in session.get_outputs()]
    # An exported model lacks the inputs that determine shapes: the export turns them into constants.
    known = [each.name for each in session.get_inputs()]
    inputs = [each for each in inputs if each["name"] in known]
    return {
        name: base64.b64encode(numpy.ascontiguousarray(value, data_type or value.dtype).tobytes()).decode()
        for name, value in zip(names, session.run(None, feeds(inputs)))
    }


def run(model):
    onnx.checker.check_model(onnx.load(model["model"]), full_check=True)
    session = open_session(model["model"])
    found = {"names": [each.name for each in session.get_outputs()]}
    if model["isChecked"]:
        return found
    if "reference" not in model:
        return {**found, "outputs": compute(session, model["inputs"])}
    expected = compute(open_session(model["reference"]), model["inputs"], "float64")
    return {**found, "outputs": compute(session, model["inputs"], "float64"), "expected": expected}


def main(folder):
    with open(f"{folder}/models.json") as file:
        models = json.load(file)
    results = []
    for model in models:
        try:
            results.append(run(model))
        except Exception as error:  # either library may raise any exception
            results.append({"error": " ".join(str(error).split())})
    with open(f"{folder}/results.json", "w") as file:
        json.dump({"onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__, "results": results}, file)


main(sys.argv[1])

"""Creates the models for bench:serve: python3 make_models.py FOLDER LAYERS SAFETENSORS MINILM

Writes squeezenet.onnx, from the list of its layers and their weights, and minilm.onnx, from a model with a fixed shape.
The first dimension of both is free, so that several requests can be one batch.
"""

import json
import math
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def read_safetensors(path):
    """https://huggingface.co/docs/safetensors: the length of the header, the header, the tensors."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    for name, entry in json.loads(data[8:start]).items():
        if name != "__metadata__":
            shape = entry["shape"]
            array = np.frombuffer(data, np.float32, math.prod(shape), start + entry["data_offsets"][0])
            yield numpy_helper.from_array(array.reshape(shape), name)


def node(layer):
    """The ONNX node for a WebNN operator."""
    op, inputs, options, output = layer["op"], layer["inputs"], layer["options"], [layer["output"]]
    if op == "conv2d":
        names = [inputs["input"], inputs["filter"], options["bias"]]
        top, bottom, left, right = options["padding"]
        return helper.make_node("Conv", names, output, strides=options["strides"], pads=[top, left, bottom, right])
    if op == "maxPool2d":
        window = options["windowDimensions"]
        return helper.make_node("MaxPool", [inputs["input"]], output, kernel_shape=window, strides=options["strides"])
    if op == "concat":
        return helper.make_node("Concat", inputs["inputs"], output, axis=inputs["axis"])
    if op == "reshape":
        return helper.make_node("Flatten", [inputs["input"]], output)
    names = {"relu": "Relu", "averagePool2d": "GlobalAveragePool", "softmax": "Softmax"}
    return helper.make_node(names[op], [inputs["input"]], output)


def squeezenet(layers, weights):
    network = json.loads(layers.read_text())
    data = helper.make_tensor_value_info("data", TensorProto.FLOAT, ["n", 3, 224, 224])
    probabilities = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 1000])
    nodes = [node(layer) for layer in network["layers"]]
    graph = helper.make_graph(nodes, "squeezenet", [data], [probabilities], list(read_safetensors(weights)))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def minilm(path):
    model = onnx.load(path)
    for value in [*model.graph.input, *model.graph.output]:
        value.type.tensor_type.shape.dim[0].dim_param = "n"
    for weight in model.graph.initializer:
        shape = numpy_helper.to_array(weight) if weight.data_type == TensorProto.INT64 else np.zeros(0)
        if shape.size >= 3 and shape[0] == 1:
            weight.CopyFrom(numpy_helper.from_array(np.array([-1, *shape[1:]], np.int64), weight.name))
    return model


folder, layers, weights, fixed = map(pathlib.Path, sys.argv[1:])
folder.mkdir(parents=True, exist_ok=True)
onnx.save(squeezenet(layers, weights), folder / "squeezenet.onnx")
onnx.save(minilm(fixed), folder / "minilm.onnx")

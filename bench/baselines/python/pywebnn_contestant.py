"""pywebnn, WebNN for Python on ONNX Runtime, as a contestant: each call in graph.json becomes a call of its builder.

The first argument is the path of ONNX Runtime's library.
"""

import json
import os
import re
import sys

import numpy

os.environ["ORT_DYLIB_PATH"] = sys.argv.pop(1)  # The import of webnn reads it.
import webnn

from protocol import read_inputs, read_job, serve

# The parameters with another name than the standard's name in snake case.
PARAMETERS = {"padding": "pads", "dataType": "data_type", "newShape": "new_shape"}
# Options that its methods do not have. The suites use only the defaults, which is what its methods do.
DEFAULTS = {"roundingType": None, "outputShapeRounding": None, "outputSizes": None}


def snake(name):
    return PARAMETERS.get(name) or re.sub(r"([A-Z])", r"_\1", name).lower()


class Engine:
    def __init__(self):
        _, _, self.folder = read_job()
        self.context = webnn.ML().create_context(accelerated=False)

    def build(self):
        with open(f"{self.folder}/graph.json", encoding="utf-8") as file:
            self.job = json.load(file)
        weights = numpy.fromfile(f"{self.folder}/weights.bin", numpy.uint8)
        builder = self.context.create_graph_builder()
        values = {}
        for constant in self.job["constants"]:
            start = constant["offset"]
            array = weights[start:start + constant["byteLength"]].view(numpy.float32).reshape(constant["shape"])
            values[constant["id"]] = builder.constant(array)
        for port in self.job["inputs"]:
            values[port["id"]] = builder.input(port["name"], port["shape"], "float32")
        for node in self.job["nodes"]:
            self.call(builder, node, values)
        self.graph = builder.build({port["name"]: values[port["id"]] for port in self.job["outputs"]})

    def call(self, builder, node, values):
        operands = [[values[each] for each in id] if isinstance(id, list) else values[id] for id in node["operands"]]
        options = {snake(name): value for name, value in node["options"].items() if name not in DEFAULTS}
        optional = {snake(name): values[id] for name, id in node["optional"].items()}
        method = getattr(builder, snake(node["operator"]).replace("pool2d", "_pool2d").replace("__", "_"))
        result = method(*operands, *node["parameters"], **options, **optional)
        values.update(zip(node["outputs"], result if isinstance(result, list) else [result]))

    def prepare(self):
        # dispatch() accepts only tensors that Python can read and write.
        create = lambda port: self.context.create_tensor(port["shape"], "float32", readable=True, writable=True)
        self.inputs = {port["name"]: create(port) for port in self.job["inputs"]}
        self.outputs = {port["name"]: create(port) for port in self.job["outputs"]}
        shapes = [port["shape"] for port in self.job["inputs"]]
        for tensor, values in zip(self.inputs.values(), read_inputs(self.folder, shapes)):
            self.context.write_tensor(tensor, values)
        self.buffer = numpy.empty(self.job["outputs"][0]["shape"], numpy.float32)

    def run(self):
        numpy.copyto(self.buffer, self.fresh())

    def fresh(self):
        self.context.dispatch(self.graph, self.inputs, self.outputs)
        return self.context.read_tensor(next(iter(self.outputs.values())))


serve("rustnn", Engine())

"""PyTorch as a contestant, in eager mode: each call of graph.json (../../report/graph_file.ts) is one of PyTorch."""

import json

import numpy
import torch
import torch.nn.functional as F

from protocol import read_inputs, read_job, serve


def average_pool(x, windowDimensions, strides, padding, dilations, **_):
    assert padding == [0, 0, 0, 0] and dilations == [1, 1]
    return F.avg_pool2d(x, windowDimensions, strides)


def max_pool(x, windowDimensions, strides, padding, dilations, **_):
    assert padding == [0, 0, 0, 0]
    return F.max_pool2d(x, windowDimensions, strides, 0, dilations)


def conv(x, weight, strides, padding, dilations, groups, bias=None, **_):
    top, bottom, left, right = padding
    if (top, left) != (bottom, right):
        x, top, left = F.pad(x, (left, right, top, bottom)), 0, 0
    return F.conv2d(x, weight, bias, strides, (top, left), dilations, groups)


def gemm(a, b, alpha, beta, aTranspose, bTranspose, c=None):
    a, b = a.t() if aTranspose else a, b.t() if bTranspose else b
    return alpha * (a @ b) if c is None else torch.addmm(c, a, b, beta=beta, alpha=alpha)


def layer_normalization(x, axes, epsilon, scale=None, bias=None):
    assert axes == list(range(x.dim() - len(axes), x.dim()))
    return F.layer_norm(x, [x.shape[axis] for axis in axes], scale, bias, epsilon)


def reorder(tensor, order):
    """Puts the gates, which follow each other in dimension 1, in PyTorch's order; the one direction is left out."""
    gates = tensor[0].chunk(len(order))
    return torch.cat([gates[i] for i in order])


def lstm(x, weight, recurrent, _steps, size, bias, recurrentBias, **_):
    parameters = [reorder(tensor, (0, 2, 3, 1)) for tensor in (weight, recurrent, bias, recurrentBias)]  # iofg to ifgo
    zero = x.new_zeros(1, x.shape[1], size)
    _, hidden, cell = torch.lstm(x, (zero, zero), parameters, True, 1, 0.0, False, False, False)
    return [hidden, cell]


def gru(x, weight, recurrent, _steps, size, bias, recurrentBias, **_):
    parameters = [reorder(tensor, (1, 0, 2)) for tensor in (weight, recurrent, bias, recurrentBias)]  # zrn to rzn
    _, hidden = torch.gru(x, x.new_zeros(1, x.shape[1], size), parameters, True, 1, 0.0, False, False, False)
    return [hidden]


OPERATORS = {
    "abs": torch.abs,
    "add": torch.add,
    "averagePool2d": average_pool,
    "cast": lambda x, dataType: x.to(getattr(torch, dataType)),
    "clamp": lambda x, minValue, maxValue: torch.clamp(x, minValue, maxValue),
    "concat": lambda inputs, axis: torch.cat(inputs, axis),
    "conv2d": conv,
    "div": torch.div,
    "gemm": gemm,
    "gru": gru,
    "instanceNormalization": lambda x, epsilon, layout: F.instance_norm(x, eps=epsilon),
    "layerNormalization": layer_normalization,
    "lstm": lstm,
    "matmul": torch.matmul,
    "max": torch.maximum,
    "maxPool2d": max_pool,
    "mul": torch.mul,
    "reduceMax": lambda x, axes, keepDimensions: torch.amax(x, axes, keepDimensions),
    "reduceSum": lambda x, axes, keepDimensions: torch.sum(x, axes, keepDimensions),
    "relu": torch.relu,
    "reshape": torch.reshape,
    "sigmoid": torch.sigmoid,
    "softmax": lambda x, axis: torch.softmax(x, axis),
    "sqrt": torch.sqrt,
    "sub": torch.sub,
    "transpose": lambda x, permutation: x.permute(permutation),
}


class Engine:
    def __init__(self):
        threads, device, self.folder = read_job()
        self.device = torch.device(device)
        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
        torch.backends.cudnn.allow_tf32 = False  # float32 as float32, as in the other contestants

    def build(self):
        with open(f"{self.folder}/graph.json", encoding="utf-8") as file:
            self.graph = json.load(file)
        weights = numpy.fromfile(f"{self.folder}/weights.bin", numpy.uint8)
        self.constants = {}
        for constant in self.graph["constants"]:
            start = constant["offset"]
            values = weights[start:start + constant["byteLength"]].view(numpy.float32)
            self.constants[constant["id"]] = torch.from_numpy(values.copy()).reshape(constant["shape"]).to(self.device)

    def prepare(self):
        inputs = read_inputs(self.folder, [port["shape"] for port in self.graph["inputs"]])
        tensors = [torch.from_numpy(values).to(self.device) for values in inputs]
        self.inputs = {port["id"]: tensor for port, tensor in zip(self.graph["inputs"], tensors)}
        self.buffer = numpy.empty(self.graph["outputs"][0]["shape"], numpy.float32)
        self.target = torch.from_numpy(self.buffer)

    def compute(self):
        values = {**self.constants, **self.inputs}
        for node in self.graph["nodes"]:
            operands = [
                [values[each] for each in id] if isinstance(id, list) else values[id] for id in node["operands"]
            ]
            optional = {name: values[id] for name, id in node["optional"].items()}
            result = OPERATORS[node["operator"]](*operands, *node["parameters"], **node["options"], **optional)
            results = result if isinstance(result, list) else [result]
            values.update(zip(node["outputs"], results))
        return values[self.graph["outputs"][0]["id"]]

    def run(self):
        self.target.copy_(self.compute())

    def fresh(self):
        output = self.compute()
        return output.clone() if output.is_cpu else output.cpu()


serve(f"PyTorch {torch.__version__}", Engine())

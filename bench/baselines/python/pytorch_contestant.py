"""PyTorch as a contestant, in eager mode: each call in graph.json (../../report/graph_file.ts) is one PyTorch call.

The calls are compiled to a Python function like a handwritten one, which looks nothing up while it runs.
"""

import json

import numpy
import torch
import torch.nn.functional as F

from protocol import read_inputs, read_job, serve


def average_pool(x, windowDimensions, strides, padding, dilations, **_):
    assert padding == [0, 0, 0, 0] and dilations == [1, 1]
    return F.avg_pool2d(x, windowDimensions, strides)


def max_pool(x, windowDimensions, strides, padding, dilations, **_):
    top, bottom, left, right = padding
    assert (top, left) == (bottom, right), f"max_pool2d pads both sides by the same size, not by {padding}"
    return F.max_pool2d(x, windowDimensions, strides, (top, left), dilations)


def conv(x, weight, strides, padding, dilations, groups, bias=None, **_):
    top, bottom, left, right = padding
    if (top, left) != (bottom, right):
        x, top, left = F.pad(x, (left, right, top, bottom)), 0, 0
    return F.conv2d(x, weight, bias, strides, (top, left), dilations, groups)


def batch_normalization(x, mean, variance, axis, epsilon, scale=None, bias=None):
    assert axis == 1
    return F.batch_norm(x, mean, variance, scale, bias, eps=epsilon)


def gemm(a, b, alpha, beta, aTranspose, bTranspose, c=None):
    a, b = a.t() if aTranspose else a, b.t() if bTranspose else b
    return alpha * (a @ b) if c is None else torch.addmm(c, a, b, beta=beta, alpha=alpha)


def layer_normalization(x, axes, epsilon, scale=None, bias=None):
    assert axes == list(range(x.dim() - len(axes), x.dim()))
    return F.layer_norm(x, [x.shape[axis] for axis in axes], scale, bias, epsilon)


def reorder(tensor, order):
    """Puts the gates along dimension 1 in PyTorch's order, and removes the dimension of directions, which is 1."""
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


def resample(x, mode, sizes, axes, **_):
    assert list(axes) == [2, 3] and mode == "nearest-neighbor", f"{mode} over axes {axes} is not supported"
    return F.interpolate(x, size=sizes, mode="nearest")


def slice_tensor(x, starts, sizes, strides):
    return x[tuple(slice(start, start + size, step) for start, size, step in zip(starts, sizes, strides))]


# The operators whose calls return a list of results.
SEVERAL = {"gru", "lstm", "split"}

OPERATORS = {
    "abs": torch.abs,
    "add": torch.add,
    "averagePool2d": average_pool,
    "batchNormalization": batch_normalization,
    "cast": lambda x, dataType: x.to(getattr(torch, dataType)),
    "clamp": lambda x, minValue, maxValue: torch.clamp(x, minValue, maxValue),
    "concat": torch.cat,
    "conv2d": conv,
    "div": torch.div,
    "exp": torch.exp,
    "gather": lambda x, indices, axis: torch.index_select(x, axis, indices),
    "gelu": F.gelu,
    "gemm": gemm,
    "gru": gru,
    "instanceNormalization": lambda x, epsilon, layout: F.instance_norm(x, eps=epsilon),
    "layerNormalization": layer_normalization,
    "log": torch.log,
    "lstm": lstm,
    "matmul": torch.matmul,
    "max": torch.maximum,
    "maxPool2d": max_pool,
    "mul": torch.mul,
    "reduceMax": lambda x, axes, keepDimensions: torch.amax(x, axes, keepDimensions),
    "reduceMean": lambda x, axes, keepDimensions: torch.mean(x, axes, keepDimensions),
    "reduceSum": lambda x, axes, keepDimensions: torch.sum(x, axes, keepDimensions),
    "relu": torch.relu,
    "resample2d": resample,
    "reshape": torch.reshape,
    "sigmoid": torch.sigmoid,
    "slice": slice_tensor,
    "softmax": torch.softmax,
    "split": lambda x, splits, axis: torch.split(x, splits, axis),
    "sqrt": torch.sqrt,
    "sub": torch.sub,
    "tanh": torch.tanh,
    "transpose": lambda x, permutation: x.permute(permutation),
}


class Engine:
    def __init__(self):
        threads, device, self.folder = read_job()
        self.inputs = []
        self.device = torch.device(device)
        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
        torch.backends.cudnn.allow_tf32 = False  # float32 as float32, as in the other contestants

    def build(self):
        self.graph = read_graph(self.folder)
        weights = numpy.fromfile(f"{self.folder}/weights.bin", numpy.uint8)
        self.constants = {}
        for constant in self.graph["constants"]:
            start = constant["offset"]
            values = weights[start:start + constant["byteLength"]].view(numpy.float32)
            self.constants[constant["id"]] = torch.from_numpy(values.copy()).reshape(constant["shape"]).to(self.device)
        self.compute = self.compile()
        self.bind()

    def compile(self):
        """Returns a function that makes the calls of the graph."""
        self.names = {f"v{id}": value for id, value in self.constants.items()}
        lines = []
        for i, node in enumerate(self.graph["nodes"]):
            self.names |= {f"call{i}": OPERATORS[node["operator"]], f"p{i}": node["parameters"], f"o{i}": node["options"]}
            operands = [f"[{', '.join(map(name, id))}]" if isinstance(id, list) else name(id) for id in node["operands"]]
            operands += [f"*p{i}"] * bool(node["parameters"]) + [f"**o{i}"] * bool(node["options"])
            operands += [f"{option}={name(id)}" for option, id in node["optional"].items()]
            results = ", ".join(map(name, node["outputs"])) + "," * (node["operator"] in SEVERAL)
            lines.append(f"    {results} = call{i}({', '.join(operands)})")
        lines.append(f"    return {name(self.graph['outputs'][0]['id'])}")
        exec("def compute():\n" + "\n".join(lines), self.names)
        return self.names["compute"]

    def prepare(self):
        inputs = read_inputs(self.folder, [port["shape"] for port in self.graph["inputs"]])
        tensors = [torch.from_numpy(values).to(self.device) for values in inputs]
        self.arrays, self.inputs = inputs, tensors
        self.bind()
        self.buffer = numpy.empty(self.graph["outputs"][0]["shape"], numpy.float32)
        self.target = torch.from_numpy(self.buffer)

    def bind(self):
        self.names |= {name(port["id"]): tensor for port, tensor in zip(self.graph["inputs"], self.inputs)}

    def run(self):
        self.result = self.compute()
        self.read()

    def fresh(self):
        output = self.compute()
        return output.clone() if output.is_cpu else output.cpu()

    def pipeline(self, count):
        for _ in range(count):
            self.result = self.compute()
        self.read()

    def write(self):
        self.inputs[0].copy_(torch.from_numpy(self.arrays[0]))

    def read(self):
        self.target.copy_(self.result)


def name(id):
    return f"v{id}"


def read_graph(folder):
    with open(f"{folder}/graph.json", encoding="utf-8") as file:
        return json.load(file)


if __name__ == "__main__":
    serve(f"PyTorch {torch.__version__}", Engine())

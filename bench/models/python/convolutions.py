"""Quantises a network of convolutions dynamically: python3 convolutions.py MODEL FOLDER

Writes dynamic.onnx, in which ONNX Runtime's quantiser has replaced the convolutions by ConvInteger. The weights are
unsigned: with signed ones, onnxruntime-node's own kernels take much longer, and saturate on processors without VNNI.
"""

import pathlib
import sys

from onnxruntime.quantization import QuantType, quantize_dynamic

model, folder = sys.argv[1:]
quantize_dynamic(model, pathlib.Path(folder) / "dynamic.onnx", weight_type=QuantType.QUInt8)

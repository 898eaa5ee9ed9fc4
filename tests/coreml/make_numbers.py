"""
Writes numbers.json: the results of coremltools' value inference for a list of operations of MIL. Apple wrote it, so
interpreter_operations_test.ts compares the interpreter with it.

    pip install coremltools==9.0 "numpy<2.3"
    python tests/coreml/make_numbers.py

Left out, because value inference is missing or differs from Apple's documentation (coremltools 9.0):
- batch_norm, conv, conv_transpose, gather_nd, gru, instance_norm, lstm, one_hot, scatter_nd, the pools and
  resizings: it is missing. interpreter_operations_test.ts compares these with the reference of WebNN, or with worked
  examples.
- cumsum with exclusive: it raises a TypeError.
- scatter_along_axis with a mode other than update: the mode is ignored.
- gather with negative indices: NumPy counts them from the end; from CoreML7 on they are out of range.
- matmul of a tensor of rank 1: type inference and value inference give different shapes.
"""

import json
import logging
from pathlib import Path

logging.disable(logging.WARNING)

import numpy as np
import coremltools as ct
from coremltools.converters.mil.mil import Builder as mb

random = np.random.default_rng(9)

NAMES = {"float32": "fp32", "float16": "fp16", "int32": "int32", "int8": "int8", "uint8": "uint8", "bool": "bool"}


def floats(*shape, low=-3.0, high=3.0, dtype=np.float32):
    return random.uniform(low, high, shape).astype(dtype)


def halves(*shape, low=-3.0, high=3.0):
    return floats(*shape, low=low, high=high, dtype=np.float16)


def integers(*shape, low=-9, high=9, dtype=np.int32):
    return random.integers(low, high, shape, endpoint=True).astype(dtype)


def bools(*shape):
    return random.integers(0, 2, shape).astype(bool)


def vector(*values):
    return np.array(values, np.int32)


def flags(*values):
    return np.array(values, bool)


def f32(value):
    return np.float32(value)


SPECIAL = np.array([-np.inf, -2.5, -1.5, -0.5, -0.0, 0.0, 0.5, 1.5, 2.5, 3.0, np.inf, np.nan], np.float32)
TYPES = [floats, halves]
WITH_INTEGERS = [floats, halves, integers]


def unary():
    for op in "ceil cos erf exp floor relu relu6 round sigmoid sin softplus softsign tan tanh".split():
        for make in TYPES:
            yield op, dict(x=make(2, 5))
    for op in "ceil floor round relu sign abs".split():
        yield op, dict(x=SPECIAL)
    for op in "abs sign square identity".split():
        for make in WITH_INTEGERS:
            yield op, dict(x=make(7))
    for op in "acos asin atan atanh cosh sinh exp2".split():
        yield op, dict(x=floats(7, low=-0.9, high=0.9))
    for make in TYPES:
        yield "sqrt", dict(x=make(7, low=0.0, high=9.0))
        yield "gelu", dict(x=make(7), mode="EXACT")
    yield "gelu", dict(x=floats(7), mode="TANH_APPROXIMATION")
    yield "gelu", dict(x=floats(7), mode="SIGMOID_APPROXIMATION")
    for op in "inverse log rsqrt".split():
        yield op, dict(x=floats(7, low=0.1, high=4.0), epsilon=f32(0))
        yield op, dict(x=halves(7, low=0.1, high=4.0), epsilon=np.float16(0.25))


def activations():
    yield "clip", dict(x=floats(9), alpha=f32(-1), beta=f32(2))
    yield "clip", dict(x=SPECIAL, alpha=f32(-1), beta=f32(2))
    yield "elu", dict(x=floats(9), alpha=f32(1.5))
    yield "leaky_relu", dict(x=floats(9), alpha=f32(0.2))
    yield "leaky_relu", dict(x=halves(9), alpha=np.float16(-0.5))
    yield "linear_activation", dict(x=floats(9), alpha=f32(0.3), beta=f32(-2))
    yield "scaled_tanh", dict(x=floats(9), alpha=f32(1.7), beta=f32(0.6))
    yield "sigmoid_hard", dict(x=floats(9), alpha=f32(0.3), beta=f32(0.4))
    yield "threshold", dict(x=floats(9), alpha=f32(0.3))
    yield "prelu", dict(x=floats(2, 3, 4), alpha=np.array([0.1, 0.1, 0.1], np.float32))
    yield "prelu", dict(x=floats(2, 3, 2, 2), alpha=np.array([0.1, -0.5, 2], np.float32))


def casts():
    for make in WITH_INTEGERS:
        for dtype in ["fp32", "fp16", "int32", "bool"]:
            yield "cast", dict(x=make(7), dtype=dtype)
        yield "cast", dict(x=make(7, low=0, high=9), dtype="uint8")
        yield "cast", dict(x=make(7), dtype="int8")
    for dtype in ["fp32", "int32", "int8"]:
        yield "cast", dict(x=integers(7, low=-99, high=99, dtype=np.int8), dtype=dtype)
        yield "cast", dict(x=bools(7), dtype=dtype)
    yield "cast", dict(x=integers(7, low=-999, high=999), dtype="uint8")
    yield "cast", dict(x=integers(7, low=-999, high=999), dtype="int8")


def binary():
    for op in "add sub mul maximum minimum".split():
        for make in WITH_INTEGERS:
            yield op, dict(x=make(2, 1, 3), y=make(4, 1))
    for op in "equal not_equal greater greater_equal less less_equal".split():
        yield op, dict(x=integers(2, 4, low=0, high=2), y=integers(4, low=0, high=2))
        yield op, dict(x=SPECIAL, y=SPECIAL[::-1].copy())
    for op in "real_div floor_div mod".split():
        yield op, dict(x=floats(2, 3), y=floats(3, low=0.5))
        yield op, dict(x=integers(12), y=vector(2, -2, 3, -3, 5, -5, 7, -7, 1, -1, 4, -4))
    yield "add", dict(x=vector(2**31 - 1, -(2**31)), y=vector(1, -1))
    yield "mul", dict(x=vector(2147483645, -123456789), y=vector(2147483629, 987654321))
    yield "maximum", dict(x=SPECIAL, y=SPECIAL[::-1].copy())
    yield "minimum", dict(x=SPECIAL, y=SPECIAL[::-1].copy())
    yield "pow", dict(x=floats(5, low=0.1), y=floats(5))
    yield "pow", dict(x=halves(5, low=0.1), y=halves(5))
    yield "pow", dict(x=vector(-3, -2, 2, 7, 10), y=vector(3, 0, 30, 11, 9))
    for op in "logical_and logical_or logical_xor".split():
        yield op, dict(x=flags(0, 0, 1, 1), y=flags(0, 1, 0, 1))
    yield "logical_not", dict(x=flags(0, 1))
    yield "select", dict(cond=bools(3, 1), a=floats(3, 4), b=floats(4))
    yield "select", dict(cond=bools(5), a=integers(5), b=integers(5))


def reductions():
    names = "l1_norm l2_norm max mean min prod sum sum_square".split()
    for op in [f"reduce_{name}" for name in names]:
        yield op, dict(x=floats(2, 3, 4), axes=vector(1), keep_dims=False)
        yield op, dict(x=floats(2, 3, 4), axes=vector(-1, 0), keep_dims=True)
        yield op, dict(x=integers(3, 4), axes=vector(0, 1), keep_dims=False)
    for op in ["reduce_log_sum", "reduce_log_sum_exp"]:
        yield op, dict(x=floats(2, 3, 4, low=0.1), axes=vector(1), keep_dims=False)
        yield op, dict(x=floats(2, 3, 4, low=0.1), axes=vector(2), keep_dims=True)
        yield op, dict(x=integers(3, 4, low=1, high=9), axes=vector(0), keep_dims=False)
    yield "reduce_prod", dict(x=vector(99999, -77777, 3), axes=vector(0), keep_dims=True)
    yield "reduce_sum_square", dict(x=vector(99999, 77777, -70000), axes=vector(0), keep_dims=True)
    for op in ["reduce_argmax", "reduce_argmin"]:
        for keep in [False, True]:
            yield op, dict(x=floats(2, 3, 4), axis=np.int32(1), keep_dims=keep, output_dtype="int32")
        yield op, dict(x=integers(9, low=0, high=3), axis=np.int32(-1), keep_dims=True, output_dtype="int32")
    for make in WITH_INTEGERS:
        for reverse in [False, True]:
            exclusive = False
            yield "cumsum", dict(x=make(2, 3), axis=np.int32(1), exclusive=exclusive, reverse=reverse)
    for make in TYPES:
        yield "softmax", dict(x=make(2, 3, 4), axis=np.int32(1))
        yield "softmax", dict(x=make(2, 3), axis=np.int32(-1))


def layer_norms():
    for make in TYPES:
        yield "layer_norm", dict(
            x=make(2, 3, 4), axes=vector(1, 2), gamma=make(3, 4), beta=make(3, 4), epsilon=make(low=0.1, high=1.0)
        )
    yield "layer_norm", dict(x=floats(2, 3, 4), axes=vector(-1), epsilon=f32(1e-5))


def products():
    plain = dict(transpose_x=False, transpose_y=False)
    for make in WITH_INTEGERS:
        yield "matmul", dict(x=make(2, 3), y=make(3, 4), **plain)
        yield "matmul", dict(x=make(2, 1, 4, 3), y=make(3, 3, 5), **plain)
        yield "matmul", dict(x=make(5, 3, 2), y=make(4, 3), transpose_x=True, transpose_y=True)
    yield "matmul", dict(x=vector(2147483645, 80000).reshape(1, 2), y=vector(2147483629, 60000).reshape(2, 1), **plain)


def indexing():
    shared = dict(validate_indices=False)
    for dtype in [np.int32, np.int8, np.uint8]:
        yield "gather", dict(
            x=floats(3, 4, 2), indices=integers(2, 3, low=0, high=3, dtype=dtype),
            axis=np.int32(1), batch_dims=np.int32(0), **shared,
        )
    yield "gather", dict(
        x=integers(3, 4), indices=np.int32(2), axis=np.int32(-2), batch_dims=np.int32(0), **shared
    )
    yield "gather_along_axis", dict(x=floats(3, 4), indices=integers(3, 2, low=0, high=3), axis=np.int32(1), **shared)
    yield "gather_along_axis", dict(
        x=integers(3, 4), indices=integers(5, 4, low=0, high=2), axis=np.int32(-2), **shared
    )
    yield "scatter_along_axis", dict(
        data=floats(3, 4), indices=vector(3, 0, 2, 1, 0, 3).reshape(3, 2), updates=floats(3, 2),
        axis=np.int32(1), mode="update", **shared,
    )


def movement():
    false3 = dict(begin_mask=flags(0, 0, 0), end_mask=flags(0, 0, 0), squeeze_mask=flags(0, 0, 0))
    yield "slice_by_index", dict(
        x=floats(4, 5, 6), begin=vector(1, 0, 2), end=vector(3, 5, 6), stride=vector(1, 2, 3), **false3
    )
    yield "slice_by_index", dict(
        x=integers(4, 5, 6), begin=vector(-1, -99, 4), end=vector(0, 99, -5), stride=vector(-1, 4, -2), **false3
    )
    yield "slice_by_index", dict(
        x=floats(4, 5, 6), begin=vector(2, 3, 1), end=vector(0, 0, 4), stride=vector(1, 1, 1),
        begin_mask=flags(0, 1, 0), end_mask=flags(0, 1, 0), squeeze_mask=flags(1, 0, 0),
    )
    yield "slice_by_size", dict(x=floats(4, 5), begin=vector(1, 2), size=vector(2, -1))
    yield "slice_by_size", dict(x=floats(4, 5), begin=vector(-2, 0), size=vector(1, 5))
    yield "split", dict(x=floats(2, 6), split_sizes=vector(1, 3, 2), axis=np.int32(-1))
    yield "concat", dict(values=[floats(2, 1, 2), floats(2, 3, 2)], axis=np.int32(1), interleave=False)
    yield "concat", dict(values=[integers(2), integers(3)], axis=np.int32(-1), interleave=False)
    yield "stack", dict(values=[floats(2, 3), floats(2, 3)], axis=np.int32(1))
    for mode in ["constant", "reflect", "replicate"]:
        yield "pad", dict(x=floats(2, 3, 4), pad=vector(2, 1, 0, 3), mode=mode, constant_val=f32(-1.5))
    yield "pad", dict(x=halves(2, 3), pad=vector(1, 0, 2, 1), mode="constant", constant_val=np.float16(0.5))
    yield "reshape", dict(x=floats(2, 3, 4), shape=vector(4, -1))
    yield "reshape", dict(x=integers(2, 6), shape=vector(1, 0, -1, 3))
    yield "expand_dims", dict(x=floats(2, 3), axes=vector(0, -1))
    yield "squeeze", dict(x=floats(1, 2, 1, 3), axes=vector(0, -2))
    yield "reverse", dict(x=floats(2, 3, 2), axes=vector(0, -1))
    yield "tile", dict(x=floats(2, 3), reps=vector(2, 3))
    yield "transpose", dict(x=floats(2, 3, 4), perm=vector(2, 0, -2))
    for lower, upper in [(-1, 0), (0, -1), (1, 0), (0, 2)]:
        yield "band_part", dict(x=floats(2, 3, 4), lower=np.int32(lower), upper=np.int32(upper))
    yield "fill", dict(shape=vector(2, 3), value=f32(1.25))
    yield "range_1d", dict(start=np.int32(2), end=np.int32(11), step=np.int32(3))
    yield "range_1d", dict(start=f32(1), end=f32(-1), step=f32(-0.75))
    yield "shape", dict(x=floats(2, 3))


def quantization():
    for dtype, make in [("int8", floats), ("uint8", floats)]:
        zero_point = integers(3, low=0, high=20, dtype=np.dtype(dtype))
        scale = floats(3, low=0.01, high=0.1)
        yield "quantize", dict(
            input=make(2, 3, 2), zero_point=zero_point, scale=scale, axis=np.int32(1), output_dtype=dtype
        )
        yield "quantize", dict(input=make(5, low=-9, high=9), scale=f32(0.05), output_dtype=dtype)
        data = integers(2, 3, 2, low=0, high=99, dtype=np.dtype(dtype))
        yield "dequantize", dict(input=data, zero_point=zero_point, scale=scale, axis=np.int32(-2))
        yield "constexpr_affine_dequantize", dict(
            quantized_data=data, zero_point=zero_point, scale=scale, axis=np.int32(1)
        )
    ties = np.array([-0.75, -0.25, 0.25, 0.75, 1.25], np.float32)
    yield "quantize", dict(input=ties, scale=f32(0.5), zero_point=np.int8(1), output_dtype="int8")
    yield "dequantize", dict(input=integers(5, dtype=np.int8), scale=np.float16(0.3))
    yield "constexpr_blockwise_shift_scale", dict(
        data=integers(4, 6, dtype=np.int8), scale=floats(2, 3), offset=integers(2, 3, dtype=np.int8)
    )


FAMILIES = [unary, activations, casts, binary, reductions, layer_norms, products, indexing, movement, quantization]


def describe(value):
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return [describe(item) for item in value]
    value = np.asarray(value)
    # The shortest decimals from which the same float is parsed; JSON has no NaN and no infinities.
    text = [str(element) for element in value.reshape(-1)]
    numbers = [int(element) for element in value.reshape(-1)] if value.dtype.kind in "iub" else [
        element if element in ("nan", "inf", "-inf") else float(element) for element in text
    ]
    return {"type": NAMES[value.dtype.name], "shape": list(value.shape), "data": numbers}


def results(op, inputs):
    outputs = getattr(mb, op)(**inputs)
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    values = [output.val if output.val is not None else output.op.materialized_val_inference() for output in outputs]
    assert all(value is not None for value in values), f"{op} has no value inference"
    return [cast_to(output, value) for output, value in zip(outputs, values)]


def cast_to(output, value):
    """Value inference leaves some results in NumPy's type. This casts them to the type from type inference."""
    dtype = ct.converters.mil.mil.types.nptype_from_builtin(output.dtype)
    return np.asarray(value).astype(dtype).reshape(output.shape)


def main():
    cases = []

    @mb.program(input_specs=[mb.TensorSpec((1,))], opset_version=ct.target.iOS18)
    def program(x):
        for family in FAMILIES:
            for op, inputs in family():
                try:
                    outputs = results(op, inputs)
                except Exception as error:
                    raise RuntimeError(f"{op} {inputs}") from error
                described = {name: describe(value) for name, value in inputs.items()}
                cases.append({"op": op, "inputs": described, "outputs": [describe(value) for value in outputs]})
        return mb.identity(x=x)

    path = Path(__file__).with_name("numbers.json")
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    path.write_text(f'{{"coremltools":"{ct.__version__}","cases":[\n{lines}\n]}}\n')
    print(f"{len(cases)} cases of {len({case['op'] for case in cases})} operations, {path.stat().st_size} bytes")


main()

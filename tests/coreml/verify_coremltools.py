"""Loads ML Programs with Apple's library coremltools, and reports the problem of each.

    python verify_coremltools.py FOLDER RESULT

FOLDER contains packages, NAME.mlpackage. NAME.json, if it exists, contains the values of inputs and outputs. RESULT is
the JSON file to write. `deno task verify:coremltools` creates the folder and runs this program.

A program is correct if
- the package opens by its manifest, and the model file has only fields of Apple's messages;
- coremltools rebuilds every operation, and the types that it infers for the results are the declared ones;
- no tensor has more than five dimensions, and all parameters that must be constant are;
- no parameter with a default other than None is missing: coremltools uses the default, but Core ML does not;
- the features of the model are the inputs and outputs of its function.
If there are values, and coremltools can compute all of the program's operations with NumPy, the outputs must agree.
"""

import base64
import json
import logging
import pathlib
import sys
import warnings

logging.disable(logging.WARNING)

import coremltools
import numpy as np
from coremltools import proto
from coremltools.converters.mil.frontend.milproto.load import load as load_program
from google.protobuf.unknown_fields import UnknownFieldSet

warnings.simplefilter("ignore")

NUMPY_TYPES = {10: np.float16, 11: np.float32, 23: np.int32}


def main(folder, result_file):
    results = {path.stem: verify(path) for path in sorted(pathlib.Path(folder).glob("*.mlpackage"))}
    with open(result_file, "w") as file:
        versions = {"coremltools": coremltools.__version__, "numpy": np.__version__}
        json.dump({**versions, "programs": results}, file, indent=1)


def verify(package):
    """The findings about a program: the error if it is wrong, otherwise how its numbers compare."""
    try:
        spec = coremltools.utils.load_spec(str(package))
        weights = package / "Data" / "com.apple.CoreML" / "weights"
        check_fields(spec)
        check_features(spec)
        check_program(spec, weights)
    except Exception as error:  # coremltools raises various classes
        return {"error": f"{type(error).__name__}: {error}"}
    values = package.with_suffix(".json")
    if not values.exists():
        return {}
    return {"numbers": compare_numbers(spec, weights, json.loads(values.read_text()))}


def load(spec, weights):
    return load_program(spec, spec.specificationVersion, str(weights))


def main_block(spec):
    function = spec.mlProgram.functions["main"]
    return function, function.block_specializations[function.opset]


def check_fields(message, path="Model"):
    for unknown in UnknownFieldSet(message):
        raise ValueError(f"{path} has no field {unknown.field_number}")
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            if field.message_type.fields_by_name["value"].message_type:
                for key, entry in value.items():
                    check_fields(entry, f"{path}.{field.name}[{key}]")
        elif hasattr(value, "ListFields"):
            check_fields(value, f"{path}.{field.name}")
        else:
            for i, entry in enumerate(value):
                check_fields(entry, f"{path}.{field.name}[{i}]")


def check_features(spec):
    function, block = main_block(spec)
    types = {value.name: value.type for value in function.inputs}
    inputs = list(types)
    for operation in block.operations:
        types.update({output.name: output.type for output in operation.outputs})
    described = spec.description
    for kind, features, names in (("input", described.input, inputs), ("output", described.output, block.outputs)):
        if [feature.name for feature in features] != list(names):
            raise ValueError(f"the {kind}s of the model are not those of its function")
        for feature in features:
            check_feature(feature, types[feature.name].tensorType)


def check_feature(feature, tensor):
    array = feature.type.multiArrayType
    feature_type = proto.FeatureTypes_pb2.ArrayFeatureType.ArrayDataType.Name(array.dataType)
    tensor_type = proto.MIL_pb2.DataType.Name(tensor.dataType)
    shape = [dimension.constant.size for dimension in tensor.dimensions]
    if feature_type != tensor_type or list(array.shape) != shape or not shape:
        raise ValueError(f"the feature {feature.name} is {feature_type} {list(array.shape)}, not {tensor_type} {shape}")


def check_program(spec, weights):
    program = load(spec, weights)
    program._check_invalid_tensor_rank()
    program._check_invalid_const_tensor_input()
    program.validate()
    written = {operation_name(operation): operation for operation in main_block(spec)[1].operations}
    for operation in program.functions["main"].operations:
        if operation.name in written and operation.op_type != "const":
            check_parameters(operation, written[operation.name])
        elif operation.op_type != "const":
            raise ValueError(f"{operation.op_type} {operation.name} was renamed: its name is not unique")


def operation_name(operation):
    return operation.attributes["name"].immediateValue.tensor.strings.values[0]


def check_parameters(operation, written):
    given = {*written.inputs, *written.attributes}
    for name, value in operation.default_inputs().items():
        if value is not None and name not in given:
            raise ValueError(f"{operation.op_type} {operation.name}: the parameter {name} is missing")


def compare_numbers(spec, weights, case):
    """"equal" within the tolerance, "not computed" if an operation has no NumPy implementation, or the difference."""
    with_constants = proto.Model_pb2.Model()
    with_constants.CopyFrom(spec)
    bind_inputs(with_constants, case["inputs"])
    try:
        outputs = load(with_constants, weights).functions["main"].outputs
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    for output, expected in zip(outputs, case["outputs"]):
        if output.val is None:
            return "not computed"
        distance = largest_distance(np.asarray(output.val).ravel(), elements(expected), case["tolerance"]["metric"])
        if not distance <= case["tolerance"]["value"]:
            return f"{output.name} differs by {distance} {case['tolerance']['metric']}"
    return "equal"


def bind_inputs(spec, values):
    """Replaces every input of the function by a constant; an input without a value is a placeholder and becomes 0."""
    function, block = main_block(spec)
    operations = []
    for i, feature in enumerate(function.inputs):
        data_type = feature.type.tensorType.dataType
        shape = [dimension.constant.size for dimension in feature.type.tensorType.dimensions]
        data = elements(values[i]) if i < len(values) else np.zeros(shape)
        operations.append(constant(feature, data.astype(NUMPY_TYPES[data_type])))
    operations.extend(block.operations)
    del function.inputs[:]
    del block.operations[:]
    block.operations.extend(operations)


def constant(feature, data):
    operation = proto.MIL_pb2.Operation(type="const", outputs=[feature])
    name = operation.attributes["name"]
    name.type.tensorType.dataType = proto.MIL_pb2.STRING
    name.immediateValue.tensor.strings.values.append(feature.name)
    value = operation.attributes["val"]
    value.type.CopyFrom(feature.type)
    tensor = value.immediateValue.tensor
    if data.dtype == np.float32:
        tensor.floats.values.extend(data.ravel())
    elif data.dtype == np.int32:
        tensor.ints.values.extend(data.ravel())
    else:
        tensor.bytes.values = data.tobytes()
    return operation


def elements(tensor):
    return np.frombuffer(base64.b64decode(tensor["data"]), tensor["dataType"])


def largest_distance(actual, expected, metric):
    if actual.size != expected.size:
        return np.inf
    if expected.dtype.kind == "f":
        actual = actual.astype(expected.dtype)
    same = (actual == expected) | ((actual != actual) & (expected != expected))
    with np.errstate(invalid="ignore", over="ignore"):
        if metric == "ULP" and expected.dtype.kind == "f":
            distance = np.abs(ordered(actual) - ordered(expected)).astype(np.float64)
            distance[np.isnan(actual) != np.isnan(expected)] = np.inf
        else:
            distance = np.abs(actual.astype(np.float64) - expected.astype(np.float64))
            distance[np.isnan(distance)] = np.inf
    return float(np.where(same, 0, distance).max())


def ordered(values):
    """Maps floats to integers in the same order, so that neighbouring floats differ by 1."""
    bits = values.view({4: np.int32, 2: np.int16}[values.dtype.itemsize]).astype(np.int64)
    lowest = -(1 << (values.dtype.itemsize * 8 - 1))
    return np.where(bits < 0, lowest - bits, bits)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])

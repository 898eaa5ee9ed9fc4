"""Writes mil_schema.json: the parameters of each operation of MIL, from the registry of coremltools.

`deno task verify:coremltools --schema` runs it. The lint reads the result, so that it needs no Python.

An operation has an entry for the opset CoreML7, and one for CoreML8 if it is new or different there. Of a parameter:
    types     the element types it may have; absent if coremltools does not restrict them
    domain    parameters of one operation with the same domain must have the same type
    const     whether it must be known when the model is compiled
    omittable whether a model file may omit it; the others must be present, even if they have a default in Python
    variadic  whether it takes a list of values
"""

import ast
import inspect
import json
import sys
import textwrap

import coremltools
from coremltools.converters.mil._deployment_compatibility import AvailableTarget
from coremltools.converters.mil.mil import types
from coremltools.converters.mil.mil.input_type import (
    InternalInputType,
    StateInputType,
    TensorInputType,
    TupleInputType,
)
from coremltools.converters.mil.mil.ops.registry import SSAOpRegistry

OPSETS = {"CoreML7": AvailableTarget.iOS17, "CoreML8": AvailableTarget.iOS18}


def defaults(op_class):
    """The optional parameters whose default is not None. coremltools writes no value for a default of None."""
    found = {}
    for base in reversed(inspect.getmro(op_class)):
        if "default_inputs" not in vars(base):
            continue
        source = textwrap.dedent(inspect.getsource(base.default_inputs))
        for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
            if isinstance(call.func, ast.Name) and call.func.id == "DefaultInputs":
                for keyword in call.keywords:
                    found[keyword.arg] = not (isinstance(keyword.value, ast.Constant) and keyword.value.value is None)
    return {name for name, is_value in found.items() if is_value}


def type_name(builtin):
    name = types.builtin_to_string(builtin)
    return {"str": "string"}.get(name, name)


def parameter(op_class, name, input_type):
    entry = {}
    if isinstance(input_type, TensorInputType):
        domain = input_type.type_domain_id
        members = op_class.type_domains[domain] if domain else input_type.type_domain
        entry["types"] = sorted(type_name(t) for t in members)
        if domain:
            entry["domain"] = domain
    if input_type.const:
        entry["const"] = True
    if input_type.optional and name not in defaults(op_class):
        entry["omittable"] = True
    if isinstance(input_type, TupleInputType):
        entry["variadic"] = True
    return entry


def parameters(op_class):
    inputs = op_class.input_spec.input_types
    if any(isinstance(t, (InternalInputType, StateInputType)) for t in inputs.values()):
        return None  # control flow and states
    return {name: parameter(op_class, name, input_type) for name, input_type in inputs.items()}


def operation(versions):
    entries = {opset: parameters(versions[target]) for opset, target in OPSETS.items() if target in versions}
    if entries.get("CoreML7") == entries.get("CoreML8"):
        del entries["CoreML8"]
    return {opset: entry for opset, entry in entries.items() if entry is not None}


def dumps(schema):
    """JSON with a line for each parameter, so that diffs between versions of coremltools are readable."""
    lines = ["{", f'  "coremltools": "{schema["coremltools"]}",', '  "operations": {']
    for name, entries in schema["operations"].items():
        lines.append(f'    "{name}": {{')
        for opset, parameters_of_opset in entries.items():
            lines.append(f'      "{opset}": {{')
            lines += [f'        "{key}": {object_line(value)},' for key, value in parameters_of_opset.items()]
            lines[-1] = lines[-1].removesuffix(",")
            lines.append("      },")
        lines[-1] = "      }"
        lines.append("    },")
    lines[-1] = "    }"
    return "\n".join([*lines, "  }", "}", ""])


def object_line(value):
    return f"{{ {json.dumps(value)[1:-1]} }}" if value else "{}"


def main(path):
    operations = {name: operation(versions) for name, versions in sorted(SSAOpRegistry.core_ops.items())}
    schema = {
        "coremltools": coremltools.__version__,
        "operations": {name: entries for name, entries in operations.items() if entries},
    }
    with open(path, "w") as file:
        file.write(dumps(schema))
    print(f"{len(schema['operations'])} operations of coremltools {schema['coremltools']}")


if __name__ == "__main__":
    main(sys.argv[1])

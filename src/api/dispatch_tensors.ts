/**
 * Checks the tensors that are passed to a dispatch.
 *
 * @module
 */

import { invalidStateError } from "../errors.ts";
import { isExported } from "../interop/webgpu.ts";
import { type Descriptor, formatShape, sameShape } from "../shape.ts";
import type { TimelineTensor } from "../timeline/timeline.ts";
import type { NamedValues } from "../webidl/converters.ts";
import { type ContextState, isDestroyed, type Port, type TensorState } from "./state.ts";

/** The end of error messages about a tensor that is exported to WebGPU. */
export const EXPORTED = "is exported to WebGPU; destroy the GPUBuffer to get it back";

/** The number of dispatches so far. Each tensor stores the number of the last dispatch that used it. */
let dispatchCount = 0;

/**
 * Checks that no output is also an input or another output. The standard also forbids one tensor for two inputs, but
 * WPT does that.
 */
export function checkSharing(inputs: readonly TensorState[], outputs: NamedValues<TensorState>, where: string): void {
  dispatchCount++;
  for (const input of inputs) input.lastDispatch = dispatchCount;
  outputs.values.forEach((output, i) => {
    if (output.lastDispatch === dispatchCount) {
      throw new TypeError(
        `${where}: the tensor for the output ${JSON.stringify(outputs.names[i])} is also an input or another output`,
      );
    }
    output.lastDispatch = dispatchCount;
  });
}

/**
 * Checks that the tensors match the ports, and returns them in the order of the ports.
 * @see https://www.w3.org/TR/webnn/#validate-tensors-with-descriptors
 */
export function matchTensors(
  context: ContextState,
  ports: readonly Port[],
  { names, values }: NamedValues<TensorState>,
  where: string,
): TimelineTensor[] {
  const tensors = ports.map((port, i) => {
    const tensor = values[names[i] === port.name ? i : names.indexOf(port.name)];
    return matchTensor(context, port, tensor, where);
  });
  // Every port has a tensor here. So if there are more names than ports, at least one name is unknown.
  if (names.length > ports.length) {
    const known = ports.map(({ name }) => name);
    const other = names.find((name) => !known.includes(name));
    const all = known.map((name) => JSON.stringify(name)).join(", ");
    // Only inputs can be missing: a graph has at least one output.
    throw new TypeError(
      `${where}[${JSON.stringify(other)}]: the graph has ${all === "" ? "no inputs" : `only ${all}`}`,
    );
  }
  return tensors;
}

function matchTensor(
  context: ContextState,
  port: Port,
  tensor: TensorState | undefined,
  where: string,
): TimelineTensor {
  if (
    tensor === undefined || tensor.context !== context || tensor.kind === "constant" || isExported(tensor.rental) ||
    !sameDescriptor(tensor.descriptor, port.descriptor)
  ) throw new TypeError(`${where}[${JSON.stringify(port.name)}] ${mismatch(context, port, tensor)}`);
  if (isDestroyed(tensor)) throw invalidStateError(`${where}[${JSON.stringify(port.name)}] is destroyed`);
  return tensor.storage;
}

function sameDescriptor(a: Descriptor, b: Descriptor): boolean {
  return a.dataType === b.dataType && sameShape(a.shape, b.shape);
}

/** Why a tensor does not match its port. */
function mismatch(context: ContextState, { descriptor }: Port, tensor: TensorState | undefined): string {
  if (tensor === undefined) return "is missing";
  if (tensor.context !== context) return "belongs to another context";
  if (tensor.kind === "constant") return "is a constant tensor; pass it to MLGraphBuilder.constant instead";
  if (isExported(tensor.rental)) return EXPORTED;
  const describe = ({ dataType, shape }: Descriptor) => `${dataType} ${formatShape(shape)}`;
  return `must be ${describe(descriptor)}, not ${describe(tensor.descriptor)}`;
}

/**
 * Faults of devices that the lowering does not prevent. The fuzz reports them separately from new ones. They are also
 * described in docs/devices.md.
 *
 * @module
 */

import type { Program } from "../programs.ts";

/** A fault of a device. */
export interface KnownFault {
  readonly device: string;
  readonly reason: string;
  /** Whether this fault makes a program fail. `program` is reduced; `text` describes the failure. */
  matches(program: Program, text: string): boolean;
}

/** The known faults. */
export const KNOWN_FAULTS: readonly KnownFault[] = [
  {
    device: "openvino",
    reason:
      "attention uses the wrong elements of keys or values computed from constants, if in float16 or outputs of the graph",
    matches: (program, text) => !isRejected(text) && hasComputedAttention(program),
  },
  {
    device: "openvino",
    reason:
      "the sign of a 0 is lost: clamps and constants that differ only in it are merged, and additions are removed",
    matches: (program, text) => !isRejected(text) && (hasBothZeros(program) || isOpposite(text)),
  },
  {
    device: "openvino",
    reason: "gelu and hard swish as formulas become operators with an error of up to 4e-6",
    matches: ({ steps }, text) =>
      errorOf(text) < 4e-6 && steps.some(({ operator }) => operator === "erf" || operator === "clamp"),
  },
  {
    device: "openvino",
    reason: "graphs with 0-D inputs, with constant outputs and with some float16 values are rejected",
    matches: (_program, text) => isRejected(text) && REJECTIONS.some((message) => text.includes(message)),
  },
  {
    device: "openvino",
    reason: "a convolution of one channel whose padding is wider than its filter reads beyond its input",
    matches: ({ steps }, text) =>
      !isRejected(text) && ["pad", "conv2d"].every((name) => steps.some(({ operator }) => operator === name)),
  },
];

/** Parts of the messages with which OpenVINO rejects valid graphs. */
const REJECTIONS = [
  "the graph is not acyclic",
  "Argument element types are inconsistent",
  "Exception while Loading Network",
  "Unsupported output data type",
];

/** The reason for a failure on a device, if it is a known fault. */
export function knownFault(device: string, program: Program, text: string): string | undefined {
  return KNOWN_FAULTS.find((fault) => fault.device === device && fault.matches(program, text))?.reason;
}

function isRejected(text: string): boolean {
  return text.includes("rejected: ");
}

/** Whether an infinity or zero has the wrong sign. */
function isOpposite(text: string): boolean {
  const [, together, exact] = /is (-?Infinity|-?0) together, .*?(\S+) in float64/.exec(text)?.map(Number) ?? [];
  return together !== undefined && exact !== undefined && Object.is(together, -exact);
}

/** The error of a result that a failure names, relative to results above 1; Infinity if it names none. */
function errorOf(text: string): number {
  const [, together, exact] = /is (\S+) together, .*?(\S+) in float64/.exec(text)?.map(Number) ?? [];
  if (together === undefined || exact === undefined) return Infinity;
  return Math.abs(together - exact) / Math.max(1, Math.abs(exact));
}

/** Whether there is attention (two products, one of them of a softmax) in which an operand is computed from constants. */
function hasComputedAttention({ leaves, steps }: Program): boolean {
  const constants = new Set(leaves.filter(({ isConstant }) => isConstant).map(({ id }) => id));
  const computed = new Set<number>();
  const products: (readonly number[])[] = [];
  const weights = new Set<number>();
  for (const { operator, operands, outputs } of steps) {
    const ids = Object.values(operands).flat();
    if (ids.every((id) => constants.has(id) || computed.has(id))) outputs.forEach((id) => computed.add(id));
    if (operator === "matmul") products.push(ids);
    if (operator === "softmax") weights.add(outputs[0]!);
  }
  return products.length > 1 && products.some((ids) => ids.some((id) => weights.has(id))) &&
    products.some((ids) => ids.some((id) => computed.has(id)));
}

/** Whether bounds of clamps, or constants, are both 0 and -0. */
function hasBothZeros({ leaves, steps }: Program): boolean {
  const bounds = steps.filter(({ operator }) => operator === "clamp")
    .flatMap(({ attributes: { minValue, maxValue } }) => [minValue, maxValue]);
  const numbers = leaves.filter(({ isConstant, tensor }) => isConstant && tensor.data.length === 1)
    .map(({ tensor }) => tensor.data[0]);
  return [bounds, numbers].some((zeros) =>
    zeros.some((zero) => Object.is(zero, 0)) && zeros.some((zero) => Object.is(zero, -0))
  );
}

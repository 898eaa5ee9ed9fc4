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
    reason: "attention with float16 keys or values that are computed from constants uses other elements of them",
    matches: (program, text) => !isRejected(text) && hasComputedAttention(program),
  },
  {
    device: "openvino",
    reason: "clamps that differ only in the sign of a bound that is 0 are merged",
    matches: (program, text) => !isRejected(text) && hasBothZeros(program),
  },
  {
    device: "openvino",
    reason: "gelu and hard swish as formulas become operators with a relative error of up to 4e-6",
    matches: ({ steps }, text) =>
      relativeError(text) < 4e-6 && steps.some(({ operator }) => operator === "erf" || operator === "clamp"),
  },
  {
    device: "openvino",
    reason: "a concat of float16 values gets one that was converted to float32, and is rejected",
    matches: (_program, text) => text.includes("Argument element types are inconsistent"),
  },
];

/** The reason for a failure on a device, if it is a known fault. */
export function knownFault(device: string, program: Program, text: string): string | undefined {
  return KNOWN_FAULTS.find((fault) => fault.device === device && fault.matches(program, text))?.reason;
}

function isRejected(text: string): boolean {
  return text.includes("rejected: ");
}

/** The relative error of a result that a failure names; Infinity if it names none. */
function relativeError(text: string): number {
  const [, together, exact] = /is (\S+) together, .*?(\S+) in float64/.exec(text)?.map(Number) ?? [];
  return together === undefined || exact === undefined ? Infinity : Math.abs(together / exact - 1);
}

/**
 * Whether there is attention (two products, one of them of a softmax) in which an operand was computed from constants in
 * float16.
 */
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
  return leaves.some(({ tensor }) => tensor.dataType === "float16") && products.length > 1 &&
    products.some((ids) => ids.some((id) => weights.has(id))) &&
    products.some((ids) => ids.some((id) => computed.has(id)));
}

/** Whether clamps have both 0 and -0 as a bound. */
function hasBothZeros({ steps }: Program): boolean {
  const bounds = steps.filter(({ operator }) => operator === "clamp")
    .flatMap(({ attributes: { minValue, maxValue } }) => [minValue, maxValue]);
  return bounds.some((bound) => Object.is(bound, 0)) && bounds.some((bound) => Object.is(bound, -0));
}

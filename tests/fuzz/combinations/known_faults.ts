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
    reason: "attention (a product, softmax, a product) with constant keys or values is computed with other elements",
    matches: (program, text) => !isRejected(text) && hasConstantAttention(program),
  },
  {
    device: "openvino",
    reason: "clamps that differ only in the sign of a bound that is 0 are merged",
    matches: (program, text) => !isRejected(text) && hasBothZeros(program),
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

/**
 * Whether there is attention (two products, one of them of a softmax) in which an operand does not depend on inputs.
 */
function hasConstantAttention(program: Program): boolean {
  const constants = new Set(program.leaves.filter(({ isConstant }) => isConstant).map(({ id }) => id));
  const products: { readonly operands: readonly number[]; readonly output: number }[] = [];
  const weights = new Set<number>();
  for (const { operator, operands, outputs } of program.steps) {
    const ids = Object.values(operands).flat();
    if (ids.every((id) => constants.has(id))) outputs.forEach((id) => constants.add(id));
    if (operator === "matmul") products.push({ operands: ids, output: outputs[0]! });
    if (operator === "softmax") weights.add(outputs[0]!);
  }
  const isConstant = ({ operands }: { readonly operands: readonly number[] }) =>
    operands.some((id) => constants.has(id));
  return products.some(({ operands }) => operands.some((id) => weights.has(id))) && products.length > 1 &&
    products.some(isConstant);
}

/** Whether clamps have both 0 and -0 as a bound. */
function hasBothZeros({ steps }: Program): boolean {
  const bounds = steps.filter(({ operator }) => operator === "clamp")
    .flatMap(({ attributes: { minValue, maxValue } }) => [minValue, maxValue]);
  return bounds.some((bound) => Object.is(bound, 0)) && bounds.some((bound) => Object.is(bound, -0));
}

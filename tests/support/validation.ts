/**
 * Tests of the builder's validation, from one table per operator.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { MLGraphBuilder, MLOperand, MLOperandDataType } from "../../mod.ts";
import { DATA_TYPES } from "../../src/data_type.ts";
import type { OperatorName } from "../../src/ops/operators.ts";
import { newBuilder } from "./builder.ts";
import { isListOfShapes } from "./operator_samples.ts";
import { callOperator } from "./run_operator.ts";

type Shape = readonly number[];

/** The arguments of one call. */
interface Call {
  /** The shapes of the operands, by name; several for a list. */
  readonly shapes: Readonly<Record<string, Shape | readonly Shape[]>>;
  /** Data types that differ from those of {@linkcode Validation.types}. */
  readonly types?: Readonly<Record<string, MLOperandDataType>>;
  /** Parameters and options by name. */
  readonly attributes?: Readonly<Record<string, unknown>>;
}

/** A valid call, and the shapes of its outputs. */
interface ValidCall extends Call {
  readonly outputs: readonly Shape[];
  /** The data type of the outputs; by default that of the first operand. */
  readonly outputType?: MLOperandDataType;
  /** The operand whose data type the outputs have; by default the first one. */
  readonly outputTypeOf?: string;
}

/** An invalid call, and what its message must contain. */
interface InvalidCall extends Call {
  readonly message: string;
}

/** Valid and invalid calls. */
export interface Validation {
  /** The data types of each operand. An operand that is not listed must have the type of the first one. */
  readonly types: Readonly<Record<string, readonly MLOperandDataType[]>>;
  /** The first one is tested with all data types. */
  readonly valid: readonly [ValidCall, ...ValidCall[]];
  /** Rejected by the operator's own steps, with the label in the message. */
  readonly invalid: readonly InvalidCall[];
  /** Rejected by WebIDL, before the label is known. */
  readonly unconvertible?: readonly InvalidCall[];
}

const LABEL = "the label";

/** Registers the tests of one operator. */
export function testValidation(name: OperatorName, table: Validation): void {
  const { valid, invalid, unconvertible = [] } = table;
  const start = `MLGraphBuilder.${name}: `;
  const labelled = `${start}[${LABEL}] `;
  Deno.test(`${name} returns outputs of the right types and shapes`, async () => {
    const builder = await newBuilder();
    for (const call of valid) checkAccepted(builder, name, call, table);
  });
  Deno.test(`${name} accepts exactly the data types of the standard`, async () => {
    const builder = await newBuilder();
    for (const [operand, allowed] of Object.entries(table.types)) {
      for (const type of DATA_TYPES) {
        const call = { ...valid[0], types: { ...valid[0].types, [operand]: type } };
        if (allowed.includes(type)) checkAccepted(builder, name, call, table);
        else checkRejected(labelled, "must be", () => callWith(builder, name, call, table));
      }
    }
  });
  Deno.test(`${name} rejects invalid calls`, async () => {
    const builder = await newBuilder();
    for (const call of invalid) checkRejected(labelled, call.message, () => callWith(builder, name, call, table));
    for (const call of unconvertible) checkRejected(start, call.message, () => callWith(builder, name, call, table));
  });
  Deno.test(`${name} rejects operands of another builder`, async () => {
    const [builder, other] = [await newBuilder(), await newBuilder()];
    for (const operand of Object.keys(valid[0].shapes)) {
      const owner = (key: string) => key === operand ? other : builder;
      checkRejected(labelled, "belongs to another builder", () => callWith(builder, name, valid[0], table, owner));
    }
  });
}

function checkAccepted(builder: MLGraphBuilder, name: OperatorName, call: ValidCall, table: Validation): void {
  const outputs = callWith(builder, name, call, table);
  const dataType = call.outputType ?? typeOf(call.outputTypeOf ?? Object.keys(call.shapes)[0]!, call, table);
  assertEquals(
    outputs.map(({ dataType, shape }) => ({ dataType, shape: [...shape] })),
    call.outputs.map((shape) => ({ dataType, shape: [...shape] })),
    `${name} of ${Deno.inspect(call)}`,
  );
}

function checkRejected(start: string, fragment: string, call: () => unknown): void {
  const { message } = assertThrows(call, TypeError);
  assert(message.startsWith(start), `${message} should start with ${start}`);
  assertStringIncludes(message, fragment);
}

/** Calls the method. The inputs belong to the builder, or to `owner` if it is given. */
function callWith(
  builder: MLGraphBuilder,
  name: OperatorName,
  call: Call,
  table: Validation,
  owner: (operand: string) => MLGraphBuilder = () => builder,
): MLOperand[] {
  const operands = Object.entries(call.shapes).map(([key, shape]) => {
    const input = (shape: Shape) => owner(key).input(key, { dataType: typeOf(key, call, table), shape });
    return [key, isListOfShapes(shape) ? shape.map(input) : input(shape)] as const;
  });
  return callOperator(builder, name, Object.fromEntries(operands), { ...call.attributes, label: LABEL });
}

function typeOf(operand: string, { shapes, types = {} }: Call, table: Validation): MLOperandDataType {
  return types[operand] ?? table.types[operand]?.[0] ?? typeOf(Object.keys(shapes)[0]!, { shapes, types }, table);
}

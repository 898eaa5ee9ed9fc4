/**
 * Records the operators of rows: computes those on small known values, and adds the others to the graph of a builder.
 *
 * @module
 */

import type { MLGraphBuilder } from "../api/ml_graph_builder.ts";
import type { MLOperand } from "../api/ml_operand.ts";
import type { MLTensor } from "../api/ml_tensor.ts";
import type { MLOpSupportLimits } from "../api/support_limits.ts";
import { sameShape } from "../shape.ts";
import type { MakeConstant } from "./constants.ts";
import { evaluate } from "./evaluate/evaluate.ts";
import type { ElementType, Known } from "./model.ts";
import { Operand, type OperatorName, type Recorder } from "./operand.ts";
import { operandType, type PlainType } from "./element_type.ts";
import { type Computed, isKnown, known, type Value } from "./value.ts";

const NO_SOURCES: ReadonlySet<string> = new Set();

/** What a recorder needs of its walk. */
export interface Host {
  /** Creates the constants of the graph. */
  makeConstant(): MakeConstant;
  /** @see Recorder.demand */
  demand(value: Value, what: string): Known;
}

/** The recorder for a graph of a builder. */
export class GraphRecorder implements Recorder {
  /** The operands that are not results of an operator; they cannot be outputs of a graph directly. */
  readonly leaves = new Set<MLOperand>();
  readonly #constants = new Map<Known, MLOperand>();
  readonly #scalars = new Map<string, Known>();
  /** Known values in other shapes. */
  readonly #shapes = new Map<Known, Map<string, Known>>();
  readonly #weights = new Set<MLOperand>();

  constructor(
    readonly builder: MLGraphBuilder,
    readonly limits: MLOpSupportLimits,
    private readonly host: Host,
  ) {}

  /** @see Recorder.call */
  call(name: OperatorName, args: readonly unknown[]): Operand | Operand[] {
    const values = [...valuesIn(args)];
    if (values.every(isKnown)) {
      const result = evaluate(name, args.map(withValues), this.limits);
      if (result) return new Operand(this, result);
    }
    const sources = values.reduce((union, value) => isKnown(value) ? union : unite(union, value.sources), NO_SOURCES);
    const given = name === "cast" ? [args[0], operandType(args[1] as ElementType, this.limits)] : args;
    const lowered = given.map((arg) => this.#lower(arg));
    const result = (this.builder[name] as (...args: unknown[]) => MLOperand | MLOperand[])(...lowered);
    const wrap = (operand: MLOperand) => new Operand(this, this.computed(operand, sources));
    return Array.isArray(result) ? result.map(wrap) : wrap(result);
  }

  /** The value of an operand, without a key yet. */
  computed(operand: MLOperand, sources: ReadonlySet<string>): Computed {
    return { operand, type: operand.dataType, shape: operand.shape, sources, key: "", root: "" };
  }

  /** The value of an operand that is not the result of an operator. */
  leaf(operand: MLOperand, source?: string): Computed {
    this.leaves.add(operand);
    return this.computed(operand, source === undefined ? NO_SOURCES : new Set([source]));
  }

  /** The value of a weight that is in a tensor. */
  weight(tensor: MLTensor): Computed {
    const value = this.leaf(this.builder.constant(tensor));
    this.#weights.add(value.operand);
    return value;
  }

  /** An argument with operands of the builder; options without those that are undefined. */
  #lower(argument: unknown): unknown {
    if (argument instanceof Operand) return this.operandOf(argument.value);
    if (Array.isArray(argument)) return argument.map((item) => this.#lower(item));
    if (typeof argument !== "object" || argument === null) return argument;
    const given = Object.entries(argument).filter(([, value]) => value !== undefined);
    return Object.fromEntries(given.map(([key, value]) => [key, this.#lower(value)]));
  }

  /** The operand of a value. A known value becomes a constant, of which there is only one. */
  operandOf(value: Value): MLOperand {
    if (!isKnown(value)) return value.operand;
    let operand = this.#constants.get(value);
    if (!operand) {
      operand = this.host.makeConstant()(this.builder, value, this.limits);
      this.#constants.set(value, operand);
      this.leaves.add(operand);
    }
    return operand;
  }

  /** @see Recorder.reshaped */
  reshaped(value: Known, shape: readonly number[]): Known {
    if (sameShape(value.shape, shape)) return value;
    const shapes = this.#shapes.get(value) ?? new Map<string, Known>();
    this.#shapes.set(value, shapes);
    const shaped = shapes.get(`${shape}`) ?? { ...value, shape };
    shapes.set(`${shape}`, shaped);
    return shaped;
  }

  /** @see Recorder.scalar */
  scalar(type: PlainType, value: number | bigint): Known {
    const key = `${type} ${Object.is(value, -0) ? "-0" : value}`;
    const scalar = this.#scalars.get(key) ?? known(type, [], [value]);
    this.#scalars.set(key, scalar);
    return scalar;
  }

  /** @see Recorder.isWeight */
  isWeight(value: Value): boolean {
    return !isKnown(value) && this.#weights.has(value.operand);
  }

  /** @see Recorder.demand */
  demand(value: Value, what: string): Known {
    return this.host.demand(value, what);
  }
}

/** The values of the operands among arguments: operands, lists of them, and options that contain some. */
function* valuesIn(argument: unknown): Generator<Value> {
  if (argument instanceof Operand) yield argument.value;
  else if (Array.isArray(argument)) { for (const item of argument) yield* valuesIn(item); }
  else if (typeof argument === "object" && argument !== null) yield* valuesIn(Object.values(argument));
}

function withValues(argument: unknown): unknown {
  if (Array.isArray(argument)) return argument.map(withValues);
  return argument instanceof Operand ? argument.value : argument;
}

function unite(a: ReadonlySet<string>, b: ReadonlySet<string>): ReadonlySet<string> {
  if (a.size === 0 || a === b) return b;
  return b.isSubsetOf(a) ? a : a.union(b);
}

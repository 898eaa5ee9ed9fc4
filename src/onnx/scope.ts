/**
 * The names that a graph or body sees, and what walks through bodies need of the walk that they are part of.
 *
 * @module
 */

import type { MLOperand } from "../api/ml_operand.ts";
import type { OnnxGraph, OnnxNode, ValueInfo } from "./model.ts";
import type { Walk } from "./node.ts";
import type { Steps } from "./read.ts";
import type { Computed, Value } from "./value.ts";

/** Stands for a value that was refused, or waits for one that is demanded. */
export const UNKNOWN: unique symbol = Symbol("unknown");

/** The names that a graph or body can see. */
export class Scope {
  readonly #values = new Map<string, Value | typeof UNKNOWN>();

  /** A scope within another; `prefix` makes the keys of its values differ from those of others. */
  constructor(
    readonly outer: Scope | undefined,
    readonly prefix: string,
    readonly opsets: ReadonlyMap<string, number>,
    readonly infos: () => ReadonlyMap<string, ValueInfo>,
  ) {}

  /** The value of a name. */
  find(name: string): Value | typeof UNKNOWN | undefined {
    return this.#values.get(name) ?? this.outer?.find(name);
  }

  /** Gives a name a value. */
  set(name: string, value: Value | typeof UNKNOWN): void {
    this.#values.set(name, value);
  }
}

/** Whether a value is not known yet, or refused. */
export function isUnknown(value: unknown): value is typeof UNKNOWN {
  return value === UNKNOWN;
}

/** A walk, for operators that have bodies. */
export interface Walking extends Walk {
  /** Counts a step, so that hostile models come to an end. */
  step(): void;
  /** Walks a body or function: what is within counts as the node around it. */
  within(steps: Steps<void>): Steps<void>;
  /** Walks the nodes of a graph on which the wanted values depend. */
  walkGraph(graph: OnnxGraph, scope: Scope, wanted: readonly string[]): Steps<void>;
  /** Walks those of some nodes on which the wanted values depend. */
  walkNodes(nodes: readonly OnnxNode[], scope: Scope, wanted: readonly string[]): Steps<void>;
  /** The value of an operand, which has yet to get its key. */
  computed(operand: MLOperand): Computed;
  /** A value under another key, or what is known under that key. */
  renamed(value: Value, key: string): Value;
}

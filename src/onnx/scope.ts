/**
 * The names that are visible in a graph or body, and the interface of a walk for operators with bodies.
 *
 * @module
 */

import type { OnnxGraph, ValueInfo } from "./model.ts";
import type { Steps } from "../event_loop.ts";
import type { Operand, Recorder } from "./operand.ts";
import type { Value } from "./value.ts";

/** Marks a value that the walk lacks: its node is unsupported, or waits for a demanded value. */
export const UNKNOWN: unique symbol = Symbol("unknown");

/** The names that are visible in a graph or body. */
export class Scope {
  readonly #values = new Map<string, Value | typeof UNKNOWN>();

  /** A scope inside `outer`, if any; `prefix` makes the keys of its values unique. */
  constructor(
    readonly outer: Scope | undefined,
    readonly prefix: string,
    readonly opsets: ReadonlyMap<string, number>,
    readonly infos: () => ReadonlyMap<string, ValueInfo>,
  ) {}

  find(name: string): Value | typeof UNKNOWN | undefined {
    return this.#values.get(name) ?? this.outer?.find(name);
  }

  set(name: string, value: Value | typeof UNKNOWN): void {
    this.#values.set(name, value);
  }
}

/** A walk, as operators with bodies see it. */
export interface Walking {
  readonly recorder: Recorder;
  /** Counts a node, and throws after too many: bodies in a malicious file could unroll without end. */
  step(): void;
  /**
   * Walks the nodes of a body or function on which its outputs depend. The `root` of their values belongs to the node
   * of the main graph that contains them.
   * @param inputs by position; `undefined` if omitted
   * @returns a list of the outputs, with `undefined` for one that no node computes; or `undefined` instead of the list
   * if one is `UNKNOWN`
   */
  walkInner(
    graph: Pick<OnnxGraph, "nodes"> & Partial<Pick<OnnxGraph, "initializers">>,
    scope: Scope,
    names: { readonly inputs: readonly string[]; readonly outputs: readonly string[] },
    inputs: readonly (Operand | undefined)[],
  ): Steps<(Operand | undefined)[] | undefined>;
}

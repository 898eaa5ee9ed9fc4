/**
 * The names that are visible in a graph or body, and the interface of a walk for operators with bodies.
 *
 * @module
 */

import type { OnnxGraph, OnnxNode, ValueInfo } from "./model.ts";
import type { Steps } from "../event_loop.ts";
import type { Recorder } from "./operand.ts";
import type { Value } from "./value.ts";

/** Represents a value that is unsupported, or waits for a demanded value. */
export const UNKNOWN: unique symbol = Symbol("unknown");

/** The names that are visible in a graph or body. */
export class Scope {
  readonly #values = new Map<string, Value | typeof UNKNOWN>();

  /** A nested scope; `prefix` makes the keys of its values unique. */
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

/** Whether a value is unsupported or not known yet. */
export function isUnknown(value: unknown): value is typeof UNKNOWN {
  return value === UNKNOWN;
}

/** A walk, as operators with bodies see it. */
export interface Walking {
  readonly recorder: Recorder;
  /** Counts a step, which limits malicious models. */
  step(): void;
  /** Walks a body or function. Nodes in it are attributed to the node around it. */
  within(steps: Steps<void>): Steps<void>;
  /** Walks the nodes of a graph on which the wanted values depend. */
  walkGraph(graph: OnnxGraph, scope: Scope, wanted: readonly string[]): Steps<void>;
  /** Walks those of the nodes on which the wanted values depend. */
  walkNodes(nodes: readonly OnnxNode[], scope: Scope, wanted: readonly string[]): Steps<void>;
  /** A value under another key, or the known value of that key. */
  renamed(value: Value, key: string): Value;
}

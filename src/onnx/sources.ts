/**
 * Tracks the model inputs on which each operand depends.
 *
 * @module
 */

import type { MLGraphBuilder } from "../api/ml_graph_builder.ts";
import type { MLOperand } from "../api/ml_operand.ts";

type Method = (...args: unknown[]) => unknown;

const NONE: ReadonlySet<string> = new Set();

/** Tracks operands through the calls of a builder. */
export class Sources {
  readonly #sources = new WeakMap<object, ReadonlySet<string>>();

  /** The inputs on which an operand depends. */
  of(operand: MLOperand): ReadonlySet<string> {
    return this.#sources.get(operand) ?? NONE;
  }

  /** Makes an operand a source itself. */
  set(operand: MLOperand, name: string): void {
    this.#sources.set(operand, new Set([name]));
  }

  /** The builder, with its calls tracked. */
  track(builder: MLGraphBuilder): MLGraphBuilder {
    const methods = new Map<PropertyKey, unknown>();
    return new Proxy(builder, {
      get: (target, name) => {
        let method = methods.get(name);
        if (method === undefined) methods.set(name, method = this.#follow(target, Reflect.get(target, name)));
        return method;
      },
    });
  }

  #follow(target: MLGraphBuilder, method: unknown): unknown {
    if (typeof method !== "function") return method;
    return (...args: unknown[]) => {
      const result = (method as Method).apply(target, args);
      const sources = args.reduce<ReadonlySet<string>>((union, arg) => this.#within(arg, union), NONE);
      if (sources.size > 0) { for (const operand of [result].flat()) this.#sources.set(operand as object, sources); }
      return result;
    };
  }

  /** Adds the sources of an argument: an operand, a list of operands, or options that contain some. */
  #within(argument: unknown, union: ReadonlySet<string>): ReadonlySet<string> {
    if (typeof argument !== "object" || argument === null || ArrayBuffer.isView(argument)) return union;
    const sources = this.#sources.get(argument);
    if (sources) return unite(union, sources);
    if (Array.isArray(argument) && typeof argument[0] === "number") return union;
    for (const item of Array.isArray(argument) ? argument : Object.values(argument)) union = this.#within(item, union);
    return union;
  }
}

function unite(a: ReadonlySet<string>, b: ReadonlySet<string>): ReadonlySet<string> {
  if (a.size === 0 || a === b) return b;
  return b.isSubsetOf(a) ? a : a.union(b);
}

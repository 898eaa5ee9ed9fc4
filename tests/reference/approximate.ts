/**
 * Numbers with a bound for the error of an engine that computes them, to first order, in units of `terms * ε` (see
 * {@linkcode RefTensor}). For recurrent operators, in which the error of a step affects the next.
 *
 * @module
 */

import { sigmoid } from "./special_functions.ts";

/** A float64 value, and a bound for the error of an engine that computes it. */
export interface Approximate {
  readonly value: number;
  readonly error: number;
}

/** An input of an engine, which has no error. */
export function exact(value: number): Approximate {
  return { value, error: 0 };
}

/** A sum. */
export function add(...addends: readonly Approximate[]): Approximate {
  const value = addends.reduce((total, addend) => total + addend.value, 0);
  return { value, error: addends.reduce((total, addend) => total + addend.error + Math.abs(addend.value), 0) };
}

/** A product. */
export function multiply(a: Approximate, b: Approximate): Approximate {
  const value = a.value * b.value;
  return { value, error: Math.abs(a.value) * b.error + Math.abs(b.value) * a.error + Math.abs(value) };
}

/** 1 - x. */
export function complement(x: Approximate): Approximate {
  return add(exact(1), { value: -x.value, error: x.error });
}

/** A function with slope at most `slope` everywhere. */
function lipschitz(compute: (x: number) => number, slope: number): (x: Approximate) => Approximate {
  return (x) => {
    const value = compute(x.value);
    return { value, error: slope * x.error + Math.abs(value) };
  };
}

/**
 * The activations of [MLRecurrentNetworkActivation](https://www.w3.org/TR/webnn/#enumdef-mlrecurrentnetworkactivation).
 */
export const ACTIVATIONS: Readonly<Record<string, (x: Approximate) => Approximate>> = {
  relu: lipschitz((x) => Math.max(x, 0), 1),
  sigmoid: lipschitz(sigmoid, 1 / 4),
  tanh: lipschitz(Math.tanh, 1),
};

/**
 * Conversions from JavaScript values to WebIDL types, as the npm package webidl-conversions does them, for the few
 * types that WebNN has. Loading the package took 20 ms, more than all of src/api.
 *
 * A converter takes a value and a context, with which its messages start: `MLGraphBuilder.conv2d: options.groups`.
 *
 * @see https://webidl.spec.whatwg.org/#es-type-mapping
 * @module
 */

/** Converts a value or throws a TypeError whose message starts with `context`. */
export type Converter<T> = (value: unknown, context: string) => T;

/** The type that a converter returns. */
export type Converted<C> = C extends Converter<infer T> ? T : never;

/** `boolean`. */
export const boolean: Converter<boolean> = (value) => Boolean(value);

/** `[EnforceRange] unsigned long`: an integer from 0 to 2³² − 1 after truncation, else a TypeError. */
export const u32EnforceRange: Converter<number> = (value, context) =>
  // Nearly every value is an integer in range, which needs no conversion.
  isU32(value) ? value + 0 : enforceRange(value, context, 0, 2 ** 32 - 1); // -0 becomes 0.

function isU32(value: unknown): value is number {
  return typeof value === "number" && value >>> 0 === value;
}

/** `[EnforceRange] long`. */
export const i32EnforceRange: Converter<number> = (value, context) =>
  enforceRange(value, context, -(2 ** 31), 2 ** 31 - 1);

/** @see https://webidl.spec.whatwg.org/#abstract-opdef-converttoint */
function enforceRange(value: unknown, context: string, least: number, greatest: number): number {
  const integer = Math.trunc(double(value, context)) + 0; // -0 becomes 0.
  if (integer < least || integer > greatest) {
    throw new TypeError(`${context} is outside the accepted range of ${least} to ${greatest}, inclusive.`);
  }
  return integer;
}

/** `unsigned long`: wraps modulo 2³². */
export const u32: Converter<number> = (value, context) => toNumber(value, context) >>> 0;

/** `double`: a finite number. */
export const double: Converter<number> = (value, context) => {
  const number = toNumber(value, context);
  if (!Number.isFinite(number)) throw new TypeError(`${context} is not a finite floating-point value.`);
  return number;
};

/** `float`: a finite number, rounded to float32. */
export const float: Converter<number> = (value, context) => {
  const number = Math.fround(double(value, context));
  if (!Number.isFinite(number)) {
    throw new TypeError(`${context} is outside the range of a single-precision floating-point value.`);
  }
  return number;
};

function toNumber(value: unknown, context: string): number {
  if (typeof value === "bigint" || typeof value === "symbol") {
    throw new TypeError(`${context} is a ${typeof value}, which cannot be converted to a number.`);
  }
  return +(value as number);
}

/** `DOMString`. */
const domString: Converter<string> = (value, context) => {
  if (typeof value === "symbol") throw new TypeError(`${context} is a symbol, which cannot be converted to a string.`);
  return String(value);
};

/** `USVString`: lone surrogates become U+FFFD. */
export const usvString: Converter<string> = (value, context) => domString(value, context).toWellFormed();

/** `(bigint or unrestricted double)`, the standard's MLNumber: the result of ToNumeric. */
export const mlNumber: Converter<number | bigint> = (value, context) => {
  if (typeof value === "number" || typeof value === "bigint") return value;
  if (typeof value === "symbol") throw new TypeError(`${context} is a symbol, not a number or a BigInt.`);
  let numeric = value as number | bigint;
  // The value of a postfix increment is ToNumeric of its operand. No other expression returns that unchanged.
  return numeric++;
};

/** An enumeration: after conversion to a string, one of `values`. */
export function enumeration<const T extends string>(name: string, values: readonly T[]): Converter<T> {
  const known: ReadonlySet<string> = new Set(values);
  return (value, context) => {
    const text = domString(value, context);
    if (!known.has(text)) {
      throw new TypeError(
        `${context} is ${JSON.stringify(text)}, which is not a value of ${name} (${values.join(", ")}).`,
      );
    }
    return text as T;
  };
}

/** `sequence<T>`: any iterable object. */
export function sequence<T>(item: Converter<T>): Converter<T[]> {
  return (value, context) => {
    if (!isObject(value)) throw new TypeError(`${context} is not an iterable object.`);
    const method = (value as Partial<Iterable<unknown>>)[Symbol.iterator];
    if (method === undefined || method === null) throw new TypeError(`${context} is not iterable.`);
    return sequenceFromIterator(value, method, item, context);
  };
}

/** The steps for a sequence whose `@@iterator` is already read: union resolution reads it only once. */
export function sequenceFromIterator<T>(
  value: object,
  method: unknown,
  item: Converter<T>,
  context: string,
): T[] {
  if (method === arrayValues && Array.isArray(value) && arrayIterator.next === arrayNext) {
    return itemsOfArray(value, item, context);
  }
  if (typeof method !== "function") throw new TypeError(`${context}[Symbol.iterator] is not a function.`);
  const iterator: unknown = Reflect.apply(method, value, []);
  if (!isObject(iterator)) throw new TypeError(`${context} has an iterator that is not an object.`);
  const { next } = iterator as { next: unknown };
  const items: T[] = [];
  // Not for-of: WebIDL does not close the iterator if an element is rejected.
  for (;;) {
    const step: unknown = Reflect.apply(next as () => unknown, iterator, []);
    if (!isObject(step)) throw new TypeError(`${context} has an iterator whose step is not an object.`);
    const { done } = step as IteratorResult<unknown>;
    if (done) return items;
    items.push(item((step as IteratorResult<unknown>).value, `${context}[${items.length}]`));
  }
}

const arrayValues = Array.prototype.values;
const arrayIterator: Iterator<unknown> = Object.getPrototypeOf([].values());
const arrayNext = arrayIterator.next;

/** Equivalent to an array's own iterator, without an object per step. The array may grow or shrink meanwhile. */
function itemsOfArray<T>(array: readonly unknown[], item: Converter<T>, context: string): T[] {
  const items: T[] = [];
  for (let i = 0; i < array.length; i++) {
    const value = array[i];
    // Most items are such integers. Making the context of a message takes longer than their conversion.
    if (item as Converter<unknown> === u32EnforceRange && isU32(value)) items.push(item(value, context));
    else items.push(item(value, `${context}[${i}]`));
  }
  return items;
}

/** `(T or sequence<T>)`: an iterable object is a list, anything else is one value. */
export function oneOrSequence<T>(item: Converter<T>): Converter<T | T[]> {
  return (value, context) => {
    if (isObject(value)) {
      const method = (value as Partial<Iterable<unknown>>)[Symbol.iterator];
      if (method !== undefined && method !== null) return sequenceFromIterator(value, method, item, context);
    }
    return item(value, context);
  };
}

/** Converts the value of a key. Messages start with `context` and the key. */
export type ItemConverter<T> = (value: unknown, context: string, key: string) => T;

/** The unique names of a record, and the value of each. Two arrays take half the time of a Map. */
export interface NamedValues<T> {
  readonly names: readonly string[];
  readonly values: readonly T[];
}

/**
 * `record<USVString, T>`: own enumerable properties, in property order.
 *
 * The spread reads properties in the same order as WebIDL, in a fifth of the time. The only difference: all values are
 * read before the first one is converted.
 */
export function record<T>(item: ItemConverter<T>): Converter<NamedValues<T>> {
  return (value, context) => {
    if (!isObject(value)) throw new TypeError(`${context} is not an object.`);
    const own: Record<string, unknown> = { ...value };
    const [symbol] = Object.getOwnPropertySymbols(own);
    if (symbol !== undefined) usvString(symbol, `A key of ${context}`);
    const names = Object.keys(own);
    const values: T[] = [];
    let isWellFormed = true;
    for (const name of names) {
      isWellFormed &&= name.isWellFormed();
      values.push(item(own[name], context, isWellFormed ? name : name.toWellFormed()));
    }
    return isWellFormed ? { names, values } : wellFormed({ names, values });
  };
}

/** Keys are unique, but two that are not well-formed may become the same name: the value of the last one counts. */
function wellFormed<T>({ names, values }: NamedValues<T>): NamedValues<T> {
  const named = new Map(names.map((name, i) => [name.toWellFormed(), values[i]!]));
  return { names: [...named.keys()], values: [...named.values()] };
}

/** A member of a dictionary: its converter, and what to do if it is missing. */
export interface Member<T, Presence extends "required" | "optional" | "defaulted"> {
  readonly converter: Converter<T>;
  readonly presence: Presence;
  /** The default value of a `"defaulted"` member. */
  readonly fallback?: T;
}

/** Any member. */
// deno-lint-ignore no-explicit-any -- a constraint; every use infers the exact type
export type AnyMember = Member<any, "required" | "optional" | "defaulted">;

/** A member that must be present. */
export function required<T>(converter: Converter<T>): Member<T, "required"> {
  return { converter, presence: "required" };
}

/** A member that may be missing. */
export function optional<T>(converter: Converter<T>): Member<T, "optional"> {
  return { converter, presence: "optional" };
}

/** A member with a default value. */
export function withDefault<T>(converter: Converter<T>, value: NoInfer<T>): Member<T, "defaulted"> {
  return { converter, presence: "defaulted", fallback: value };
}

/** The members of a dictionary, by name. */
export type Members = Readonly<Record<string, AnyMember>>;

type OptionalKeys<M extends Members> = { [K in keyof M]: M[K]["presence"] extends "optional" ? K : never }[keyof M];

/** The type that a dictionary with these members converts to. Only optional members may be missing. */
export type DictionaryOf<M extends Members> =
  & { readonly [K in Exclude<keyof M, OptionalKeys<M>>]: Converted<M[K]["converter"]> }
  & { readonly [K in OptionalKeys<M>]?: Converted<M[K]["converter"]> };

/**
 * A dictionary. Inherited members are converted first, then own members, each in lexicographic order, which getters can
 * observe. Unknown members are ignored.
 * @see https://webidl.spec.whatwg.org/#es-dictionary
 */
export function dictionary<Own extends Members, Inherited extends Members = Record<never, never>>(
  own: Own,
  inherited?: Inherited,
): Converter<DictionaryOf<Own & Inherited>> {
  const members = [...sorted(inherited ?? {}), ...sorted(own)];
  return (value, context) => {
    if (value !== undefined && value !== null && !isObject(value)) {
      throw new TypeError(`${context} is not an object.`);
    }
    const source = value as Record<string, unknown> | undefined | null;
    const result: Record<string, unknown> = {};
    for (let i = 0; i < members.length; i++) {
      const { key, converter, presence, fallback } = members[i]!;
      const given = source?.[key];
      if (given !== undefined) result[key] = converter(given, `${context}.${key}`);
      else if (presence === "defaulted") result[key] = fallback;
      else if (presence === "required") throw new TypeError(`${context}.${key} is required.`);
    }
    return result as DictionaryOf<Own & Inherited>;
  };
}

function sorted(members: Members): (AnyMember & { readonly key: string })[] {
  return Object.keys(members).sort().map((key) => ({ key, ...members[key]! }));
}

/** Whether a value is an Object in the sense of WebIDL, which includes functions. */
export function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

/** Checks that a method got enough arguments. */
export function requireArguments(count: number, needed: number, context: string): void {
  if (count < needed) {
    throw new TypeError(
      `${context}: ${needed} argument${needed === 1 ? "" : "s"} required, but only ${count} present.`,
    );
  }
}

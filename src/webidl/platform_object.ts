/**
 * What makes a class a WebIDL interface: internal slots as the brand, illegal constructors, enumerable members.
 *
 * @module
 */

import { isObject } from "./converters.ts";

/** An internal slot of the objects of one interface. Having it is the brand: a script can neither read nor forge it. */
export interface Slot<T> {
  /** Makes an object of the interface, without running its constructor. */
  create<Interface extends object>(prototype: Interface, value: T): Interface;
  /** Makes the object that an interface's own constructor is constructing one of the interface. */
  initialize(object: object, value: T): void;
  /** Whether the value is such an object. */
  has(value: unknown): boolean;
  /** The slot's value; a TypeError if `this` of a method is no object of the interface. */
  get(object: object): T;
  /** Converts an argument, or the value of a record's key, to the slot's value; a TypeError if it is no such object. */
  convert(value: unknown, context: string, key?: string): T;
}

/** Returns the object it is given, so that a subclass's private field is added to an object that exists already. */
class Identity {
  constructor(object: object) {
    return object;
  }
}

/** Makes the slot of an interface. */
export function slot<T>(interfaceName: string): Slot<T> {
  class Stamp extends Identity {
    #value: T;
    constructor(object: object, value: T) {
      super(object);
      this.#value = value;
    }
    static has(value: object): boolean {
      return #value in value;
    }
    static get(object: object): T {
      if (!isObject(object) || !(#value in object)) throw new TypeError(`Illegal invocation: not an ${interfaceName}`);
      return (object as unknown as Stamp).#value;
    }
  }
  return {
    create<Interface extends object>(prototype: Interface, value: T): Interface {
      return new Stamp(Object.create(prototype) as object, value) as unknown as Interface;
    },
    initialize(object, value) {
      new Stamp(object, value);
    },
    has: (value) => isObject(value) && Stamp.has(value),
    get: Stamp.get,
    convert(value, context, key) {
      if (isObject(value) && Stamp.has(value)) return Stamp.get(value);
      const item = key === undefined ? "" : `["${key}"]`;
      throw new TypeError(`${context}${item} is not an ${interfaceName}.`);
    },
  };
}

/** The body of a constructor that scripts may not call. */
export function illegalConstructor(): never {
  throw new TypeError("Illegal constructor");
}

/** Where Deno's console, and node's, look for the text of an object. */
const INSPECT = [Symbol.for("Deno.customInspect"), Symbol.for("nodejs.util.inspect.custom")];

type Inspect = (value: unknown, options?: unknown) => string;

/**
 * Finishes a class as a WebIDL interface object: attributes and operations are enumerable, the class string is the
 * interface's name.
 *
 * @param describe what the console shows of an object beside the interface's name: the members of its result
 * @see https://webidl.spec.whatwg.org/#js-interfaces
 */
export function defineInterface<Value>(
  constructor: { readonly name: string; readonly prototype: object },
  slot: Slot<Value>,
  describe: (value: Value) => object,
): void {
  const { prototype } = constructor;
  for (const name of Object.getOwnPropertyNames(prototype)) {
    if (name !== "constructor") Object.defineProperty(prototype, name, { enumerable: true });
  }
  Object.defineProperty(prototype, Symbol.toStringTag, { value: constructor.name, configurable: true });
  const { inspect } = {
    /** Deno gives its function first, node last. */
    inspect(this: unknown, first: unknown, options: unknown, last: unknown): string {
      const inspect = (typeof first === "function" ? first : last) as Inspect;
      return `${constructor.name} ${inspect(slot.has(this) ? describe(slot.get(this as object)) : {}, options)}`;
    },
  };
  for (const symbol of INSPECT) Object.defineProperty(prototype, symbol, { value: inspect, configurable: true });
}

/** Runs an operation that returns a promise: whatever its conversions and checks throw rejects the promise. */
export function promised<T>(operation: () => T | PromiseLike<T>): Promise<T> {
  return new Promise((resolve) => resolve(operation()));
}

/**
 * Bindings of tensors to a graph: the native object that runs a graph with a set of tensors, kept for the next run with
 * the same set.
 *
 * @module
 */

/** How many sets of tensors a graph remembers, so that a program that alternates between a few binds each only once. */
export const MAX_BINDINGS = 128;

/** Something that refers to tensors, and must be released before any of them. */
export interface Binding {
  /** Releases it. */
  drop(): void;
}

/** A tensor that knows the bindings that refer to it. */
export interface Bindable {
  readonly bindings: Set<Binding>;
}

/** Releases every binding that refers to a tensor. Call it before the tensor is released. */
export function dropBindings({ bindings }: Bindable): void {
  for (const binding of [...bindings]) binding.drop();
}

/** Makes and releases bindings. */
export interface Binder<Tensor extends Bindable, Native> {
  /** Binds a set of tensors. */
  bind(inputs: readonly Tensor[], outputs: readonly Tensor[]): Native;
  /** Releases a result of `bind`. */
  release(native: Native): void;
}

interface Entry<Tensor, Native> extends Binding {
  /** None once it is dropped, so that it matches no set. */
  tensors: readonly Tensor[];
  readonly native: Native;
  /** The entry that was used after this one the last time. */
  next: Entry<Tensor, Native> | undefined;
}

/**
 * A graph's bindings to the last few sets of tensors that it ran with (a least-recently-used cache). Programs often use
 * many sets in the same order again, such as one per layer: the set that followed the last one is tried first.
 */
export class RecentBindings<Tensor extends Bindable, Native> {
  /** The least recently used first. */
  readonly #entries = new Set<Entry<Tensor, Native>>();
  readonly #binder: Binder<Tensor, Native>;
  #last: Entry<Tensor, Native> | undefined;

  constructor(binder: Binder<Tensor, Native>) {
    this.#binder = binder;
  }

  /** The binding to these tensors. Creates one if necessary, and may drop the least recently used. */
  get(inputs: readonly Tensor[], outputs: readonly Tensor[]): Native {
    const entry = this.#find(inputs, outputs) ?? this.#make(inputs, outputs);
    if (this.#last) this.#last.next = entry;
    if (this.#last !== entry) {
      this.#last = entry;
      this.#entries.delete(entry);
      this.#entries.add(entry);
    }
    return entry.native;
  }

  /** Releases all bindings. */
  clear(): void {
    for (const entry of this.#entries) entry.drop();
  }

  #find(inputs: readonly Tensor[], outputs: readonly Tensor[]): Entry<Tensor, Native> | undefined {
    const expected = this.#last?.next;
    if (expected && bindsTo(expected.tensors, inputs, outputs)) return expected;
    for (const entry of this.#entries) if (bindsTo(entry.tensors, inputs, outputs)) return entry;
    return undefined;
  }

  #make(inputs: readonly Tensor[], outputs: readonly Tensor[]): Entry<Tensor, Native> {
    const native = this.#binder.bind(inputs, outputs);
    const [oldest] = this.#entries;
    if (oldest && this.#entries.size === MAX_BINDINGS) oldest.drop();
    const tensors = [...inputs, ...outputs];
    const entry: Entry<Tensor, Native> = { tensors, native, next: undefined, drop: () => this.#drop(entry) };
    for (const tensor of tensors) tensor.bindings.add(entry);
    return entry;
  }

  #drop(entry: Entry<Tensor, Native>): void {
    this.#entries.delete(entry);
    if (this.#last === entry) this.#last = undefined;
    for (const tensor of entry.tensors) tensor.bindings.delete(entry);
    entry.tensors = [];
    entry.next = undefined;
    this.#binder.release(entry.native);
  }
}

/** Whether a binding has these tensors. */
function bindsTo(tensors: readonly unknown[], inputs: readonly unknown[], outputs: readonly unknown[]): boolean {
  if (tensors.length === 0) return false;
  for (let i = 0; i < inputs.length; i++) if (tensors[i] !== inputs[i]) return false;
  for (let i = 0; i < outputs.length; i++) if (tensors[inputs.length + i] !== outputs[i]) return false;
  return true;
}

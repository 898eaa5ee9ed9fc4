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
  readonly tensors: readonly Tensor[];
  readonly native: Native;
}

/** A graph's bindings to the last few sets of tensors that it ran with (a least-recently-used cache). */
export class RecentBindings<Tensor extends Bindable, Native> {
  /** Most recently used first. */
  #entries: Entry<Tensor, Native>[] = [];
  readonly #binder: Binder<Tensor, Native>;

  constructor(binder: Binder<Tensor, Native>) {
    this.#binder = binder;
  }

  /** The binding to these tensors. Creates one if necessary, and may drop the least recently used. */
  get(inputs: readonly Tensor[], outputs: readonly Tensor[]): Native {
    const entries = this.#entries;
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i]!;
      if (!bindsTo(entry.tensors, inputs, outputs)) continue;
      if (i > 0) {
        entries.copyWithin(1, 0, i);
        entries[0] = entry;
      }
      return entry.native;
    }
    return this.#add(inputs, outputs);
  }

  /** Releases all bindings. */
  clear(): void {
    for (const entry of [...this.#entries]) entry.drop();
  }

  #add(inputs: readonly Tensor[], outputs: readonly Tensor[]): Native {
    const native = this.#binder.bind(inputs, outputs);
    if (this.#entries.length === MAX_BINDINGS) this.#entries.at(-1)!.drop();
    const tensors = [...inputs, ...outputs];
    const entry: Entry<Tensor, Native> = { tensors, native, drop: () => this.#drop(entry) };
    this.#entries.unshift(entry);
    for (const tensor of tensors) tensor.bindings.add(entry);
    return native;
  }

  #drop(entry: Entry<Tensor, Native>): void {
    this.#entries.splice(this.#entries.indexOf(entry), 1);
    for (const tensor of entry.tensors) tensor.bindings.delete(entry);
    this.#binder.release(entry.native);
  }
}

/** Whether a binding has these tensors. */
function bindsTo(tensors: readonly unknown[], inputs: readonly unknown[], outputs: readonly unknown[]): boolean {
  for (let i = 0; i < inputs.length; i++) if (tensors[i] !== inputs[i]) return false;
  for (let i = 0; i < outputs.length; i++) if (tensors[inputs.length + i] !== outputs[i]) return false;
  return true;
}

/** The cache of bindings: it keeps recent sets of tensors, and no binding outlives its tensors. */
import { assertEquals, assertThrows } from "@std/assert";
import { type Bindable, dropBindings, MAX_BINDINGS, RecentBindings } from "../../src/backends/common/bindings.ts";

interface Tensor extends Bindable {
  readonly name: string;
}

function tensor(name: string): Tensor {
  return { name, bindings: new Set() };
}

/** Bindings named after their tensors, and a log of the calls that bind and release. */
function logged(): { recent: RecentBindings<Tensor, string>; log: string[] } {
  const log: string[] = [];
  const recent = new RecentBindings<Tensor, string>({
    bind(inputs, outputs) {
      const name = `${inputs.map(({ name }) => name)}>${outputs.map(({ name }) => name)}`;
      log.push(`+${name}`);
      return name;
    },
    release: (name) => void log.push(`-${name}`),
  });
  return { recent, log };
}

Deno.test("a set of tensors is bound once, and differs from the same tensors in another order", () => {
  const { recent, log } = logged();
  const [a, b] = [tensor("a"), tensor("b")];
  for (let i = 0; i < 3; i++) assertEquals(recent.get([a], [b]), "a>b");
  assertEquals(recent.get([b], [a]), "b>a");
  assertEquals(recent.get([a], [b]), "a>b");
  assertEquals(log, ["+a>b", "+b>a"]);
});

Deno.test("the least recently used set is dropped, and a set that is used again stays", () => {
  const { recent, log } = logged();
  const x = tensor("x");
  const outputs = Array.from({ length: MAX_BINDINGS + 3 }, (_, i) => tensor(`${i}`));
  for (const output of outputs) {
    recent.get([x], [output]);
    recent.get([x], [outputs[0]!]);
  }
  assertEquals(log.filter((line) => line.startsWith("-")), ["-x>1", "-x>2", "-x>3"]);
  assertEquals(log.filter((line) => line === "+x>0").length, 1);
  assertEquals(x.bindings.size, MAX_BINDINGS);
});

Deno.test("sets that are used in turn are each bound once, also after one of them was dropped", () => {
  const { recent, log } = logged();
  const [x, ...outputs] = Array.from({ length: 5 }, (_, i) => tensor(`${i}`));
  const useAll = () => outputs.map((output) => recent.get([x!], [output]));
  for (let i = 0; i < 3; i++) assertEquals(useAll(), ["0>1", "0>2", "0>3", "0>4"]);
  assertEquals(log, ["+0>1", "+0>2", "+0>3", "+0>4"]);
  dropBindings(outputs[1]!);
  for (let i = 0; i < 2; i++) assertEquals(useAll(), ["0>1", "0>2", "0>3", "0>4"]);
  assertEquals(log.slice(4), ["-0>2", "+0>2"]);
});

Deno.test("destroying a tensor drops its bindings, also from the other tensors", () => {
  const { recent, log } = logged();
  const [a, b, c] = [tensor("a"), tensor("b"), tensor("c")];
  recent.get([a], [b]);
  recent.get([a], [c]);
  recent.get([b], [c]);
  dropBindings(b);
  assertEquals(log.slice(3), ["-a>b", "-b>c"]);
  assertEquals([a, b, c].map(({ bindings }) => bindings.size), [1, 0, 1]);
  recent.clear();
  assertEquals(log.slice(5), ["-a>c"]);
  assertEquals([a, b, c].map(({ bindings }) => bindings.size), [0, 0, 0]);
});

Deno.test("a failed binding leaves nothing behind, and does not replace another one", () => {
  const released: number[] = [];
  const recent = new RecentBindings<Tensor, number>({
    bind(inputs) {
      if (inputs[0]!.name === "bad") throw new Error("no");
      return inputs.length;
    },
    release: (count) => void released.push(count),
  });
  const tensors = Array.from({ length: MAX_BINDINGS }, (_, i) => tensor(`${i}`));
  for (const one of tensors) recent.get([one], []);
  const bad = tensor("bad");
  assertThrows(() => recent.get([bad], []), Error, "no");
  assertEquals([bad, ...tensors].map(({ bindings }) => bindings.size), [0, ...tensors.map(() => 1)]);
  assertEquals(released, []);
});

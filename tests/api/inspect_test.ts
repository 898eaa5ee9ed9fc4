/** The text that the consoles of Deno and Node show for objects. */
import { assertEquals } from "@std/assert";
import { contextInfo, createContext, ml, MLGraphBuilder, MLTensor } from "@webnn/deno";
import { inspect } from "node:util";

const FLOAT = { dataType: "float32", shape: [2, 2] } as const;

/** The text of Deno's console in one line. Checks that Node's is the same, except for spaces and quotes. */
function shown(value: unknown): string {
  const text = Deno.inspect(value, { breakLength: Infinity });
  const bare = (text: string) => text.replaceAll(/\s/g, "").replaceAll("'", '"');
  assertEquals(bare(inspect(value, { breakLength: Infinity })), bare(text));
  return text;
}

Deno.test("a tensor shows its data type, shape and usages", async () => {
  using context = await createContext({ threads: 1 });
  const tensor = await context.createTensor({ ...FLOAT, readable: true });
  assertEquals(shown(tensor), 'MLTensor { dataType: "float32", shape: [ 2, 2 ], readable: true }');
  assertEquals(shown([tensor]), '[ MLTensor { dataType: "float32", shape: [ 2, 2 ], readable: true } ]');
  tensor.destroy();
  assertEquals(shown(tensor), 'MLTensor { dataType: "float32", shape: [ 2, 2 ], readable: true, destroyed: true }');
  const written = await context.createTensor({ ...FLOAT, shape: [], writable: true });
  assertEquals(shown(written), 'MLTensor { dataType: "float32", shape: [], writable: true }');
  const constant = await context.createConstantTensor(FLOAT, new Float32Array(4));
  assertEquals(shown(constant), 'MLTensor { dataType: "float32", shape: [ 2, 2 ], constant: true }');
});

Deno.test("operands, builders and graphs show what they contain", async () => {
  using context = await createContext({ threads: 1 });
  const builder = new MLGraphBuilder(context);
  const x = builder.input("x", FLOAT);
  assertEquals(shown(x), 'MLOperand { dataType: "float32", shape: [ 2, 2 ], origin: "input" }');
  const sum = builder.add(x, builder.constant("float32", 1));
  assertEquals(shown(sum), 'MLOperand { dataType: "float32", shape: [ 2, 2 ], origin: "operator" }');
  assertEquals(shown(builder), 'MLGraphBuilder { inputs: [ "x" ], constants: 1, operators: 1 }');
  const graph = await builder.build({ sum });
  assertEquals(
    shown(graph),
    'MLGraph { inputs: { x: "float32 [2, 2]" }, outputs: { sum: "float32 [2, 2]" }, devices: [ "cpu" ] }',
  );
});

Deno.test("a context shows its engine, and whether it is lost", async () => {
  const context = await createContext({ threads: 1 });
  const info = Deno.inspect(contextInfo(context), { breakLength: Infinity });
  assertEquals(shown(context), `MLContext ${info}`);
  context.destroy();
  assertEquals(shown(context), `MLContext ${info.slice(0, -2)}, lost: true }`);
});

Deno.test("objects without the interface's internal slot show only its name", () => {
  assertEquals([ml, MLTensor.prototype, Object.create(MLTensor.prototype)].map(shown), [
    "ML {}",
    "MLTensor {}",
    "MLTensor {}",
  ]);
});

import { assert, assertEquals } from "@std/assert";
import { lint } from "./lint.ts";
import { constant, counting, operation, program, PROGRAMS, value, WRONG_PROGRAMS } from "./sample_programs.ts";

for (const [name, correct] of Object.entries(PROGRAMS)) {
  Deno.test(`the lint accepts a correct program: ${name}`, () => assertEquals(lint(correct), []));
}

for (const [name, { program: wrong, message }] of Object.entries(WRONG_PROGRAMS)) {
  Deno.test(`the lint finds: ${name}`, () => {
    const problems = lint(wrong);
    assert(problems.some((problem) => problem.includes(message)), `${JSON.stringify(problems)} without "${message}"`);
  });
}

Deno.test("the lint finds constants whose bytes do not match their type", () => {
  const x = value("x", "fp32", [4]);
  const y = value("y", "fp32", [4]);
  const add = (other: ReturnType<typeof constant>) => lint(program([x], [operation("add", { x, y: other }, y)], [y]));
  assertEquals(add(constant("c", "fp32", [4], [1, 2, 3])), ["c: 12 bytes for fp32[4]"]);
  const cond = constant("cond", "bool", [4], [0, 1, 2, 0]);
  assertEquals(lint(program([x], [operation("select", { cond, a: x, b: x }, y)], [y])), [
    "cond: a bool must be 0 or 1",
  ]);
});

Deno.test("the lint infers the shapes of results", () => {
  const x = value("x", "fp32", [2, 3, 4]);
  const ints = (name: string, elements: number[]) => constant(name, "int32", [elements.length], elements);
  const int = (name: string, element: number) => constant(name, "int32", [], [element]);
  const no = constant("no", "bool", [], [0]);
  const gathering = { indices: counting("indices", "int32", [5]), axis: int("axis", 1), batch_dims: int("zero", 0) };
  const padding = {
    pad: ints("pad", [1, 2, 0, 3]),
    mode: { name: "mode", dataType: "string", shape: [], data: "constant" } as const,
    constant_val: constant("zero_fp32", "fp32", [], [0]),
  };
  const cases: [type: string, parameters: Record<string, ReturnType<typeof constant>>, shape: number[]][] = [
    ["transpose", { perm: ints("perm", [2, 0, 1]) }, [4, 2, 3]],
    ["reshape", { shape: ints("shape", [6, 4]) }, [6, 4]],
    ["tile", { reps: ints("reps", [1, 2, 1]) }, [2, 6, 4]],
    ["gather", { ...gathering, validate_indices: no }, [2, 5, 4]],
    ["reduce_max", { axes: ints("axes", [-1, 0]), keep_dims: no }, [3]],
    ["pad", padding, [2, 6, 7]],
    ["expand_dims", { axes: ints("axes", [0, -1]) }, [1, 2, 3, 4, 1]],
  ];
  for (const [type, parameters, shape] of cases) {
    const result = (shape: number[]) => value("y", "fp32", shape);
    const problems = (shape: number[]) =>
      lint(program([x], [operation(type, { x, ...parameters }, result(shape))], [result(shape)]));
    assertEquals(problems(shape), [], type);
    const wrong = shape.with(0, 9);
    assertEquals(problems(wrong), [`${type} y_op: its results are fp32[${shape}], not fp32[${wrong}]`]);
  }
});

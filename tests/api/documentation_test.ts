/** Checks that the documentation of the builder's methods agrees with the rows of the operators. */
import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import type { MLOperandDataType } from "../../src/data_type.ts";
import { ANY, type AnyOperator } from "../../src/ops/operator.ts";
import { operators } from "../../src/ops/operators.ts";

/** A tag of a doc comment, in the output of `deno doc --json`. */
interface Tag {
  readonly kind: string;
  readonly name?: string;
  readonly tsType?: { readonly repr: string };
  readonly doc?: string;
}

interface Method {
  readonly name: string;
  readonly jsDoc?: { readonly doc?: string; readonly tags?: readonly Tag[] };
}

interface Declaration {
  readonly def: { readonly methods?: readonly Method[] };
}

interface Documentation {
  readonly nodes: Readonly<
    Record<string, { readonly symbols: readonly { name: string; declarations: readonly Declaration[] }[] }>
  >;
}

const ANCHOR = "https://www.w3.org/TR/webnn/#api-mlgraphbuilder-";

async function builderMethods(): Promise<Map<string, Method>> {
  const args = ["doc", "--json", fileURLToPath(new URL("../../mod.ts", import.meta.url))];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  assert(success, new TextDecoder().decode(stderr));
  const { nodes }: Documentation = JSON.parse(new TextDecoder().decode(stdout));
  const builder = Object.values(nodes).flatMap(({ symbols }) => symbols).find(({ name }) => name === "MLGraphBuilder");
  return new Map(builder!.declarations[0]!.def.methods!.map((method) => [method.name, method]));
}

function describeTypes(types: readonly MLOperandDataType[]): string {
  if (types === ANY) return "any data type";
  return types.length === 1 ? types[0]! : `${types.slice(0, -1).join(", ")} or ${types.at(-1)}`;
}

/** Finds what the documentation of an operator's method lacks, and contradictions to its row. */
function problemsOf(row: AnyOperator, { jsDoc: { doc = "", tags = [] } = {} }: Method): string[] {
  const has = (kind: string, matches: (tag: Tag) => boolean = () => true) =>
    tags.some((tag) => tag.kind === kind && matches(tag));
  const paramOf = (name: string) => tags.find((tag) => tag.kind === "param" && tag.name === name)?.doc;
  const problems: string[] = [];
  if (doc === "") problems.push("no description");
  if (!has("return")) problems.push("no @returns");
  if (!has("throws", ({ tsType }) => tsType?.repr === "TypeError")) problems.push("no @throws {TypeError}");
  if (!has("see", ({ doc }) => doc?.startsWith(ANCHOR) === true)) problems.push("no link to the standard");
  for (const [name, { kind, types }] of Object.entries(row.operands)) {
    if (kind === "optional") continue;
    const text = paramOf(name);
    if (text === undefined) problems.push(`no @param ${name}`);
    else if (!("sameAs" in types) && !text.startsWith(describeTypes(types))) {
      problems.push(`@param ${name} does not begin with "${describeTypes(types)}"`);
    }
  }
  for (const name of Object.keys(row.parameters)) {
    if (paramOf(name) === undefined) problems.push(`no @param ${name}`);
  }
  if (Object.keys(row.options).length > 0 && paramOf("options") === undefined) problems.push("no @param options");
  return problems;
}

Deno.test("the method of each operator documents its operands, data types, result, errors and section of the standard", async () => {
  const methods = await builderMethods();
  const problems = Object.values(operators as Readonly<Record<string, AnyOperator>>).flatMap((row) =>
    problemsOf(row, methods.get(row.name)!).map((problem) => `${row.name}: ${problem}`)
  );
  assertEquals(problems, []);
});

/** Checks types in a program outside of the repository. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import { join } from "node:path";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const PROGRAM = `
import "@webnn/deno/polyfill";
import { createContext, ml } from "@webnn/deno";

const same: boolean = navigator.ml === ml;
const context: MLContext = await navigator.ml.createContext({ powerPreference: "low-power" });
const own: MLContext = await createContext({ threads: 2 });
const builder = new MLGraphBuilder(context);
const descriptor: MLOperandDescriptor = { dataType: "float32", shape: [1, 3] };
const x: MLOperand = builder.input("x", descriptor);
const options: MLClampOptions = { minValue: 0, label: "six" };
const graph: MLGraph = await builder.build({ y: builder.clamp(x, options) });
const tensor: MLTensor = await context.createTensor({ ...descriptor, readable: true });
const bytes: ArrayBuffer = await context.readTensor(tensor);
const limits: MLOpSupportLimits = context.opSupportLimits();
const types: MLOperandDataType[] = limits.add.a.dataTypes;
console.log(same, own, graph, bytes, types);
`;

async function check(program: string): Promise<{ success: boolean; output: string }> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.copyFile(join(ROOT, "globals.d.ts"), join(folder, "globals.d.ts"));
    await Deno.writeTextFile(join(folder, "main.ts"), program);
    const config = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
    const at = (path: string) => new URL(path, new URL("../../", import.meta.url)).href;
    await Deno.writeTextFile(
      join(folder, "deno.json"),
      JSON.stringify({
        imports: {
          "@webnn/deno": at("mod.ts"),
          "@webnn/deno/polyfill": at("src/polyfill.ts"),
        },
        compilerOptions: { ...config.compilerOptions, types: ["./globals.d.ts"] },
      }),
    );
    const command = new Deno.Command(Deno.execPath(), { args: ["check", "--quiet", "main.ts"], cwd: folder });
    const { success, stderr } = await command.output();
    return { success, output: new TextDecoder().decode(stderr) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a program outside the repository type-checks against globals.d.ts", async () => {
  assertEquals(await check(PROGRAM), { success: true, output: "" });
});

Deno.test("a wrong program does not type-check", async () => {
  const { success, output } = await check(`${PROGRAM}\nbuilder.relu("x");`);
  assertEquals(success, false);
  assertStringIncludes(output, "MLOperand");
});

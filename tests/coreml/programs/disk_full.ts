/** Builds a graph whose weights exceed the file size limit, and prints the result. */
import { MLGraphBuilder } from "../../../mod.ts";
import { createMLContext } from "../../../src/api/ml_context.ts";
import { openCoreML } from "../../../src/backends/coreml/mod.ts";
import { openFakeControls } from "../fake_framework.ts";

const [library, cacheDirectory] = Deno.args as [string, string];
const context = createMLContext(openCoreML({ cacheDirectory, device: "cpu" }, library));
const builder = new MLGraphBuilder(context);
const descriptor = { dataType: "float32", shape: [1024, 2048] } as const;
const y = builder.add(builder.input("x", descriptor), builder.constant(descriptor, new Float32Array(1024 * 2048)));
const { name, message } = await builder.build({ y }).then(() => ({ name: "none", message: "" }), (error) => error);
context.destroy();
using fake = openFakeControls(library);
for (let i = 0; i < 500 && fake.live() > 0; i++) await new Promise((resolve) => setTimeout(resolve, 1));
console.log(JSON.stringify({ name, message, left: [...Deno.readDirSync(cacheDirectory)], live: fake.live() }));

/** Core ML is opened where it is demanded. That it is there can be shown on a Mac only. */
import { assertRejects } from "@std/assert";
import { createContext } from "@webnn/deno";

Deno.test({
  name: "Core ML is refused where there is none",
  ignore: Deno.build.os === "darwin", // There is one.
  async fn() {
    await assertRejects(() => createContext({ backend: "coreml" }), DOMException, "Core ML is a part of macOS");
  },
});

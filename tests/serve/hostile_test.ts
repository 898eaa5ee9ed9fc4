/** The first requests of `deno task verify:serve --hostile`, sent to a handler in this process. */
import { assert, assertEquals } from "@std/assert";
import { random } from "../../support/random.ts";
import { call, identity, sum, withHandler } from "./client.ts";
import { GOOD_REQUEST, hostileRequests, MAX_BODY_BYTES } from "./hostile.ts";

withHandler(
  "hostile requests are rejected with a reason, and a valid one is answered after them",
  [sum(), identity("uint64")],
  { maxBodyBytes: MAX_BODY_BYTES },
  async (handler) => {
    const kinds = new Set<string>();
    for await (const { kind, path, init } of hostileRequests(random(19), 290)) {
      const { status, json } = await call(handler, path, init);
      assert(status >= 400 && status < 500, `${kind}: ${status} ${JSON.stringify(json)}`);
      assert(typeof json.error === "string" && json.error !== "", kind);
      kinds.add(kind.replace(/^the path .*/, "a path"));
    }
    assertEquals(kinds.size, 29);
    const { status, json } = await call(handler, GOOD_REQUEST.path, GOOD_REQUEST.init);
    assertEquals([status, json.outputs[0].data], [200, [3, 6, 9]]);
  },
);

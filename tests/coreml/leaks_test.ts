/** Core ML's runtime does not leak, on the framework of native/fake_coreml/. */
import { testOnFake } from "./fake_framework.ts";

testOnFake("1,000 cycles leak no objects and no memory", "leaks.ts", { flags: ["--v8-flags=--expose-gc"] });

/** Core ML's runtime when calls fail, on the framework of native/fake_coreml/. */
import { testOnFake } from "./fake_framework.ts";

testOnFake("each call that can fail does", "faults.ts");

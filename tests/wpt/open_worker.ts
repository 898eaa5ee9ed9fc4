/** The dedicated worker of a page, like wptserve's: its testharness.js sends results to the one of the page. */

import type { PageRun } from "./page.ts";
import { installShims, loadScript } from "./shims.ts";

const run: PageRun = JSON.parse(self.name);

if (run.prelude !== undefined) await import(run.prelude);
installShims(run);

loadScript(run.root, "/resources/testharness.js");
for (const path of run.page.scripts) loadScript(run.root, path);
(globalThis as unknown as { done(): void }).done();

/** Runs a suite: finds its pages, runs them, and compares the results with the expectations. */

import { readRevision } from "./checkout.ts";
import { discover } from "./discover.ts";
import { type Expectation, judge, type JudgedPage, staleExpectations } from "./expectations.ts";
import type { Page } from "./page.ts";
import type { Run } from "./report.ts";
import { runPages } from "./run_page.ts";

export const DEVICES: readonly string[] = ["cpu", "gpu", "npu"];

export interface SuiteOptions {
  /** A checkout of web-platform-tests. */
  root: string;
  /** URL of the module that every page imports first. */
  prelude?: string | undefined;
  expectations: Expectation[];
  /** Only pages whose id matches. */
  filter?: RegExp | undefined;
  /** Only variants of this device, and pages without variants. */
  device?: string | undefined;
  jobs: number;
  timeoutMultiplier: number;
  onPage?: ((page: JudgedPage, done: number, all: number) => void) | undefined;
}

const FOLDER = "/webnn";

/** Runs the selected pages. Throws an Error if there are none. */
export async function runSuite(options: SuiteOptions): Promise<Run> {
  const { root, expectations, device, filter } = options;
  const timeStart = Date.now();
  const { pages, notRun } = discover(root, FOLDER);
  const chosen = pages.filter((page) => (filter?.test(page.id) ?? true) && isOfDevice(page, device));
  if (chosen.length === 0) throw new Error(`no page of ${root}${FOLDER} matches --filter and --device`);

  const judged: JudgedPage[] = [];
  await runPages(chosen, options, (result) => {
    const page = judge(result, expectations);
    judged.push(page);
    options.onPage?.(page, judged.length, chosen.length);
  });
  return {
    pages: judged.sort((a, b) => (a.result.id < b.result.id ? -1 : 1)),
    notRun,
    stale: staleExpectations(expectations, pages.map(({ id }) => id)),
    revision: await readRevision(root),
    command: commandOf(options),
    jobs: options.jobs,
    timeStart,
    timeEnd: Date.now(),
  };
}

/** Variants are `?cpu`, or `?op=add&device=cpu`. */
function isOfDevice({ id }: Page, device: string | undefined): boolean {
  const [, found] = /[?&](?:device=)?(cpu|gpu|npu)(?:&|$)/.exec(id) ?? [];
  return device === undefined || found === undefined || found === device;
}

function commandOf({ device, filter }: SuiteOptions): string {
  const deviceOption = device === undefined ? "" : ` --device ${device}`;
  const filterOption = filter === undefined ? "" : ` --filter "${filter.source}"`;
  return `deno task wpt --wpt WPT${deviceOption}${filterOption}`;
}

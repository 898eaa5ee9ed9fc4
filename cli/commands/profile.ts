import { command, onlyArgument, positiveInteger, type Result } from "../command.ts";
import { INPUT_OPTIONS } from "../inputs/read.ts";
import { DEVICE_OPTIONS, openContext } from "../model/device.ts";
import { MODEL_HELP } from "../model/module.ts";
import { Failure } from "../errors.ts";
import { writeFiles } from "../output.ts";
import { measure } from "../profile/measure.ts";
import { profilePage } from "../profile/page.ts";
import { dataOf, textOf } from "../profile/report.ts";
import { traceOf } from "../profile/trace.ts";

/** `webnn profile`. */
export const profileCommand = command({
  name: "profile",
  summary: "Shows where a model spends its time, by WebNN operator and by node of the engine",
  usage: "MODEL",
  help: `${MODEL_HELP}
Times are means of the faster half of the runs. The row (engine) is the time of nodes that the engine added, the row
(between nodes) the time between the end of a node and the start of the next.`,
  options: {
    nodes: { kind: "flag", help: "also lists each node of the engine" },
    trace: { kind: "text", value: "FILE", help: "writes a trace for https://ui.perfetto.dev and chrome://tracing" },
    html: { kind: "text", value: "FILE", help: "writes a page with a timeline" },
    runs: { kind: "text", value: "N", help: "the number of runs (for 2 seconds, 5 to 100 runs)" },
    ...INPUT_OPTIONS,
    ...DEVICE_OPTIONS,
  },
  async run(invocation): Promise<Result> {
    const { terminal, options } = invocation;
    const model = onlyArgument(invocation, "MODEL");
    checkDevice(options.device);
    const runs = options.runs === undefined ? undefined : positiveInteger(options.runs, "--runs");
    const context = await openContext(options, { profile: true });
    try {
      const measured = await measure(terminal, model, context, options, runs);
      const files = new Map<string, string>();
      if (options.trace !== undefined) files.set(options.trace, JSON.stringify(traceOf(model, measured)));
      if (options.html !== undefined) files.set(options.html, profilePage(model, measured));
      await writeFiles(terminal, files);
      return { data: dataOf(model, measured), text: textOf(terminal, model, measured, options.nodes) };
    } finally {
      context.destroy();
    }
  },
});

/** Accepts only the CPU: on other devices, the times that the engine records are not those of the operators. */
function checkDevice(device: string | undefined): void {
  if (device === undefined || device === "cpu") return;
  throw new Failure(
    `--device ${device}: only the CPU can be profiled, because other devices run large parts of a graph as one node, or ` +
      `run nodes after the engine has stopped its timer; webnn bench --device cpu,${device} compares whole runs`,
  );
}

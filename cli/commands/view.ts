import { describeGraph, type GraphDescription } from "@webnn/deno";
import { command, type Invocation, onlyArgument, type Options, type Result } from "../command.ts";
import { Failure, messageOf, UsageError } from "../errors.ts";
import { INPUT_OPTIONS, type InputOptions } from "../inputs/read.ts";
import { DEVICE_OPTIONS, openContext } from "../model/device.ts";
import { buildGraph, graphOfModel } from "../model/graph.ts";
import { MODEL_HELP } from "../model/module.ts";
import { writeFiles } from "../output.ts";
import { measure } from "../profile/measure.ts";
import { count } from "../table.ts";
import { dotOf } from "../view/dot.ts";
import { byDevice, byTime, type Coloring } from "../view/looks.ts";
import { drawingPage } from "../view/page.ts";

const OPTIONS = {
  output: { kind: "text", short: "o", value: "FILE", help: "the file to write: .svg, .html or .dot" },
  color: { kind: "text", value: "BY", help: "colours by device or by time; time runs the model (device)" },
  all: {
    kind: "flag",
    help: "draws every operation; by default, repeated parts are drawn once,\nand constant results as constants",
  },
  ...INPUT_OPTIONS,
  ...DEVICE_OPTIONS,
} as const satisfies Options;

/** The output of each format, by file extension. */
const FORMATS: Readonly<Record<string, (dot: string, model: string) => string | Promise<string>>> = {
  ".dot": (dot) => dot,
  ".svg": draw,
  ".html": async (dot, model) => drawingPage(model, await draw(dot)),
};

/** `webnn view`. */
export const viewCommand = command({
  name: "view",
  summary: "Draws the graph of a model, with the shapes of its tensors",
  usage: "MODEL",
  help: `${MODEL_HELP}
Without --output, prints the drawing in the language of Graphviz. Constants are listed in the nodes that use them. Edges
from one copy of a repeated part to the next are dashed.`,
  options: OPTIONS,
  async run(invocation): Promise<Result> {
    const { terminal, options: { output, color = "device", all } } = invocation;
    const model = onlyArgument(invocation, "MODEL");
    if (color !== "device" && color !== "time") throw new UsageError(`--color must be device or time, not ${color}`);
    const format = output === undefined ? FORMATS[".dot"]! : formatOf(output);
    const { description, coloring } = color === "time"
      ? await timedGraph(model, invocation)
      : await placedGraph(model, invocation);
    const dot = dotOf({ description, all, caption: coloring.caption, look: coloring.look });
    const data = { model, ...description };
    if (output === undefined) return { data, text: dot.trimEnd() };
    terminal.progress(`drawing ${model} ...`);
    await writeFiles(terminal, new Map([[output, await format(dot, model)]]));
    const operators = description.nodes.filter(({ kind }) => kind === "operator").length;
    return { data: { output, ...data }, text: `${output}: ${count(operators)} operations` };
  },
});

type Call = Invocation<typeof OPTIONS>;

/** A graph and its colours. */
interface Colored {
  readonly description: GraphDescription;
  readonly coloring: Coloring;
}

function formatOf(output: string) {
  const format = Object.entries(FORMATS).find(([ending]) => output.toLowerCase().endsWith(ending))?.[1];
  if (format) return format;
  throw new UsageError(`--output must end in .svg, .html or .dot, not ${JSON.stringify(output)}`);
}

async function placedGraph(model: string, { options, terminal }: Call): Promise<Colored> {
  const context = await openContext(options);
  try {
    terminal.progress(`loading ${model} ...`);
    const description = describeGraph(
      await buildGraph(model, await graphOfModel(model, context, options as InputOptions, false)),
    );
    return { description, coloring: byDevice(description) };
  } finally {
    context.destroy();
  }
}

async function timedGraph(model: string, { options, terminal }: Call): Promise<Colored> {
  const context = await openContext(options, { profile: true });
  try {
    const { description, profile } = await measure(terminal, model, context, options as InputOptions);
    return { description, coloring: byTime(description, profile) };
  } finally {
    context.destroy();
  }
}

async function draw(dot: string): Promise<string> {
  // Loaded only here, because loading takes a while.
  const { instance } = await import("@viz-js/viz");
  const graphviz = await instance();
  try {
    return graphviz.renderString(dot, { format: "svg" });
  } catch (error) {
    throw new Failure(`Graphviz cannot draw the graph: ${messageOf(error)}`, { cause: error });
  }
}

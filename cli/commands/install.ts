import type { DeviceEntry } from "@webnn/deno";
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { askOnce, interruptChild } from "../child.ts";
import { command, onlyArgument, type Result } from "../command.ts";
import { Failure, fileError, messageOf, UsageError } from "../errors.ts";
import type { DeviceList } from "../install/check.ts";
import { cacheDirectory } from "../install/cache_directory.ts";
import { type Library, PACKAGES } from "../install/packages.ts";
import { installWheel, unpack } from "../install/pip.ts";
import { bytes } from "../table.ts";
import type { Terminal } from "../terminal.ts";

const NAMES = PACKAGES.map(({ name }) => name).join("|");

const CHECK = new URL("../install/check.ts", import.meta.url);

/** `webnn install`. */
export const installCommand = command({
  name: "install",
  summary: "Downloads an ONNX Runtime library with pip, checks it, and prints how to use it",
  usage: NAMES,
  help: `${PACKAGES.map(({ name, summary }) => `  ${name.padEnd(13)}${summary}`).join("\n")}

Uses pip with its settings on this machine. The files must have the known SHA-256, and the library must run a graph.
Prints a line for the shell:  eval "$(webnn install openvino)"`,
  options: {
    dir: { kind: "text", value: "DIR", help: "where to create the library's folder (the user's cache)" },
  },
  async run(invocation): Promise<Result> {
    const { terminal, options } = invocation;
    const name = onlyArgument(invocation, NAMES);
    const wanted = PACKAGES.find((known) => known.name === name);
    if (wanted === undefined) throw new UsageError(`${JSON.stringify(name)} is not one of ${NAMES}`);
    const directory = options.dir ?? cacheDirectory();
    const problems: string[] = [];
    for (const choice of wanted.choices) {
      const { project, version } = choice.wheels[0];
      const found = await provide(choice, join(directory, `${project}-${version}`), terminal);
      if ("problem" in found) problems.push(found.problem);
      else return report(wanted.name, version, choice, found);
    }
    throw new Failure(`${name}: ${problems.join("; ")}`);
  },
});

/** A library that works; `note` says what could not be tested. */
interface Provided {
  readonly library: string;
  readonly note: string | undefined;
}

/** Downloads a library unless it is already there, and tests it. Removes a download that does not work. */
async function provide(
  choice: Library,
  folder: string,
  terminal: Terminal,
): Promise<Provided | { readonly problem: string }> {
  const [{ project }] = choice.wheels;
  const file = choice.library[Deno.build.os];
  if (file === undefined) return { problem: `PyPI has no ${project} for ${Deno.build.os}` };
  const library = join(folder, file);
  const isNew = !existsSync(library);
  if (isNew) await fetchLibrary(choice, folder, file, terminal);
  terminal.progress(`testing ${library} ...`);
  const { problem, note } = await check(choice, library, terminal);
  if (problem === undefined) return { library, note };
  if (isNew) await Deno.remove(folder, { recursive: true });
  return { problem: `${project} does not work here: ${problem}` };
}

function report(name: string, version: string, { variable }: Library, { library, note }: Provided): Result {
  const line = settingLine(variable, library);
  return {
    data: { package: name, version, library, variable, set: line, ...note === undefined ? {} : { note } },
    text: note === undefined ? line : `# ${note}\n${line}`,
  };
}

async function fetchLibrary(choice: Library, folder: string, file: string, terminal: Terminal): Promise<void> {
  await unpack(folder, async (place) => {
    let pip: Deno.ChildProcess | undefined;
    using _ = terminal.onInterrupt(() => {
      if (pip !== undefined) interruptChild(pip);
      Deno.removeSync(place, { recursive: true });
    });
    for (const wheel of choice.wheels) {
      terminal.progress(`downloading ${wheel.project} ${wheel.version} with pip ...`);
      const title = `downloading ${wheel.project} ${wheel.version} with pip`;
      await installWheel(wheel, place, {
        onProgress: (done, total) => terminal.progress(`${title}, ${bytes(done)} of ${bytes(total)}`),
        onStart: (started) => pip = started,
      });
    }
    const { dependency } = choice;
    if (dependency === undefined || !existsSync(join(place, dependency))) return;
    const target = join(place, dirname(file), basename(dependency));
    await Deno.copyFile(join(place, dependency), target).catch((error) => {
      throw fileError(target, error);
    });
  });
}

/** Runs a graph with the library in another process. */
async function check(
  { variable, provider, hardware }: Library,
  library: string,
  terminal: Terminal,
): Promise<{ readonly problem?: string; readonly note?: string }> {
  let entries: readonly DeviceEntry[];
  try {
    entries = (await askOnce<DeviceList>(CHECK, {}, terminal, { env: { [variable]: library } })).entries;
  } catch (error) {
    return { problem: messageOf(error) };
  }
  // A plug-in that offers no device is listed under its own path.
  const found = entries.filter((entry) => entry.provider === provider || entry.provider === library);
  if (found.some(({ available }) => available)) return {};
  const reason = found[0]?.reason ?? `it has no provider ${provider}`;
  if (hardware === undefined) return { problem: reason };
  return { note: `The library loads; ${provider} was not tested because it needs ${hardware}: ${reason}` };
}

/** The shell command that makes programs use a library. */
function settingLine(variable: string, library: string): string {
  if (Deno.build.os === "windows") return `$env:${variable} = "${library}"`;
  return `export ${variable}=${/^[\w./@+-]+$/.test(library) ? library : `'${library.replaceAll("'", "'\\''")}'`}`;
}

/**
 * Colours operations by the device that runs them, or by the time that they take.
 *
 * @module
 */
import type { GraphDescription, GraphProfile } from "@webnn/deno";
import { milliseconds, percent } from "../profile/report.ts";
import type { Look } from "./dot.ts";

/** A way to colour operations, with a caption that explains the colours. */
export interface Coloring {
  readonly caption: string;
  look(positions: readonly number[]): Look;
}

/** The colour of each kind of device, and the name of the colour. */
const DEVICES: Readonly<Record<string, readonly [fill: string, name: string]>> = {
  cpu: ["#cfe2f3", "blue"],
  gpu: ["#d9ead3", "green"],
  npu: ["#fff2cc", "yellow"],
};
const UNKNOWN = ["#eeeeee", "grey"] as const;

/** Colours operations by device. */
export function byDevice({ nodes }: GraphDescription): Coloring {
  const deviceOf = (position: number) => {
    const node = nodes[position]!;
    return node.kind === "operator" ? node.device ?? "unknown" : "";
  };
  const devices = new Set(nodes.map((_, i) => deviceOf(i)).filter((device) => device !== ""));
  return {
    caption: [...devices].map((device) => `${(DEVICES[device] ?? UNKNOWN)[1]}: ${device}`).join(", "),
    look: ([position]) => ({ fill: (DEVICES[deviceOf(position!)] ?? UNKNOWN)[0] }),
  };
}

/** Colours operations by time: red for a large share of the run. Operations fused into others have no time. */
export function byTime({ nodes }: GraphDescription, profile: GraphProfile): Coloring {
  const times = new Map<number, number>();
  for (const { nodes: done, operator, time } of profile.nodes) {
    const isMain = (position: number) => {
      const node = nodes[position]!;
      return node.kind === "operator" && node.operator === operator;
    };
    const main = done.find(isMain) ?? done[0];
    if (main !== undefined) times.set(main, (times.get(main) ?? 0) + time);
  }
  return {
    caption: `a run takes ${milliseconds(profile.time)} ms; the redder, the larger the share; ` +
      "white: fused into another operation, or computed in advance",
    look(positions) {
      const own = positions.flatMap((position) => times.get(position) ?? []);
      if (own.length === 0) return { fill: "#ffffff" };
      const time = own.reduce((sum, part) => sum + part, 0);
      return { fill: redness(time / profile.time), note: `${milliseconds(time)} ms, ${percent(time / profile.time)}` };
    },
  };
}

/** A colour from nearly white for no time to red for 40 % of the run or more. */
function redness(share: number): string {
  const strength = Math.min(1, Math.sqrt(share) * 1.6);
  const other = Math.round(240 - 160 * strength).toString(16).padStart(2, "0");
  return `#ff${other}${other}`;
}

/** Runs loops in a worker. */
import { runLoops, type Shared } from "./requests.ts";
import { collectGarbage, TICK } from "./sampling.ts";

declare const self: { onmessage: (event: MessageEvent<Task>) => void; postMessage(message: string): void };

interface Task {
  readonly inFlight: number;
  readonly seed: number;
  readonly shared: Shared;
}

self.onmessage = async ({ data }) => {
  const timer = setInterval(collectGarbage, TICK);
  try {
    await runLoops(data.inFlight, data.seed, data.shared);
    self.postMessage("done");
  } finally {
    clearInterval(timer);
  }
};

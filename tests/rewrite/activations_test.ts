/** Activations that are written as formulas, and look-alikes. */

import type { MLOperand } from "../../mod.ts";
import { assertBecomes, assertDoesNotBecome, type Program, type Tools } from "./program.ts";

const SHAPE = [3, 5];

/** Forms of `1 + erf(x / √2)`. */
const erfSums: Readonly<Record<string, (tools: Tools, x: MLOperand) => MLOperand>> = {
  "x / √2": ({ b, f }, x) => b.add(b.erf(b.div(x, f([], Math.SQRT2))), f([], 1)),
  "x · √½": ({ b, f }, x) => b.add(f([1], 1), b.erf(b.mul(x, f([1], Math.SQRT1_2)))),
  "√½ · x": ({ b, f }, x) => b.add(f([1, 1], 1), b.erf(b.mul(f([1, 1], Math.SQRT1_2), x))),
};

/** Forms of the product of x, ½ and the sum. */
const products: Readonly<Record<string, (tools: Tools, x: MLOperand, sum: MLOperand) => MLOperand>> = {
  "(x · s) · ½": ({ b, f }, x, s) => b.mul(b.mul(x, s), f([], 0.5)),
  "½ · (s · x)": ({ b, f }, x, s) => b.mul(f([1], 0.5), b.mul(s, x)),
  "(x · ½) · s": ({ b, f }, x, s) => b.mul(b.mul(x, f([], 0.5)), s),
  "x · (½ · s)": ({ b, f }, x, s) => b.mul(x, b.mul(f([], 0.5), s)),
  "(x · s) / 2": ({ b, f }, x, s) => b.div(b.mul(x, s), f([], 2)),
};

for (const [argument, sumOf] of Object.entries(erfSums)) {
  for (const [order, productOf] of Object.entries(products)) {
    Deno.test(`gelu by erf: ${order}, of ${argument}`, async () => {
      await assertBecomes(["Gelu"], (tools) => {
        const x = tools.input(SHAPE);
        return productOf(tools, x, sumOf(tools, x));
      });
    });
  }
}

Deno.test("gelu of a product takes the whole product as its input", async () => {
  await assertBecomes(["Mul", "Gelu"], (tools) => {
    const x = tools.b.mul(tools.input(SHAPE), tools.input(SHAPE));
    return products["(x · ½) · s"]!(tools, x, erfSums["x / √2"]!(tools, x));
  });
});

const geluLookAlikes: Readonly<Record<string, Program>> = {
  "another factor": ({ b, f, input }) => {
    const x = input(SHAPE);
    return b.mul(b.mul(x, f([], 0.25)), b.add(b.erf(b.div(x, f([], Math.SQRT2))), f([], 1)));
  },
  "another divisor": ({ b, f, input }) => {
    const x = input(SHAPE);
    return b.mul(b.mul(x, f([], 0.5)), b.add(b.erf(b.div(x, f([], 1.4142))), f([], 1)));
  },
  "√2 divided by x": ({ b, f, input }) => {
    const x = input(SHAPE);
    return b.mul(b.mul(x, f([], 0.5)), b.add(b.erf(b.div(f([], Math.SQRT2), x)), f([], 1)));
  },
  "another summand": ({ b, f, input }) => {
    const x = input(SHAPE);
    return b.mul(b.mul(x, f([], 0.5)), b.add(b.erf(b.div(x, f([], Math.SQRT2))), f([], 1.5)));
  },
  "a summand that is an input": ({ b, f, input }) => {
    const x = input(SHAPE);
    return b.mul(b.mul(x, f([], 0.5)), b.add(b.erf(b.div(x, f([], Math.SQRT2))), input([1])));
  },
  "two different x": ({ b, f, input }) => {
    const [x, y] = [input(SHAPE), input(SHAPE)];
    return b.mul(b.mul(x, f([], 0.5)), b.add(b.erf(b.div(y, f([], Math.SQRT2))), f([], 1)));
  },
  "x as a factor twice": ({ b, f, input }) => {
    const x = input(SHAPE);
    return b.mul(b.mul(b.mul(x, x), f([], 0.5)), b.add(b.erf(b.div(x, f([], Math.SQRT2))), f([], 1)));
  },
  "a constant of more dimensions": ({ b, f, input }) => {
    const x = input(SHAPE);
    return b.mul(b.mul(x, f([1, 1, 1, 1], 0.5)), b.add(b.erf(b.div(x, f([], Math.SQRT2))), f([], 1)));
  },
  "a scalar x with one-dimensional constants": ({ b, f, input }) => {
    const x = input([]);
    return b.mul(b.mul(x, f([1], 0.5)), b.add(b.erf(b.div(x, f([1], Math.SQRT2))), f([1], 1)));
  },
  "an erf that is also an output": ({ b, f, input }) => {
    const x = input(SHAPE);
    const erf = b.erf(b.div(x, f([], Math.SQRT2)));
    return [b.mul(b.mul(x, f([], 0.5)), b.add(erf, f([], 1))), erf];
  },
  "a sum that is also used elsewhere": ({ b, f, input }) => {
    const x = input(SHAPE);
    const sum = b.add(b.erf(b.div(x, f([], Math.SQRT2))), f([], 1));
    return [b.mul(b.mul(x, f([], 0.5)), sum), b.exp(sum)];
  },
  "constants with different elements": ({ b, f, input }) => {
    const x = input([2]);
    return b.mul(b.mul(x, f([2], [0.5, 0.25])), b.add(b.erf(b.div(x, f([], Math.SQRT2))), f([], 1)));
  },
};

for (const [name, program] of Object.entries(geluLookAlikes)) {
  Deno.test(`no gelu: ${name}`, () => assertDoesNotBecome(["Gelu"], program));
}

Deno.test("x · sigmoid(x) and x · sigmoid(αx) in either order", async () => {
  await assertBecomes(["QuickGelu"], ({ b, input }) => {
    const x = input(SHAPE);
    return b.mul(x, b.sigmoid(x));
  });
  await assertBecomes(["QuickGelu"], ({ b, f, input }) => {
    const x = input(SHAPE);
    return b.mul(b.sigmoid(b.mul(f([1, 1], 1.702), x)), x);
  });
  await assertBecomes(["QuickGelu"], ({ b, f, input }) => {
    const x = input([]);
    return b.mul(b.sigmoid(b.div(x, f([], -2))), x);
  });
});

const siluLookAlikes: Readonly<Record<string, Program>> = {
  "another x": ({ b, input }) => b.mul(input(SHAPE), b.sigmoid(input(SHAPE))),
  "a product with a larger shape": ({ b, f, input }) => {
    const x = input([]);
    return b.mul(x, b.sigmoid(b.mul(f([1], 1.702), x)));
  },
  "a row times a matrix": ({ b, input }) => {
    const x = input([1, 5]);
    return b.mul(x, b.sigmoid(b.expand(x, [3, 5])));
  },
  "a sigmoid that is also an output": ({ b, input }) => {
    const x = input(SHAPE);
    const sigmoid = b.sigmoid(x);
    return [b.mul(x, sigmoid), sigmoid];
  },
  "an alpha that is an input": ({ b, input }) => {
    const x = input(SHAPE);
    return b.mul(x, b.sigmoid(b.mul(input([]), x)));
  },
  "an alpha for each column": ({ b, f, input }) => {
    const x = input([3, 2]);
    return b.mul(x, b.sigmoid(b.mul(f([2], [1, 2]), x)));
  },
  "alpha divided by x": ({ b, f, input }) => {
    const x = input(SHAPE);
    return b.mul(x, b.sigmoid(b.div(f([], 1.702), x)));
  },
};

for (const [name, program] of Object.entries(siluLookAlikes)) {
  Deno.test(`no x · sigmoid(x): ${name}`, () => assertDoesNotBecome(["QuickGelu"], program, 4e-6));
}

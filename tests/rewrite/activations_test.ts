/** Activations that are written as formulas, and look-alikes. */

import { assert, assertEquals } from "@std/assert";
import type { MLOperand } from "../../mod.ts";
import { assertBecomes, assertDoesNotBecome, type Program, run, type Tools } from "./program.ts";

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

Deno.test("gelu of a product has the whole product as its input", async () => {
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

/** Forms of `x + 0.044715 · x³`. */
const polynomials: Readonly<Record<string, (tools: Tools, x: MLOperand) => MLOperand>> = {
  "x + k · x³": ({ b, f }, x) => b.add(x, b.mul(f([], 0.044715), b.pow(x, f([], 3)))),
  "(x · x · x) · k + x": ({ b, f }, x) => b.add(b.mul(b.mul(b.mul(x, x), x), f([1], 0.044715)), x),
  "x · (x · (x · k)) + x": ({ b, f }, x) => b.add(b.mul(x, b.mul(x, b.mul(x, f([], 0.044715)))), x),
};
const SCALE = Math.sqrt(2 / Math.PI);

function tanhSum({ b, f }: Tools, polynomial: MLOperand, scale = SCALE, one = 1): MLOperand {
  return b.add(b.tanh(b.mul(polynomial, f([], scale))), f([], one));
}

for (const [form, polynomial] of Object.entries(polynomials)) {
  for (const [order, productOf] of Object.entries(products)) {
    Deno.test(`gelu by tanh: ${order}, of ${form}`, async () => {
      await assertBecomes(["Gelu"], (tools) => {
        const x = tools.input(SHAPE);
        return productOf(tools, x, tanhSum(tools, polynomial(tools, x)));
      });
    });
  }
}

/** `x · ½` times a sum. */
const half = (tools: Tools, x: MLOperand, sum: MLOperand) => products["(x · ½) · s"]!(tools, x, sum);

Deno.test("gelu by tanh after a bias does not become gelu by erf, into which the engine merges a bias", async () => {
  await assertBecomes(["Add", "Gelu"], (tools) => {
    const x = tools.b.add(tools.input(SHAPE), tools.f([5], [-1, -0.5, 0, 0.5, 1]));
    return half(tools, x, tanhSum(tools, polynomials["x + k · x³"]!(tools, x)));
  });
});

Deno.test("gelu by tanh of large, small and special numbers", async () => {
  const values = [0, -0, 1e-30, -1e-30, 5, -5, 12, -12, 1e20, 3e38, Infinity];
  const { outputs, ops } = await run((tools) => {
    const x = tools.b.mul(tools.f([values.length], values), tools.b.exp(tools.b.mul(tools.input([]), tools.f([], 0))));
    return products["(x · ½) · s"]!(tools, x, tanhSum(tools, polynomials["x + k · x³"]!(tools, x)));
  });
  assertEquals(ops.at(-1), "Gelu");
  const numbers = outputs[0]!.data.map(Number);
  assertEquals(
    numbers.filter((_, i) => [0, 4, 6, 8, 9, 10].includes(i)),
    [0, numbers[4]!, 12, 1e20, 3e38, Infinity].map(Math.fround),
  );
  for (const i of [1, 2, 3, 7]) assert(Math.abs(numbers[i]!) < 1e-6, `${values[i]} becomes ${numbers[i]}`);
});

const tanhLookAlikes: Readonly<Record<string, Program>> = {
  "another coefficient": (tools) => {
    const { b, f, input } = tools;
    const x = input(SHAPE);
    return half(tools, x, tanhSum(tools, b.add(x, b.mul(f([], 0.0447), b.pow(x, f([], 3))))));
  },
  "a square": (tools) => {
    const { b, f, input } = tools;
    const x = input(SHAPE);
    return half(tools, x, tanhSum(tools, b.add(x, b.mul(f([], 0.044715), b.pow(x, f([], 2))))));
  },
  "a product of three values, one of which is another": (tools) => {
    const { b, f, input } = tools;
    const [x, y] = [input(SHAPE), input(SHAPE)];
    return half(tools, x, tanhSum(tools, b.add(x, b.mul(f([], 0.044715), b.mul(b.mul(x, y), x)))));
  },
  "another scale": (tools) => {
    const x = tools.input(SHAPE);
    return half(tools, x, tanhSum(tools, polynomials["x + k · x³"]!(tools, x), 0.7978));
  },
  "another summand": (tools) => {
    const x = tools.input(SHAPE);
    return half(tools, x, tanhSum(tools, polynomials["x + k · x³"]!(tools, x), SCALE, 2));
  },
  "another x": (tools) => {
    const x = tools.input(SHAPE);
    return half(tools, tools.input(SHAPE), tanhSum(tools, polynomials["x + k · x³"]!(tools, x)));
  },
  "a tanh that is also an output": (tools) => {
    const { b, f, input } = tools;
    const x = input(SHAPE);
    const tanh = b.tanh(b.mul(polynomials["x + k · x³"]!(tools, x), f([], SCALE)));
    return [half(tools, x, b.add(tanh, f([], 1))), tanh];
  },
  "a constant of more dimensions": (tools) => {
    const { b, f, input } = tools;
    const x = input(SHAPE);
    return b.mul(b.mul(x, f([1, 1, 1], 0.5)), tanhSum(tools, polynomials["x + k · x³"]!(tools, x)));
  },
};

for (const [name, program] of Object.entries(tanhLookAlikes)) {
  Deno.test(`no gelu by tanh: ${name}`, () => assertDoesNotBecome(["Gelu"], program));
}

interface SwishParts {
  readonly summand?: number;
  readonly bounds?: { readonly minValue?: number; readonly maxValue?: number };
  readonly divisor?: number;
}

/** `x · clamp(x + 3, 0, 6) / 6`, or with other numbers. */
function swish({ b, f }: Tools, x: MLOperand, parts: SwishParts = {}): MLOperand {
  const { summand = 3, bounds = { minValue: 0, maxValue: 6 }, divisor = 6 } = parts;
  return b.div(b.mul(x, b.clamp(b.add(x, f([], summand)), bounds)), f([], divisor));
}

/** A value that operators have rounded. */
const rounded = ({ b, f, input }: Tools, shape = SHAPE) => b.sub(input(shape, 3), f([], 0.3));

const swishes: Readonly<Record<string, (tools: Tools, x: MLOperand) => MLOperand>> = {
  "x · c / 6": swish,
  "c · x · (1 / 6)": ({ b, f }, x) =>
    b.mul(b.mul(b.clamp(b.add(f([1], 3), x), { minValue: 0, maxValue: 6 }), x), f([], 1 / 6)),
  "x · (c / 6)": ({ b, f }, x) => b.mul(x, b.div(b.clamp(b.add(x, f([], 3)), { minValue: 0, maxValue: 6 }), f([], 6))),
};
for (const [form, swishOf] of Object.entries(swishes)) {
  Deno.test(`hard swish: ${form}`, async () => {
    await assertBecomes(["Sub", "HardSwish"], (tools) => swishOf(tools, rounded(tools)));
  });
}

const swishLookAlikes: Readonly<Record<string, Program>> = {
  "another summand": (tools) => swish(tools, rounded(tools), { summand: 2 }),
  "another minimum": (tools) => swish(tools, rounded(tools), { bounds: { minValue: -1, maxValue: 6 } }),
  "no minimum": (tools) => swish(tools, rounded(tools), { bounds: { maxValue: 6 } }),
  "another maximum": (tools) => swish(tools, rounded(tools), { bounds: { minValue: 0, maxValue: 5 } }),
  "another divisor": (tools) => swish(tools, rounded(tools), { divisor: 5 }),
  "an input, which need not be rounded": (tools) => swish(tools, tools.input(SHAPE)),
  "another x": (tools) => {
    const { b, f } = tools;
    const [x, y] = [rounded(tools), rounded(tools)];
    return b.div(b.mul(x, b.clamp(b.add(y, f([], 3)), { minValue: 0, maxValue: 6 })), f([], 6));
  },
  "a gate that is also an output": (tools) => {
    const { b, f } = tools;
    const x = rounded(tools);
    const gate = b.clamp(b.add(x, f([], 3)), { minValue: 0, maxValue: 6 });
    return [b.div(b.mul(x, gate), f([], 6)), gate];
  },
  "a summand of more dimensions": (tools) => {
    const { b, f } = tools;
    const x = rounded(tools);
    return b.div(b.mul(x, b.clamp(b.add(x, f([1, 1, 1], 3)), { minValue: 0, maxValue: 6 })), f([], 6));
  },
};
for (const [name, program] of Object.entries(swishLookAlikes)) {
  Deno.test(`no hard swish: ${name}`, () => assertDoesNotBecome(["HardSwish"], program));
}

import { sharedContext } from "../support/builder.ts";
import { runOperator } from "../support/run_operator.ts";
import { evaluate, tensor } from "../reference/mod.ts";
const c = await sharedContext();
const n=64;
for (const [name,mk] of [["const1e4",()=>1e4],["const12345.678",()=>12345.678],["1000+r",(i:number)=>1000+Math.sin(i)],["1e5+r",(i:number)=>1e5+Math.sin(i)]] as const) {
  for (const op of ["layerNormalization","instanceNormalization"] as const) {
  const shape = op==="layerNormalization"?[2,n]:[1,2,8,8];
  const input=tensor("float32",shape,Array.from({length:2*n},(_,i)=>mk(i)));
  const e=evaluate(op,{input},{})[0]!, a=(await runOperator(c,op,{input}))[0]!;
  console.log(name,op,a.data.slice(0,4),e.data.slice(0,4));
  }
}
Deno.exit(0);

import { newBuilder, sharedContext } from "../support/builder.ts";
import { runGraph } from "../support/run_operator.ts";
import { tensor } from "../reference/mod.ts";
const c = await sharedContext();
for (const value of [0, 5, -Infinity, -3.4028234663852886e38]) for (const pool of ["maxPool2d","averagePool2d","l2Pool2d"] as const) for (const p of [[0,0,1,0],[0,0,2,0]]) for (const inner of [{}, {padding:[1,0,0,0]}]) {
 try {
  const b = await newBuilder();
  const x = b.input("x",{dataType:"float32",shape:[1,1,2,2]});
  const y = b[pool](b.pad(x,p,[0,0,0,0],{value}),{windowDimensions:[2,2],...inner});
  const [o]=await runGraph(c,b,{x:tensor("float32",[1,1,2,2],[-1,-2,-3,-4])},[y]); console.log(pool,value,p,inner,o!.data);
 } catch(e) { console.log(pool,value,p,inner,String(e).slice(0,100)); }
}
Deno.exit(0);

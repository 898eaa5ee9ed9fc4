import { newBuilder, sharedContext } from "../support/builder.ts";
const c = await sharedContext();
for (const mode of ["constant","edge"]) for (const p of [[0,1,1,0],[0,0,2,0]]) {
 try {
  const b = await newBuilder();
  const x = b.input("x",{dataType:"float32",shape:[1,4,4,3]});
  const y = b.maxPool2d(b.pad(b.maxPool2d(x,{layout:"nhwc",windowDimensions:[2,2]}),p,p,{mode} as never),{layout:"nhwc",windowDimensions:[2,2]});
  await b.build({y}); console.log(mode,p,"built");
 } catch(e) { console.log(mode,p,String(e)); }
}
Deno.exit(0);

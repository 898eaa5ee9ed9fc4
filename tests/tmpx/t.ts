import { createContext, MLGraphBuilder } from "../../mod.ts";
const c = await createContext({device:"cpu"});
try {
const b=new MLGraphBuilder(c); const x=b.input("x",{dataType:"float32",shape:[1,1,3,3]});
const f=b.input("f",{dataType:"float32",shape:[1,1,3,3]});
const g=await b.build({y:b.convTranspose2d(x,f,{groups:3,padding:[1,1,1,1],label:"L"})});
const t=async(shape:number[])=>await c.createTensor({dataType:"float32",shape,writable:true,readable:true});
const X=await t([1,1,3,3]),F=await t([1,1,3,3]),Y=await t([1,3,3,3]);
c.dispatch(g,{x:X,f:F},{y:Y}); console.log(await c.readTensor(Y));
} catch(e) { console.log(String(e), (e as Error).cause); }
Deno.exit(0);

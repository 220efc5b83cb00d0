// Reads lines of {candidates, score, nms, method, max, off} and writes what the page makes of each.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { thin } = await import(pathToFileURL(process.argv[2]));
for await (const line of createInterface({ input: process.stdin })) {
  const { candidates, off, ...choice } = JSON.parse(line);
  console.log(JSON.stringify(thin(candidates, { ...choice, on: (k) => !off.includes(k) })));
}

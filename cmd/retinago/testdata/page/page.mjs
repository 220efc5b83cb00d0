// Opens the example page of an exported model: node page.mjs CHROMIUM URL WEB PICTURE
// WEB is the folder dist of onnxruntime-web, which answers the page's requests to the network. Prints the page's list of objects.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [executablePath, url, web, picture] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
try {
  const page = await browser.newPage();
  const faults = [];
  page.on("pageerror", (e) => faults.push(e.message));
  const types = { mjs: "text/javascript", wasm: "application/wasm" };
  await page.route("https://cdn.jsdelivr.net/npm/onnxruntime-web@*/dist/*", async (route) => {
    const name = new URL(route.request().url()).pathname.split("/").pop();
    await route.fulfill({ contentType: types[name.split(".").pop()], headers: { "access-control-allow-origin": "*" }, body: await readFile(join(web, name)) });
  });
  await page.goto(url);
  await page.waitForFunction(() => document.querySelector("output").textContent === "ready", null, { timeout: 60000 })
    .catch((e) => { throw new Error(`the page is not ready: ${e.message}\n${faults.join("\n")}`); });
  await page.setInputFiles("input", picture);
  await page.waitForFunction(() => !["ready", "detecting"].includes(document.querySelector("output").textContent), null, { timeout: 120000 });
  const [status, list, size] = await page.evaluate(() => {
    const canvas = document.querySelector("canvas");
    return [document.querySelector("output").textContent, document.querySelector("pre").textContent, canvas.width * canvas.height];
  });
  if (!/^\d+ objects$/.test(status) || size === 0 || faults.length > 0) throw new Error(`the page shows ${status}, ${size} pixels; ${faults.join("\n")}`);
  if (list) console.log(list);
} finally {
  await browser.close();
}

// Drives the page: node page.mjs CHROMIUM URL PICTURE DIR [LOCKED_URL TOKEN OTHER_URL]. URL has a camera named door; LOCKED_URL
// wants the token and allows the origin of OTHER_URL, an empty page. Screenshots go to DIR. Ends with 1 at the first
// thing that is not as it should be.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { chromium } from "playwright-core";

const [executablePath, url, picture, dir, lockedURL, token, otherURL] = process.argv.slice(2);
const bytes = await readFile(picture);
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
});

// ask is the API's own answer.
async function ask(query) {
  const r = await fetch(`${url}/v1/detect?${query}`, { method: "POST", body: bytes });
  assert.equal(r.status, 200);
  return (await r.json()).detections;
}

const picturesWidth = fetch(url + "/v1/detect", { method: "POST", body: bytes }).then((r) => r.json()).then((a) => a.width);

// rows are the objects that the page lists.
const rows = (page) => page.$$eval("#objects tr", (all) => all.map((r) => [...r.cells].map((c) => c.textContent).join(" ")));
const expected = (list) => list.map((d) => [d.name, d.score.toFixed(3), ...d.box.map((v) => v.toFixed(1))].join(" "));

// slide sets a slider as a hand would: with an event.
const slide = (page, id, value) => page.$eval("#" + id, (e, v) => { e.value = v; e.dispatchEvent(new Event("input")); }, value);

// drop lets a file fall onto the page.
async function drop(page, b, name) {
  const data = await page.evaluateHandle(([text, name]) => {
    const d = new DataTransfer();
    d.items.add(new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], name));
    return d;
  }, [b.toString("base64"), name]);
  await page.dispatchEvent("#drop", "drop", { dataTransfer: data });
}

// fits tells that nothing is wider than the screen.
const fits = (page) => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);

async function open(options, address = url) {
  const context = await browser.newContext({ permissions: ["camera"], ...options });
  const page = await context.newPage();
  const faults = [];
  page.on("pageerror", (e) => faults.push(e.message));
  page.on("console", (m) => m.type() === "error" && faults.push(m.text()));
  let requests = 0;
  page.on("request", (r) => {
    requests++;
    assert.ok(r.url().startsWith(address) || r.url().startsWith("blob:"), "a request to " + r.url());
  });
  await page.goto(address);
  return { page, faults, requests: () => requests, close: () => context.close() };
}

for (const [width, height] of [[390, 844], [1400, 900]]) {
  for (const colorScheme of ["light", "dark"]) {
    const { page, faults, requests, close } = await open({ viewport: { width, height }, colorScheme });
    await page.waitForSelector("#names input");
    assert.ok(await fits(page), `the empty page is wider than ${width}`);
    await drop(page, bytes, basename(picture));
    await page.waitForFunction(() => document.querySelectorAll("#times div").length > 0);

    // From here on no request is made.
    const before = requests();
    const models = (await (await fetch(url + "/v1/models")).json()).models;
    for (const [score, nms] of [[0.05, 0.5], [0.3, 0.5], [0.05, 0.2], [0.1, 1]]) {
      await slide(page, "score", score);
      await slide(page, "nms", nms);
      assert.deepEqual(await rows(page), expected(await ask(`score=${score}&nms=${nms}`)), `score ${score}, NMS ${nms}`);
      assert.equal(await page.textContent("#score-value"), score.toFixed(2));
    }
    // Classes, by keyboard.
    await slide(page, "score", 0.05);
    await slide(page, "nms", 0.5);
    await page.focus("#names label:first-child input");
    await page.keyboard.press("Space");
    const others = models[0].classes.slice(1).map((c) => c.id).join(",");
    assert.deepEqual(await rows(page), expected(await ask(`score=.05&nms=.5&classes=${others}`)), "without the first class");
    await page.click("#none");
    assert.deepEqual(await rows(page), []);
    await page.click("#all");
    assert.equal(requests(), before, "sliders and classes ask the server");

    // Boxes are drawn where the API says: pixels on their edges have their classes' colours.
    const list = await ask("score=.05&nms=.5");
    assert.ok(list.length > 0, "a picture without objects shows nothing");
    const hit = await page.evaluate(([[x1, y1, x2, y2], width]) => {
      const g = document.getElementById("view").getContext("2d");
      const k = g.canvas.width / width; // the canvas may be finer than the picture
      const at = (x, y) => g.getImageData(Math.round(k * x), Math.round(k * y), 1, 1).data.slice(0, 3).join();
      const colors = [...document.querySelectorAll("#names canvas")].map((c) => c.getContext("2d").getImageData(0, 0, 1, 1).data.slice(0, 3).join());
      const w = (g.canvas.width - 1) / k, h = (g.canvas.height - 1) / k;
      const edge = [[(x1 + x2) / 2, y2], [x1, (y1 + y2) / 2], [x2, (y1 + y2) / 2]].map(([x, y]) => at(Math.min(x, w), Math.min(y, h)));
      return edge.filter((c) => colors.includes(c)).length;
    }, [list[0].box, await picturesWidth]);
    assert.ok(hit >= 1, "the best box is not drawn");
    assert.ok(await fits(page), `the page is wider than ${width}`);
    await page.screenshot({ path: join(dir, `page-${width}-${colorScheme}.png`), fullPage: true });

    // What is no picture is told, and the next picture is fine again. The browser logs the answer's status.
    await drop(page, Buffer.from("no picture"), "notes.txt");
    await page.waitForSelector("#status.error");
    assert.match(await page.textContent("#status"), /unsupported format/);
    assert.deepEqual(await rows(page), []);
    assert.equal(faults.splice(0).filter((f) => !f.includes("415")).length, 0);
    await page.setInputFiles("#file", picture);
    await page.waitForFunction(() => document.querySelectorAll("#objects tr").length > 0 || /pixels/.test(document.getElementById("status").textContent));

    // The webcam, which is the browser's test picture.
    await page.click("#camera");
    await page.waitForFunction(() => /^Webcam: .* frames a second/.test(document.getElementById("status").textContent));
    assert.equal(await page.getAttribute("#camera", "aria-pressed"), "true");
    await page.click("#camera");
    assert.equal(await page.getAttribute("#camera", "aria-pressed"), "false");

    // Every control has a name, and Tab comes to all.
    const unnamed = await page.$$eval("input, select, button", (all) => all.filter((e) => !(e.labels && e.labels.length) && !e.textContent.trim()).map((e) => e.id));
    assert.deepEqual(unnamed, []);
    const reached = new Set();
    await page.evaluate(() => document.activeElement.blur());
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press("Tab");
      reached.add(await page.evaluate(() => document.activeElement.id));
    }
    for (const id of ["file", "camera", "model", "score", "nms", "all", "none"]) assert.ok(reached.has(id), `Tab does not come to ${id}`);
    assert.deepEqual(faults, []);
    await close();
    console.log(`${width} ${colorScheme}: ${list.length} objects, as the API has them`);
  }
}

if (lockedURL) {
  const { page, close } = await open({ viewport: { width: 390, height: 844 } }, lockedURL);
  await page.waitForSelector("#status.error");
  assert.ok(await page.$eval("#access", (e) => e.open), "the field for the token is hidden");
  await page.fill("#token", token);
  await page.press("#token", "Tab");
  await page.waitForSelector("#names input");
  await drop(page, bytes, basename(picture));
  await page.waitForFunction(() => /pixels/.test(document.getElementById("status").textContent));
  await page.click("#camera");
  await page.waitForFunction(() => /^Webcam: .* frames/.test(document.getElementById("status").textContent));
  await close();
  console.log("with a token: as without");
}

// A camera by its address: the policy of answers lets the browser show it.
{
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(url + "/v1/stream?camera=door", { waitUntil: "commit" });
  await page.waitForFunction(() => document.images.length === 1 && document.images[0].naturalWidth > 0);
  await context.close();
  console.log("a camera by its address");
}

// The page of another origin: it can send and read nothing where its origin is not allowed, and all where it is.
if (otherURL) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(otherURL);
  const reach = (server, token) => page.evaluate(async ([server, token, text]) => {
    const body = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const settled = (o, good) => new Promise((done) => { o["on" + good] = () => done(good); o.onerror = () => done("failed"); });
    const socket = settled(new WebSocket(server.replace("http", "ws") + "/v1/socket", token ? ["retinago", "bearer." + btoa(token).replaceAll("=", "")] : []), "open");
    const image = new Image(), shown = settled(image, "load");
    image.src = server + "/icon.svg";
    const fetched = await fetch(server + "/v1/detect", { method: "POST", body, headers: token ? { Authorization: "Bearer " + token } : {} })
      .then((r) => r.status, () => "failed");
    return { fetch: fetched, socket: await socket, image: await shown };
  }, [server, token, bytes.toString("base64")]);
  assert.deepEqual(await reach(url), { fetch: "failed", socket: "failed", image: "failed" });
  assert.deepEqual(await reach(lockedURL, token), { fetch: 200, socket: "open", image: "failed" });
  await context.close();
  console.log("another origin: only where it is allowed");
}
await browser.close();

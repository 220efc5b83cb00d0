import { methods, thin } from "./nms.js";

const $ = (id) => document.getElementById(id);
const lowest = 0.05; // candidates below it are not asked for

let models = [];
let picture = null; // what is shown: an image, or the frame of a webcam
let file = null; // that picture is of; null for the webcam
let answer = null; // the server's, with candidates or detections
let took = 0; // milliseconds from sending to the answer
let asked = 0; // counts questions, so that a late answer to an old one is dropped
const off = new Set(); // classes that are switched off, by name

const model = () => models.find((m) => m.name === $("model").value);
const headers = () => ($("token").value ? { Authorization: "Bearer " + $("token").value } : {});
const query = (raw) => {
  const q = new URLSearchParams({ model: model().name });
  q.set("score", raw ? lowest : $("score").value);
  q.set("nms", $("nms").value);
  if (raw) q.set("raw", "1");
  return q;
};
// thinned says whether this page does the model's NMS itself.
const thinned = () => methods.includes(model().method);

function say(text, error) {
  $("status").textContent = text;
  $("status").classList.toggle("error", Boolean(error));
}

// palette has the classes' colours, as on the server's pictures.
const palette = `
  E69F00 56B4E9 009E73 F0E442 0072B2 D55E00 CC79A7 77FFFF 882233 0000FF 44DDAA 5588FF 005577 AA4433 5522BB 66FFAA
  44DDFF 007777 DD00CC 0066FF 77BB77 CCCC66 33CCCC 00EEDD 008866 CC0099 EE7733 5577DD 226688 6699EE 771199 AA0055
  993300 00AA55 BB77CC BB5533 006666 FFDD88 3300DD EE88AA 11CCFF EEBB00 BB6699 66EEBB 99FFDD 77AA88 CC88CC EEBB99
  22DDDD 77EEFF AABB55 DD7755 4466DD 6644BB CC2255 66AAFF 2244FF AA44AA 00FF77 555500 6633DD 33DD88 44BBAA 55DD33
  AA1199 BB1155 BB66FF DD33BB BB6655 558888 999922 8866CC AA7733 993333 77BBDD CCDD55 EE99BB AAAA55 882277 AA5511`.trim().split(/\s+/);
function color(k) {
  const v = parseInt(palette[k % palette.length], 16);
  return [v >> 16, (v >> 8) & 255, v & 255];
}
const css = (rgb) => `rgb(${rgb.join(",")})`;
// luminance is relative, as WCAG 2.1 has it; letters are black where that has more contrast than white.
const luminance = (rgb) => rgb.reduce((sum, c, i) => {
  const v = c / 255;
  return sum + [0.2126, 0.7152, 0.0722][i] * (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
}, 0);
const ink = (rgb) => ((luminance(rgb) + 0.05) ** 2 > 0.05 * 1.05 ? "#000" : "#fff");

// problem is the message of an answer that is none.
async function problem(r) {
  const body = await r.json().catch(() => null);
  const wait = r.headers.get("Retry-After");
  if (r.status === 401) $("access").open = true;
  return new Error((body && body.error ? body.error.message : "the server answers " + r.status) + (wait ? `; try again in ${wait} s` : ""));
}

async function start() {
  try {
    const r = await fetch("v1/models", { headers: headers() });
    if (!r.ok) throw await problem(r);
    models = (await r.json()).models;
  } catch (e) {
    say(e.message, true);
    return;
  }
  $("model").replaceChildren(...models.map((m) => new Option(m.name, m.name)));
  adopt();
  if (!file) say("No image yet.");
}

// adopt takes a model's choices and classes.
function adopt() {
  const m = model();
  $("score").value = m.score;
  $("nms").value = m.nms;
  $("names").replaceChildren(...m.classes.map((c, k) => {
    const label = document.createElement("label"), box = document.createElement("input"), patch = document.createElement("canvas");
    box.type = "checkbox";
    box.checked = !off.has(c.name);
    box.addEventListener("change", () => {
      if (box.checked) off.delete(c.name);
      else off.add(c.name);
      chosen();
    });
    patch.width = patch.height = 1;
    patch.getContext("2d").fillStyle = css(color(k));
    patch.getContext("2d").fillRect(0, 0, 1, 1);
    label.append(box, patch, c.name);
    return label;
  }));
  values();
}

function values() {
  for (const id of ["score", "nms"]) $(id + "-value").value = Number($(id).value).toFixed(2);
}

// objects are what is to be shown: thinned out here, or by the server.
function objects() {
  if (!answer) return [];
  if (!answer.candidates) return answer.detections.filter((d) => !off.has(d.name));
  const names = model().classes;
  const c = answer.candidates;
  return thin(c, {
    score: Number($("score").value), nms: Number($("nms").value), method: c.method, max: c.max, on: (k) => !off.has(names[k].name),
  }).map((d) => ({ ...d, name: names[d.class].name }));
}

function draw() {
  const view = $("view"), g = view.getContext("2d");
  const { width: w, height: h } = answer || picture || { width: 640, height: 360 };
  // The canvas has the screen's pixels where they are finer than the picture's; lines and letters keep their size on the screen.
  const fine = Math.max(1, Math.min((view.clientWidth * devicePixelRatio) / w, 4096 / Math.max(w, h)));
  view.width = Math.round(w * fine);
  view.height = Math.round(h * fine);
  g.scale(view.width / w, view.height / h);
  if (picture) g.drawImage(picture, 0, 0, w, h);
  const list = objects();
  const scale = w / Math.max(view.clientWidth, 1);
  const size = 13 * scale;
  g.lineWidth = 2 * scale;
  g.font = `600 ${size}px system-ui, "Liberation Sans", Arial, sans-serif`;
  g.textBaseline = "top";
  for (const d of list.toReversed()) {
    const [x1, y1, x2, y2] = d.box, c = color(d.class), text = `${d.name} ${d.score.toFixed(2)}`;
    g.strokeStyle = g.fillStyle = css(c);
    g.strokeRect(x1, y1, x2 - x1, y2 - y1);
    const plate = g.measureText(text).width + 8 * scale, high = size + 4 * scale;
    const x = Math.max(0, Math.min(x1, w - plate)), y = y1 >= high ? y1 - high : Math.min(y1, h - high);
    g.fillRect(x, y, plate, high);
    g.fillStyle = ink(c);
    g.fillText(text, x + 4 * scale, y + 3 * scale);
  }
  $("count").textContent = answer ? `${list.length} objects` : "";
  if (!answer) $("times").replaceChildren();
  view.setAttribute("aria-label", answer ? `Image with ${list.length} objects` : picture ? "Image" : "No image");
  $("objects").replaceChildren(...list.map((d) => {
    const row = document.createElement("tr");
    [d.name, d.score.toFixed(3), ...d.box.map((v) => v.toFixed(1))].forEach((text, i) => {
      const cell = document.createElement(i ? "td" : "th");
      if (!i) cell.scope = "row";
      cell.textContent = text;
      row.append(cell);
    });
    return row;
  }));
}

function show(a, ms) {
  answer = a;
  took = ms;
  const t = a.times_ms;
  const tiles = [["Round trip", took], ["Decode", t.decode], ["Prepare", t.prepare], ["Wait", t.wait], ["Network", t.network], ["Boxes", t.boxes]];
  $("times").replaceChildren(...tiles.map(([name, v]) => {
    const tile = document.createElement("div"), dt = document.createElement("dt"), dd = document.createElement("dd");
    dt.textContent = name;
    dd.textContent = v.toFixed(v < 10 ? 1 : 0) + " ms";
    tile.append(dt, dd);
    return tile;
  }));
  draw();
}

// ask sends the file.
async function ask() {
  if (!file || !models.length) return;
  const n = ++asked, begun = performance.now();
  say("Looking…");
  try {
    const r = await fetch("v1/detect?" + query(thinned()), { method: "POST", body: file, headers: headers() });
    if (!r.ok) throw await problem(r);
    const a = await r.json();
    if (n !== asked) return;
    show(a, performance.now() - begun);
    say(`${file.name}: ${a.width} × ${a.height} pixels.`);
  } catch (e) {
    if (n !== asked) return;
    answer = null;
    draw();
    say(e.message, true);
  }
}

// load shows a file and asks for its objects. What the browser cannot show may still be a picture to the server.
async function load(f) {
  stop();
  file = f;
  answer = null;
  const of = f;
  const shown = await createImageBitmap(f, { imageOrientation: "from-image" }).catch(() => null);
  if (file !== of) return;
  picture = shown;
  draw();
  await ask();
}

// chosen follows a slider or a class: at once, or after a pause where the server must be asked.
let pause = 0;
function chosen() {
  values();
  draw();
  if (!answer || answer.candidates) return;
  clearTimeout(pause);
  pause = setTimeout(() => {
    if (!live) return ask();
    stop();
    camera();
  }, 200);
}

// The webcam: the next frame goes out when the answer to the one before is here.
let live = null;
async function camera() {
  if (live) {
    stop();
    return;
  }
  if (!navigator.mediaDevices) {
    say("The browser gives the webcam only to pages from localhost or over https.", true);
    return;
  }
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch (e) {
    say("No webcam: " + e.message, true);
    return;
  }
  file = answer = null;
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  video.srcObject = stream;
  await video.play();
  const address = new URL("v1/socket?" + query(thinned()), location.href);
  address.protocol = address.protocol.replace("http", "ws");
  const protocols = ["retinago"];
  if ($("token").value) {
    const bytes = new TextEncoder().encode($("token").value);
    protocols.push("bearer." + btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""));
  }
  const socket = new WebSocket(address, protocols);
  live = { stream, socket };
  $("camera").setAttribute("aria-pressed", "true");
  let sent = 0, frames = 0, since = performance.now(), next = null;
  const send = async () => {
    if (!live || live.socket !== socket || socket.readyState !== WebSocket.OPEN) return;
    const frame = document.createElement("canvas");
    frame.width = video.videoWidth;
    frame.height = video.videoHeight;
    frame.getContext("2d").drawImage(video, 0, 0);
    const blob = await new Promise((done) => frame.toBlob(done, "image/jpeg", 0.85));
    if (!blob || socket.readyState !== WebSocket.OPEN) return;
    next = frame;
    sent = performance.now();
    socket.send(blob);
  };
  socket.onopen = send;
  socket.onmessage = (m) => {
    if (!live || live.socket !== socket) return;
    const a = JSON.parse(m.data);
    if (a.error) {
      say(a.error.message, true);
      setTimeout(send, 500);
      return;
    }
    picture = next;
    show(a, performance.now() - sent);
    frames++;
    say(`Webcam: ${(1000 * frames / (performance.now() - since)).toFixed(1)} frames a second.`);
    send();
  };
  socket.onclose = (e) => {
    if (!live || live.socket !== socket) return;
    stop();
    say("The connection ended" + (e.reason ? ": " + e.reason : "."), true);
  };
}

function stop() {
  if (!live) return;
  const { stream, socket } = live;
  live = null;
  stream.getTracks().forEach((t) => t.stop());
  socket.close();
  $("camera").setAttribute("aria-pressed", "false");
  say("The webcam is off.");
}

$("file").addEventListener("change", () => $("file").files.length && load($("file").files[0]));
for (const type of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(type, (e) => {
    e.preventDefault();
    $("drop").classList.toggle("over", type === "dragover");
    if (type === "drop" && e.dataTransfer.files.length) load(e.dataTransfer.files[0]);
  });
}
$("camera").addEventListener("click", camera);
$("model").addEventListener("change", () => {
  stop();
  answer = null;
  adopt();
  draw();
  ask();
});
for (const id of ["score", "nms"]) $(id).addEventListener("input", chosen);
$("all").addEventListener("click", () => every(true));
$("none").addEventListener("click", () => every(false));
function every(on) {
  for (const c of model()?.classes ?? []) {
    if (on) off.delete(c.name);
    else off.add(c.name);
  }
  for (const box of $("names").querySelectorAll("input")) box.checked = on;
  chosen();
}
$("token").addEventListener("change", start);
window.addEventListener("resize", draw);
start();

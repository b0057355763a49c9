// Two networks in the browser: LiteRT reads the files that serving/export.py wrote, for a batch of exactly one picture.
import { loadAndCompile, loadLiteRt, Tensor } from "@litertjs/core";

const SIDE = 28;
const byId = (id) => document.getElementById(id);
const networks = {};

/** Probabilities (10) of one picture: 784 numbers from 0 to 1. */
async function classify(name, pixels) {
  const image = new Tensor(Float32Array.from(pixels), [1, SIDE, SIDE, 1]);
  const [output] = await networks[name].run([image]);
  const probabilities = Array.from(await output.data());
  image.delete();
  output.delete();
  return probabilities;
}

/** Show the probabilities as bars, the greatest in bold, and say it to screen readers. */
function show(name, labels, probabilities) {
  const best = probabilities.indexOf(Math.max(...probabilities));
  const percent = (share) => `${(100 * share).toFixed(1)} %`;
  const rows = labels.map((label, number) => {
    const row = document.createElement("tr");
    row.className = number === best ? "first" : "";
    row.innerHTML = '<th scope="row"></th><td class="bar"><meter min="0" max="1"></meter></td><td></td>';
    row.querySelector("th").textContent = label;
    row.querySelector("meter").value = probabilities[number];
    row.querySelector("meter").setAttribute("aria-label", label);
    row.querySelector("td:last-child").textContent = percent(probabilities[number]);
    return row;
  });
  const answer = byId(`${name}-answer`);
  answer.innerHTML = '<p role="status"></p><table><caption class="small">Probability of each class</caption></table>';
  answer.querySelector("table").append(...rows);
  answer.querySelector("p").textContent = `Most probable: ${labels[best]} (${percent(probabilities[best])})`;
}

/** Pixels (784, 0 to 1) of the drawing the way MNIST was made: fitted into 20 by 20, its centre of mass in the middle. */
function centred(pad) {
  const drawn = pad.getContext("2d").getImageData(0, 0, pad.width, pad.height).data;
  let [left, right, top, bottom] = [pad.width, -1, pad.height, -1];
  let [mass, massX, massY] = [0, 0, 0];
  for (let y = 0; y < pad.height; y++) {
    for (let x = 0; x < pad.width; x++) {
      const ink = drawn[4 * (y * pad.width + x)];
      if (ink < 20) continue;
      [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
      [mass, massX, massY] = [mass + ink, massX + ink * x, massY + ink * y];
    }
  }
  if (right < 0) return null;
  const scale = 20 / Math.max(right - left + 1, bottom - top + 1);
  const seen = byId("seen").getContext("2d", { willReadFrequently: true });
  seen.fillStyle = "black";
  seen.fillRect(0, 0, SIDE, SIDE);
  seen.imageSmoothingQuality = "high";
  const [x, y] = [SIDE / 2 - (massX / mass - left) * scale, SIDE / 2 - (massY / mass - top) * scale];
  const [width, height] = [right - left + 1, bottom - top + 1];
  seen.drawImage(pad, left, top, width, height, x, y, width * scale, height * scale);
  const pixels = seen.getImageData(0, 0, SIDE, SIDE).data;
  return Array.from({ length: SIDE * SIDE }, (_, number) => pixels[4 * number] / 255);
}

function prepareDrawing(labels) {
  const pad = byId("pad");
  const context = pad.getContext("2d", { willReadFrequently: true });
  const pen = { x: 140, y: 140, down: false };
  let waiting = false;

  function clear() {
    context.fillStyle = "black";
    context.fillRect(0, 0, pad.width, pad.height);
    byId("seen").getContext("2d").clearRect(0, 0, SIDE, SIDE);
    byId("digits-answer").textContent = "Nothing is drawn yet.";
  }

  async function answer() {
    if (waiting) return; // one look for each picture of the screen is enough
    waiting = true;
    await new Promise(requestAnimationFrame);
    waiting = false;
    const pixels = centred(pad);
    if (pixels) show("digits", labels, await classify("digits", pixels));
  }

  function line(x, y) {
    context.strokeStyle = "white";
    context.lineWidth = 22;
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    context.moveTo(pen.x, pen.y);
    context.lineTo(x, y);
    context.stroke();
    [pen.x, pen.y] = [x, y];
    answer();
  }

  const place = (event) => {
    const box = pad.getBoundingClientRect();
    return [((event.clientX - box.left) * pad.width) / box.width, ((event.clientY - box.top) * pad.height) / box.height];
  };
  pad.addEventListener("pointerdown", (event) => {
    pad.setPointerCapture(event.pointerId);
    pen.down = true;
    [pen.x, pen.y] = place(event);
    line(pen.x, pen.y);
  });
  pad.addEventListener("pointermove", (event) => {
    if (event.buttons && pen.down) line(...place(event));
  });
  for (const end of ["pointerup", "pointercancel"]) pad.addEventListener(end, () => (pen.down = false));

  const steps = { ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, -10], ArrowDown: [0, 10] };
  pad.addEventListener("keydown", (event) => {
    const step = steps[event.key];
    if (step) {
      const [x, y] = [pen.x + step[0], pen.y + step[1]].map((value) => Math.min(270, Math.max(10, value)));
      if (pen.down) line(x, y);
      else [pen.x, pen.y] = [x, y];
    } else if (event.key === " ") {
      pen.down = !pen.down;
      if (pen.down) line(pen.x, pen.y);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      clear();
    } else {
      return;
    }
    event.preventDefault();
    byId("pen").textContent = `Pen ${pen.down ? "down" : "up"}, column ${pen.x / 10}, row ${pen.y / 10}`;
  });
  byId("clear").addEventListener("click", clear);
  clear();
}

/** One grey picture (784 numbers from 0 to 255) as the address of a PNG. */
function address(pixels) {
  const canvas = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
  const image = new ImageData(Uint8ClampedArray.from(pixels.flatMap((grey) => [grey, grey, grey, 255])), SIDE, SIDE);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas.toDataURL();
}

function prepareGarments({ labels, pictures }) {
  const buttons = pictures.map((picture, number) => {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    const image = document.createElement("img");
    image.src = address(picture.pixels);
    image.alt = `Garment ${number + 1} of ${pictures.length}, labelled ${labels[picture.label]}`;
    button.append(image);
    button.addEventListener("click", async () => {
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      show("fashion", labels, await classify("fashion", picture.pixels.map((grey) => grey / 255)));
    });
    return button;
  });
  byId("garments").append(...buttons);
  byId("fashion-answer").textContent = "Nothing is picked yet.";
}

async function main() {
  await loadLiteRt("litert/core/wasm/");
  const samples = await (await fetch("exported/samples.json")).json();
  for (const name of ["digits", "fashion"]) {
    networks[name] = await loadAndCompile(`exported/${name}_one.tflite`, { accelerator: "wasm" });
  }
  prepareDrawing(samples.digits.labels);
  prepareGarments(samples.fashion);
  globalThis.classify = classify; // for the console, and for the test
  byId("status").textContent = "The networks are loaded.";
}

main().catch((error) => {
  byId("status").textContent = `The networks could not be loaded: ${error.message}`;
  throw error;
});

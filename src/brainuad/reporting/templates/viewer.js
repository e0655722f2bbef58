// One subject: slices, maps and a threshold, drawn on canvases from sprites of 8-bit slices.
// Sprites arrive as text in scripts, because a page from a disk may not read the pixels of picture files.
"use strict";

const brainuadViewer = (function () {
  const config = JSON.parse(document.getElementById("viewer-config").textContent);
  const { width, height, columns, slices } = config;
  const area = width * height;
  const colours = Uint8Array.from(atob(config.colours), (letter) => letter.charCodeAt(0));
  const HIT = [0, 158, 115];
  const FALSE = [230, 120, 0];
  const TRUTH = "#2dd4ff";
  const at = (id) => document.getElementById(id);
  const volumes = new Map(); // "input" or a method's name: {channels, truth} or {map, healthy}
  const canvases = ["input", "healthy", "map", "detection"].map((id) => at(id));
  let thresholdByte = 128; // may be fractional: a protocol's threshold lies between two bytes

  const method = () => config.methods.find((entry) => entry.name === at("method").value);
  const slice = () => Number(at("slice").value);
  const valueOf = (byte) => method().top * (byte / 255) ** 2;
  const byteOf = (value) => 255 * Math.sqrt(Math.min(1, value / method().top));
  const plane = (volume, z) => volume.subarray(z * area, (z + 1) * area);

  function picture(sprite) {
    return new Promise((resolve, reject) => {
      const image = new Image();
      image.onload = () => resolve(image);
      image.onerror = () => reject(new Error("a sprite is not a picture"));
      image.src = `data:image/png;base64,${sprite}`;
    });
  }

  // The bytes of a sprite, slice after slice.
  async function decode(sprite) {
    const image = await picture(sprite);
    const canvas = document.createElement("canvas");
    canvas.width = image.width;
    canvas.height = image.height;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    const volume = new Uint8Array(slices.length * area);
    for (let z = 0; z < slices.length; z += 1) {
      const left = (z % columns) * width;
      const top = Math.floor(z / columns) * height;
      const pixels = context.getImageData(left, top, width, height).data;
      for (let i = 0; i < area; i += 1) volume[z * area + i] = pixels[4 * i];
    }
    return volume;
  }

  async function receive(name, content) {
    const decoded = {};
    for (const [key, value] of Object.entries(content)) {
      decoded[key] = Array.isArray(value) ? await Promise.all(value.map(decode)) : await decode(value);
    }
    volumes.set(name, decoded);
    if (name === "input") await chooseMethod();
    else draw();
  }

  // A method's volumes are loaded when it is chosen first.
  async function chooseMethod() {
    if (config.methods.length === 0) {
      draw();
      return;
    }
    const chosen = method();
    if (!volumes.has(chosen.name)) {
      const script = document.createElement("script");
      script.src = `${config.folder}/${encodeURIComponent(chosen.name)}.js`;
      document.body.appendChild(script);
    }
    showPresets(chosen);
    draw();
  }

  function showPresets(chosen) {
    const buttons = chosen.thresholds.map(({ label, value }) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = `${label}${label === "oracle" ? " (bound)" : ""} ${value.toPrecision(3)}`;
      button.addEventListener("click", () => setThreshold(byteOf(value)));
      return button;
    });
    at("presets").replaceChildren(...buttons);
    const preferred = chosen.thresholds.find(({ label }) => label === "validation") || chosen.thresholds[0];
    setThreshold(preferred ? byteOf(preferred.value) : byteOf(chosen.bright / 2));
  }

  function setThreshold(byte) {
    thresholdByte = byte;
    at("threshold").value = String(Math.round(byte));
    draw();
  }

  function paint(canvas, colourOf) {
    const pixels = new ImageData(width, height);
    for (let i = 0; i < area; i += 1) {
      const [red, green, blue] = colourOf(i);
      pixels.data.set([red, green, blue, 255], 4 * i);
    }
    const small = document.createElement("canvas");
    small.width = width;
    small.height = height;
    small.getContext("2d").putImageData(pixels, 0, 0);
    const factor = Math.max(2, Math.ceil((canvas.clientWidth * devicePixelRatio) / width));
    canvas.width = width * factor;
    canvas.height = height * factor;
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = at("smooth").checked;
    context.imageSmoothingQuality = "high";
    context.drawImage(small, 0, 0, canvas.width, canvas.height);
    return { context, factor };
  }

  // The border between lesion and other pixels, along their edges.
  function outline({ context, factor }, truth) {
    if (!at("truth").checked) return;
    const inside = (x, y) => x >= 0 && y >= 0 && x < width && y < height && truth[y * width + x] > 127;
    context.beginPath();
    for (let y = 0; y <= height; y += 1) {
      for (let x = 0; x <= width; x += 1) {
        const here = inside(x, y);
        if (here !== inside(x - 1, y)) {
          context.moveTo(x * factor, y * factor);
          context.lineTo(x * factor, (y + 1) * factor);
        }
        if (here !== inside(x, y - 1)) {
          context.moveTo(x * factor, y * factor);
          context.lineTo((x + 1) * factor, y * factor);
        }
      }
    }
    context.strokeStyle = TRUTH;
    context.lineWidth = Math.max(1.5, factor / 4);
    context.stroke();
  }

  const grey = (bytes) => (i) => [bytes[i], bytes[i], bytes[i]];

  function heat(bytes, chosen) {
    const table = Array.from({ length: 256 }, (_, byte) => {
      const value = chosen.top * (byte / 255) ** 2;
      const index = 3 * Math.min(255, Math.round((255 * value) / chosen.bright));
      return [colours[index], colours[index + 1], colours[index + 2]];
    });
    return (i) => table[bytes[i]];
  }

  function detection(image, map, truth) {
    const mix = (colour, byte) => colour.map((part) => 0.35 * byte + 0.65 * part);
    return (i) => {
      const byte = image[i];
      if (map[i] <= thresholdByte) return [byte, byte, byte];
      return mix(truth[i] > 127 ? HIT : FALSE, byte);
    };
  }

  // Voxels of the whole volume above the threshold, from the histograms of the bytes.
  function showNumbers() {
    const { lesion: inside, elsewhere } = method();
    const above = (total, voxels, byte) => total + (byte > thresholdByte ? voxels : 0);
    const hits = inside.reduce(above, 0);
    const marked = hits + elsewhere.reduce(above, 0);
    const lesion = inside.reduce((total, voxels) => total + voxels, 0);
    const ml = (voxels) => `${(voxels * config.voxel_ml).toFixed(1)} ml`;
    if (!config.annotated) {
      at("readout").textContent = `${ml(marked)} marked in the whole volume; no lesion is annotated.`;
      return;
    }
    const dice = marked + lesion > 0 ? ((2 * hits) / (marked + lesion)).toFixed(3) : "undefined";
    at("readout").textContent =
      `Dice ${dice} in the whole volume: ${ml(marked)} marked, ${ml(hits)} of it in the lesion; ` +
      `${ml(lesion - hits)} of ${ml(lesion)} lesion missed.`;
  }

  function draw() {
    const input = volumes.get("input");
    if (!input) return;
    const z = slice();
    const channel = Number(at("channel").value);
    const image = plane(input.channels[channel], z);
    const truth = plane(input.truth, z);
    at("slice-text").textContent = `${z + 1} of ${slices.length} (axial ${slices[z]})`;
    outline(paint(at("input"), grey(image)), truth);
    const found = config.methods.length > 0 && volumes.get(method().name);
    if (!found) return;
    at("healthy-panel").hidden = found.healthy.length === 0;
    if (found.healthy.length > 0) paint(at("healthy"), grey(plane(found.healthy[channel], z)));
    const map = plane(found.map, z);
    outline(paint(at("map"), heat(map, method())), truth);
    outline(paint(at("detection"), detection(image, map, truth)), truth);
    at("bright").textContent = method().bright.toPrecision(2);
    at("threshold-text").textContent = valueOf(thresholdByte).toPrecision(3);
    showNumbers();
  }

  function step(id, by) {
    at(id).value = String(Number(at(id).value) + by);
    at(id).dispatchEvent(new Event("input"));
  }

  function onKey(event) {
    const moves = { ArrowUp: ["slice", 1], ArrowDown: ["slice", -1], ArrowRight: ["threshold", 2], ArrowLeft: ["threshold", -2] };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    step(...move);
  }

  function drawScale() {
    const context = at("scale").getContext("2d");
    const pixels = context.createImageData(256, 1);
    for (let i = 0; i < 256; i += 1) pixels.data.set([...colours.subarray(3 * i, 3 * i + 3), 255], 4 * i);
    context.putImageData(pixels, 0, 0);
  }

  drawScale();
  at("method").addEventListener("change", chooseMethod);
  for (const id of ["channel", "truth", "smooth", "slice"]) at(id).addEventListener("input", draw);
  at("threshold").addEventListener("input", () => setThreshold(Number(at("threshold").value)));
  for (const canvas of canvases) {
    canvas.style.aspectRatio = `${width} / ${height}`;
    canvas.tabIndex = 0;
    canvas.addEventListener("keydown", onKey);
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      step("slice", event.deltaY < 0 ? 1 : -1);
    }, { passive: false });
  }
  window.addEventListener("resize", draw);
  return { receive };
})();

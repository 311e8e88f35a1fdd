/* Slices of volumes on one grid, beside each other. The voxels are in the page; nothing is fetched.

Every element of class "srv" becomes a viewer of the JSON in the script element after it, when it is first seen.
Voxels are in the order (s, p, l): to the patient's head, back and left. */
"use strict";
(() => {
  const PLANES = {
    axial: { n: 0, u: 2, v: 1, down: 1, edges: ["R", "L", "A", "P"], key: "a" },
    coronal: { n: 1, u: 2, v: 0, down: -1, edges: ["R", "L", "S", "I"], key: "c" },
    sagittal: { n: 2, u: 1, v: 0, down: -1, edges: ["A", "P", "S", "I"], key: "s" },
  };
  const MODES = { side: "Side by side", swipe: "Swipe", flicker: "Flicker", difference: "Difference", all: "All" };
  const KEYS = [
    ["space", "flicker: the other volume at the same place"], ["1 2 3 4 5", "side by side, swipe, flicker, difference, all"],
    ["a c s t", "axial, coronal, sagittal, three planes"], ["Page up, Page down, wheel", "slice"],
    ["arrows, click", "crosshair"], ["Shift + arrows, Shift + drag", "move the picture"],
    ["+ -, Ctrl + wheel", "zoom"], ["w W, drag left and right", "window: narrower, wider"],
    ["l L, drag up and down", "level: brighter, darker"], [", .", "swipe: move the divider (or drag it)"],
    ["v b", "next volume as A, as B"], ["x", "crosshair on and off"], ["i", "smooth or plain voxels"],
    ["d", "dark or light"], ["r", "reset"], ["?", "this help"],
  ];
  const DRAG = 4; // pixels from which a press is a drag, not a click

  const made = (tag, name, text) => {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const clamp = (x, low, high) => Math.min(high, Math.max(low, x));

  async function inflated(text) {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  /* One slice: low bytes, then high bytes, of differences along its rows. */
  function undone(bytes, columns) {
    const n = bytes.length / 2, out = new Uint16Array(n);
    for (let i = 0; i < n; i++) {
      const step = bytes[i] | (bytes[n + i] << 8);
      out[i] = i % columns ? out[i - 1] + step : step; // modulo 65536, as the array keeps it
    }
    return out;
  }

  async function unpacked(layer, grid, tell) {
    const [S, P, L] = grid.size, stride = [P * L, L, 1], voxels = new Uint16Array(S * P * L);
    const [rows, columns] = [0, 1, 2].filter((axis) => axis !== grid.stack);
    for (let first = 0; first < layer.slices.length; first += 16) {
      const texts = layer.slices.slice(first, first + 16);
      const parts = await Promise.all(texts.map(inflated));
      parts.forEach((bytes, i) => {
        const part = undone(bytes, grid.size[columns]);
        for (let r = 0, from = 0; r < grid.size[rows]; r++) {
          let to = (first + i) * stride[grid.stack] + r * stride[rows];
          for (let c = 0; c < grid.size[columns]; c++, to += stride[columns]) voxels[to] = part[from++];
        }
      });
      tell(texts.length);
    }
    layer.slices = null;
    return voxels;
  }

  class Viewer {
    constructor(root, given) {
      Object.assign(this, { root, grid: given.grid, layers: given.layers, given });
      this.stride = [this.grid.size[1] * this.grid.size[2], this.grid.size[2], 1];
      this.alone = root.classList.contains("alone");
      this.tables = new Map();
      this.panes = [];
      this.pad = document.createElement("canvas");
      this.build();
      this.reset();
    }

    reset() {
      const middle = this.grid.size.map((n) => Math.floor(n / 2));
      const old = this.state || {};
      this.state = {
        a: old.a ?? 0, b: old.b ?? Math.min(1, this.layers.length - 1), mode: old.mode ?? (this.layers.length > 1 ? "side" : "all"),
        planes: old.planes ?? [this.grid.plane], at: middle, centre: this.grid.size.map((n) => (n - 1) / 2), zoom: 1,
        swipe: 0.5, flipped: false, cross: old.cross ?? true, smooth: old.smooth ?? false, hover: null,
        windows: this.given.windows.map((pair) => [...pair]), reach: old.reach ?? null,
      };
      if (this.ready) { this.state.reach = this.usualReach(); this.arrange(); }
    }

    async load() {
      if (typeof DecompressionStream === "undefined") {
        this.say("This browser is too old for the page: it lacks DecompressionStream. Chrome 80, Firefox 113, Safari 16.4 have it.");
        return;
      }
      const total = this.layers.reduce((sum, layer) => sum + layer.slices.length, 0);
      let done = 0;
      const tell = (n) => { done += n; this.say(`Unpacking ${done} of ${total} slices`); };
      for (const layer of this.layers) layer.voxels = await unpacked(layer, this.grid, tell);
      this.ready = true;
      this.state.reach = this.usualReach();
      this.arrange();
      new ResizeObserver(() => this.draw()).observe(this.area);
      this.root.dataset.ready = "true";
    }

    say(text) { this.status.replaceChildren(made("span", "", text)); }

    // --- values

    value(layer, index) { return layer.intercept + layer.slope * layer.voxels[index]; }

    at([s, p, l]) { return s * this.stride[0] + p * this.stride[1] + l; }

    usualReach() {
      const a = this.layers[this.state.a], b = this.layers[this.state.b], found = [];
      const step = Math.max(1, Math.floor(a.voxels.length / 50000));
      for (let i = 0; i < a.voxels.length; i += step) found.push(Math.abs(this.value(b, i) - this.value(a, i)));
      found.sort((x, y) => x - y);
      return found[Math.floor(0.995 * (found.length - 1))] || found[found.length - 1] || 1;
    }

    /* The place in the file that the grid comes from: voxel (x, y, z), and mm in LPS. */
    voxel(at) {
      const file = [0, 0, 0];
      this.grid.axes.forEach((axis, i) => {
        const k = at[i] + this.grid.first[i];
        file[axis] = this.grid.turned[i] ? this.grid.whole[i] - 1 - k : k;
      });
      return file;
    }

    place(at) { return this.grid.origin.map((o, row) => o + at.reduce((sum, k, i) => sum + this.grid.step[row][i] * k, 0)); }

    /* Whether a layer that came from another grid reaches here. */
    reaches(layer, at) {
      if (!layer.inside) return true;
      const mm = this.place(at);
      return layer.inside.size.every((n, row) => {
        const k = layer.inside.index[row].slice(0, 3).reduce((sum, m, i) => sum + m * mm[i], layer.inside.index[row][3]);
        return k >= -0.501 && k <= n - 0.499;
      });
    }

    // --- the page

    build() {
      const bar = made("div", "srv-bar");
      this.buttons = {};
      const group = (label) => { const g = made("div", "srv-group"); g.role = "group"; g.ariaLabel = label; bar.append(g); return g; };
      const button = (parent, id, text, title, act) => {
        const b = made("button", "", text);
        b.type = "button"; b.title = title; b.dataset.act = id;
        b.addEventListener("click", () => { act(); });
        this.buttons[id] = b; parent.append(b);
      };
      const pick = group("Volumes");
      for (const side of ["a", "b"]) {
        const label = made("label", "", `${side.toUpperCase()} `), select = made("select");
        this.layers.forEach((layer, i) => { const o = made("option", "", layer.name); o.value = i; select.append(o); });
        select.addEventListener("change", () => this.choose(side, Number(select.value)));
        label.append(select); pick.append(label); this[`select_${side}`] = select;
      }
      const modes = group("How they are shown");
      Object.entries(MODES).forEach(([id, text], i) => {
        if (this.layers.length > (id === "all" ? 2 : 1)) button(modes, id, text, `key ${i + 1}`, () => this.mode(id));
      });
      const planes = group("Planes");
      for (const [id, plane] of Object.entries(PLANES)) {
        button(planes, id, id[0].toUpperCase() + id.slice(1), `key ${plane.key}`, () => this.plane([id]));
      }
      button(planes, "three", "Three planes", "key t", () => this.plane(Object.keys(PLANES)));
      const more = group("More");
      button(more, "cross", "Crosshair", "key x", () => this.toggle("cross"));
      button(more, "smooth", "Smooth", "key i: interpolate between voxels on the screen", () => this.toggle("smooth"));
      button(more, "dark", "Dark / light", "key d", () => this.theme());
      button(more, "reset", "Reset", "key r", () => this.reset());
      button(more, "help", "Keys", "key ?", () => { this.help.open = !this.help.open; });
      this.area = made("div", "srv-panes");
      this.status = made("div", "srv-status");
      this.help = made("details", "srv-help");
      this.help.append(made("summary", "", "Keyboard and mouse"));
      const table = made("table"), body = made("tbody");
      for (const [keys, does] of KEYS) { const row = made("tr"); row.append(made("td", "", keys), made("td", "", does)); body.append(row); }
      table.append(body); this.help.append(table);
      const notes = made("details", "srv-notes"), list = made("ul");
      notes.open = true;
      notes.append(made("summary", "", "What is shown"));
      for (const note of this.given.notes) list.append(made("li", "", note));
      notes.append(list);
      this.root.append(made("p", "srv-use", this.given.use), bar, this.area, this.status, notes, this.help);
      this.root.tabIndex = 0;
      this.root.role = "application";
      this.root.ariaLabel = `Viewer of ${this.layers.map((layer) => layer.name).join(", ")}`;
      this.root.addEventListener("keydown", (event) => this.key(event));
    }

    contents() {
      const { a, b, mode, flipped } = this.state, one = (layer) => [{ layer, from: 0, to: 1 }];
      if (mode === "side") return [one(a), one(b)];
      if (mode === "swipe") return [[{ layer: a, from: 0, to: this.state.swipe }, { layer: b, from: this.state.swipe, to: 1 }]];
      if (mode === "flicker") return [one(flipped ? b : a)];
      if (mode === "difference") return [one("difference")];
      return this.layers.map((_, i) => one(i));
    }

    /* The panes anew: one for each of the contents and planes. */
    arrange() {
      const contents = this.contents(), { planes } = this.state;
      const columns = planes.length > 1 ? planes.length : Math.min(contents.length, 4);
      this.area.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
      this.area.style.gridAutoRows = "minmax(0, 1fr)";
      this.panes = contents.flatMap((_, which) => planes.map((plane) => this.pane(which, plane)));
      this.area.replaceChildren(...this.panes.map((pane) => pane.box));
      this.draw();
    }

    pane(which, name) {
      const box = made("div", "srv-pane"), canvas = made("canvas"), plane = PLANES[name];
      box.dataset.plane = name; box.dataset.which = which;
      const left = made("div", "srv-name left"), right = made("div", "srv-name right"), foot = made("div", "srv-foot");
      canvas.role = "img";
      box.append(canvas, left, right, foot);
      ["w", "e", "n", "s"].forEach((edge, i) => box.append(made("div", `srv-edge ${edge}`, plane.edges[i])));
      const pane = { which, name, plane, box, canvas, left, right, foot };
      this.listen(pane);
      return pane;
    }

    refreshControls() {
      const { state, buttons } = this;
      for (const id of Object.keys(MODES)) if (buttons[id]) buttons[id].ariaPressed = String(state.mode === id);
      for (const id of Object.keys(PLANES)) buttons[id].ariaPressed = String(state.planes.length === 1 && state.planes[0] === id);
      buttons.three.ariaPressed = String(state.planes.length === 3);
      for (const id of ["cross", "smooth"]) buttons[id].ariaPressed = String(state[id]);
      this.select_a.value = state.a; this.select_b.value = state.b;
    }

    // --- drawing

    draw() {
      if (!this.waiting && this.ready) {
        this.waiting = true;
        requestAnimationFrame(() => { this.waiting = false; this.drawNow(); });
      }
    }

    drawNow() {
      const contents = this.contents();
      this.refreshControls();
      this.panes.forEach((pane) => this.paint(pane, contents[pane.which]));
      this.tellStatus();
    }

    /* Pixels of the canvas for a mm: all panes of one size show the same scale. */
    scale({ canvas }) {
      const mm = this.grid.size.map((n, i) => n * this.grid.spacing[i]);
      const fits = this.state.planes.map((name) => {
        const { u, v } = PLANES[name];
        return Math.min(canvas.width / mm[u], canvas.height / mm[v]);
      });
      return Math.min(...fits) * this.state.zoom;
    }

    paint(pane, parts) {
      const { canvas, plane } = pane, ratio = window.devicePixelRatio || 1, { state, grid } = this;
      const wide = Math.max(1, Math.round(canvas.clientWidth * ratio)), tall = Math.max(1, Math.round(canvas.clientHeight * ratio));
      if (canvas.width !== wide || canvas.height !== tall) { canvas.width = wide; canvas.height = tall; }
      const context = canvas.getContext("2d"), k = this.scale(pane);
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.fillStyle = "#000"; context.fillRect(0, 0, wide, tall);
      context.imageSmoothingEnabled = state.smooth;
      const du = k * grid.spacing[plane.u], dv = k * grid.spacing[plane.v];
      const x = wide / 2 + (-0.5 - state.centre[plane.u]) * du;
      const y = tall / 2 + (plane.down > 0 ? -0.5 - state.centre[plane.v] : state.centre[plane.v] - (grid.size[plane.v] - 0.5)) * dv;
      for (const { layer, from, to } of parts) {
        this.cut(layer, plane);
        context.save();
        context.beginPath(); context.rect(from * wide, 0, (to - from) * wide, tall); context.clip();
        context.drawImage(this.pad, x, y, grid.size[plane.u] * du, grid.size[plane.v] * dv);
        context.restore();
      }
      if (parts.length > 1) { context.fillStyle = "#ffd866"; context.fillRect(parts[0].to * wide - ratio, 0, 2 * ratio, tall); }
      if (state.cross) this.drawCross(context, pane, k, ratio);
      this.label(pane, parts);
    }

    drawCross(context, { canvas, plane }, k, ratio) {
      const { at, centre } = this.state, gap = 10 * ratio;
      const x = Math.round(canvas.width / 2 + (at[plane.u] - centre[plane.u]) * k * this.grid.spacing[plane.u]);
      const y = Math.round(canvas.height / 2 + plane.down * (at[plane.v] - centre[plane.v]) * k * this.grid.spacing[plane.v]);
      context.fillStyle = "#7fe08a";
      context.fillRect(0, y, x - gap, ratio); context.fillRect(x + gap, y, canvas.width - x - gap, ratio);
      context.fillRect(x, 0, ratio, y - gap); context.fillRect(x, y + gap, ratio, canvas.height - y - gap);
    }

    nameOf(layer) {
      if (layer !== "difference") return this.layers[layer].name;
      return `B minus A: ${this.layers[this.state.b].name} minus ${this.layers[this.state.a].name}`;
    }

    label(pane, parts) {
      const { state } = this, k = state.at[pane.plane.n];
      const letter = (layer) => (layer === "difference" || state.mode === "all" ? "" : layer === state.a && !(state.mode === "flicker" && state.flipped) ? "A: " : "B: ");
      const texts = parts.map(({ layer }, i) => (state.mode === "side" ? "AB"[pane.which] + ": " : parts.length > 1 ? "AB"[i] + ": " : letter(layer)) + this.nameOf(layer));
      [pane.left.textContent, pane.right.textContent] = [texts[0], texts[1] ?? ""];
      pane.left.title = texts[0];
      pane.right.hidden = texts.length < 2;
      const file = this.voxel(state.at)[this.grid.axes[pane.plane.n]];
      pane.foot.textContent = `${pane.name} slice ${file} of 0 to ${this.grid.whole[pane.plane.n] - 1} · research use only`;
      pane.canvas.ariaLabel = `${texts.join(" | ")}, ${pane.name} slice ${k}`;
    }

    /* One slice of a layer in colours, on the pad. */
    cut(which, plane) {
      const { grid, state, pad } = this, columns = grid.size[plane.u], rows = grid.size[plane.v];
      if (pad.width !== columns || pad.height !== rows) { pad.width = columns; pad.height = rows; }
      const context = pad.getContext("2d", { willReadFrequently: true }), picture = context.createImageData(columns, rows);
      const pixels = new Uint32Array(picture.data.buffer), du = this.stride[plane.u];
      const colour = which === "difference" ? this.differences() : this.shades(this.layers[which]);
      for (let r = 0, i = 0; r < rows; r++) {
        const v = plane.down > 0 ? r : rows - 1 - r;
        let from = state.at[plane.n] * this.stride[plane.n] + v * this.stride[plane.v];
        for (let c = 0; c < columns; c++, from += du) pixels[i++] = colour(from);
      }
      context.putImageData(picture, 0, 0);
    }

    /* A colour for each stored number, kept until the window changes. */
    shades(layer) {
      const [low, high] = this.state.windows[layer.group], key = `${low} ${high}`;
      let kept = this.tables.get(layer);
      if (!kept || kept.key !== key) {
        const table = new Uint32Array(65536), share = 255 / Math.max(high - low, 1e-30);
        for (let q = 0; q < 65536; q++) {
          const grey = Math.round(clamp((layer.intercept + layer.slope * q - low) * share, 0, 255));
          table[q] = layer.kind === "uncertainty" ? heat(grey / 255) : rgb(grey, grey, grey);
        }
        kept = { key, table };
        this.tables.set(layer, kept);
      }
      const { table } = kept, { voxels } = layer;
      return (i) => table[voxels[i]];
    }

    /* Orange where B is brighter than A, blue where it is darker. */
    differences() {
      const a = this.layers[this.state.a], b = this.layers[this.state.b], share = 255 / this.state.reach;
      return (i) => {
        const d = clamp((this.value(b, i) - this.value(a, i)) * share, -255, 255);
        return d > 0 ? rgb(d, 0.62 * d, 0.2 * d) : rgb(-0.3 * d, -0.62 * d, -d);
      };
    }

    tellStatus() {
      const { state } = this, at = state.hover ?? state.at, number = (x) => String(Number(x.toPrecision(6)));
      const parts = [made("span", "srv-voxel", `voxel (${this.voxel(at).join(", ")})`),
        made("span", "", `${this.place(at).map((x) => x.toFixed(1)).join(", ")} mm LPS`)];
      this.layers.forEach((layer, i) => {
        const reached = this.reaches(layer, at), value = this.value(layer, this.at(at));
        const span = made("span", "srv-value", `${layer.name}: ${reached ? number(value) : "outside"}`);
        span.dataset.layer = i; span.dataset.value = reached ? value : "outside";
        parts.push(span);
      });
      if (state.mode === "difference") parts.push(made("span", "srv-window", `orange brighter, blue darker in B; full colour at ${number(state.reach)}`));
      else parts.push(made("span", "srv-window", `window ${state.windows[this.layers[state.a].group].map(number).join(" to ")}`));
      this.status.replaceChildren(...parts);
    }

    // --- what the user does

    mode(id) { if (this.buttons[id]) { this.state.mode = id; this.arrange(); } }
    plane(names) { this.state.planes = names; this.arrange(); }
    toggle(what) { this.state[what] = !this.state[what]; this.draw(); }

    theme() {
      const dark = this.root.dataset.theme ? this.root.dataset.theme === "dark" : this.root.classList.contains("both") && matchMedia("(prefers-color-scheme: dark)").matches;
      this.root.dataset.theme = dark ? "light" : "dark";
      if (this.alone) document.documentElement.dataset.theme = this.root.dataset.theme;
    }

    choose(side, layer) { this.state[side] = layer; this.state.reach = this.usualReach(); this.arrange(); }

    flicker() {
      if (this.layers.length < 2) return;
      const { state } = this;
      state.flipped = state.mode === "flicker" ? !state.flipped : true;
      if (state.mode === "flicker") this.draw(); else this.mode("flicker");
    }

    move(axis, by) { this.state.at[axis] = clamp(this.state.at[axis] + by, 0, this.grid.size[axis] - 1); this.state.hover = null; this.draw(); }

    zoom(by, axis, places) {
      const { state } = this, old = state.zoom;
      state.zoom = clamp(state.zoom * by, 0.25, 40);
      if (places) axis.forEach((i, n) => { state.centre[i] = places[n] + (state.centre[i] - places[n]) * old / state.zoom; });
      this.draw();
    }

    windowBy(group, wider, darker) {
      const { state } = this;
      if (state.mode === "difference") { state.reach *= Math.exp(wider); this.draw(); return; }
      const [low, high] = state.windows[group], width = (high - low) * Math.exp(wider), level = (low + high) / 2 + darker * (high - low);
      state.windows[group] = [level - width / 2, level + width / 2];
      this.draw();
    }

    key(event) {
      if (event.target.tagName === "SELECT" || event.ctrlKey || event.altKey || event.metaKey || !this.ready) return;
      const { state } = this, plane = PLANES[state.planes[0]], group = this.layers[state.a].group, last = this.layers.length;
      const arrow = { ArrowLeft: [plane.u, -1], ArrowRight: [plane.u, 1], ArrowUp: [plane.v, -plane.down], ArrowDown: [plane.v, plane.down] }[event.key];
      const acts = {
        " ": () => this.flicker(), PageUp: () => this.move(plane.n, 1), PageDown: () => this.move(plane.n, -1),
        "+": () => this.zoom(1.25), "=": () => this.zoom(1.25), "-": () => this.zoom(0.8),
        w: () => this.windowBy(group, -0.1, 0), W: () => this.windowBy(group, 0.1, 0),
        l: () => this.windowBy(group, 0, -0.05), L: () => this.windowBy(group, 0, 0.05),
        ",": () => { state.swipe = clamp(state.swipe - 0.05, 0, 1); this.draw(); }, ".": () => { state.swipe = clamp(state.swipe + 0.05, 0, 1); this.draw(); },
        v: () => this.choose("a", (state.a + 1) % last), b: () => this.choose("b", (state.b + 1) % last),
        a: () => this.plane(["axial"]), c: () => this.plane(["coronal"]), s: () => this.plane(["sagittal"]), t: () => this.plane(Object.keys(PLANES)),
        x: () => this.toggle("cross"), i: () => this.toggle("smooth"), d: () => this.theme(), r: () => this.reset(),
        "?": () => { this.help.open = !this.help.open; },
      };
      Object.keys(MODES).forEach((id, i) => { acts[String(i + 1)] = () => this.mode(id); });
      if (arrow) {
        if (event.shiftKey) { state.centre[arrow[0]] -= arrow[1] * 8 / state.zoom; this.draw(); } else this.move(...arrow);
      } else if (acts[event.key]) acts[event.key]();
      else return;
      event.preventDefault();
    }

    /* The voxel at a place of a pane; not rounded. */
    under(pane, event) {
      const box = pane.canvas.getBoundingClientRect(), ratio = pane.canvas.width / box.width, k = this.scale(pane);
      const x = (event.clientX - box.left) * ratio - pane.canvas.width / 2, y = (event.clientY - box.top) * ratio - pane.canvas.height / 2;
      const { u, v, down } = pane.plane, { centre } = this.state;
      return { u: centre[u] + x / (k * this.grid.spacing[u]), v: centre[v] + down * y / (k * this.grid.spacing[v]),
        du: ratio / (k * this.grid.spacing[u]), dv: down * ratio / (k * this.grid.spacing[v]), share: (event.clientX - box.left) / box.width };
    }

    index({ plane }, { u, v }) {
      const at = [...this.state.at], whole = [Math.round(u), Math.round(v)];
      if (whole[0] < 0 || whole[1] < 0 || whole[0] >= this.grid.size[plane.u] || whole[1] >= this.grid.size[plane.v]) return null;
      [at[plane.u], at[plane.v]] = whole;
      return at;
    }

    group(pane, share) {
      const parts = this.contents()[pane.which], part = parts.find((p) => share <= p.to) ?? parts[0];
      return this.layers[part.layer === "difference" ? this.state.a : part.layer].group;
    }

    listen(pane) {
      const { canvas, plane } = pane;
      let drag = null;
      canvas.addEventListener("wheel", (event) => {
        if (!this.alone && !this.root.contains(document.activeElement)) return; // the report itself scrolls
        event.preventDefault();
        const here = this.under(pane, event);
        if (event.ctrlKey) this.zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15, [plane.u, plane.v], [here.u, here.v]);
        else if (event.deltaY) this.move(plane.n, event.deltaY < 0 ? 1 : -1);
        if (!event.ctrlKey) { this.state.hover = this.index(pane, here); }
      }, { passive: false });
      canvas.addEventListener("pointerdown", (event) => {
        event.preventDefault(); this.root.focus({ preventScroll: true }); canvas.setPointerCapture(event.pointerId);
        const here = this.under(pane, event);
        const divider = this.state.mode === "swipe" && Math.abs(here.share - this.state.swipe) * canvas.clientWidth < 9;
        const kind = divider ? "divider" : event.shiftKey || event.button === 1 ? "pan" : "window";
        drag = { kind, x: event.clientX, y: event.clientY, moved: false, group: this.group(pane, here.share) };
      });
      canvas.addEventListener("pointermove", (event) => {
        const here = this.under(pane, event), { state } = this;
        if (!drag) { state.hover = this.index(pane, here); this.tellStatus(); return; }
        const dx = event.clientX - drag.x, dy = event.clientY - drag.y;
        if (!drag.moved && Math.hypot(dx, dy) < DRAG && drag.kind !== "divider") return;
        Object.assign(drag, { moved: true, x: event.clientX, y: event.clientY });
        if (drag.kind === "divider") state.swipe = clamp(here.share, 0, 1);
        if (drag.kind === "pan") { state.centre[plane.u] -= dx * here.du; state.centre[plane.v] -= dy * here.dv; }
        if (drag.kind === "window") this.windowBy(drag.group, dx / 200, dy / 300); else this.draw();
      });
      canvas.addEventListener("pointerup", (event) => {
        const at = drag && !drag.moved && drag.kind === "window" ? this.index(pane, this.under(pane, event)) : null;
        drag = null;
        if (at) { this.state.at = at; this.state.hover = null; this.draw(); }
      });
      canvas.addEventListener("pointercancel", () => { drag = null; });
      canvas.addEventListener("pointerleave", () => { if (!drag) { this.state.hover = null; if (this.ready) this.tellStatus(); } });
      canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    }
  }

  const rgb = (r, g, b) => (255 << 24 | b << 16 | g << 8 | r) >>> 0;
  const heat = (x) => rgb(255 * clamp(3 * x, 0, 1), 255 * clamp(3 * x - 1, 0, 1), 255 * clamp(3 * x - 2, 0, 1));

  for (const root of document.querySelectorAll(".srv")) {
    const begin = () => {
      if (root.viewer) return;
      const script = root.nextElementSibling;
      root.viewer = new Viewer(root, JSON.parse(script.textContent));
      script.remove();
      root.viewer.load().catch((error) => root.viewer.say(`The voxels of this page cannot be unpacked: ${error.message}`));
    };
    const fold = root.closest("details");
    if (!fold || fold.open) { begin(); if (root.classList.contains("alone")) root.focus(); } else fold.addEventListener("toggle", begin);
  }
})();

// The tree: panned, zoomed, picked. It is drawn with a margin, `base`, and shown with what is chosen above it, `picture`.
// While it moves, that picture alone is moved, by the browser's compositor; when it rests, or when drawing is cheap, it is
// drawn afresh. So ten thousand agents follow the hand. `canvas` in front takes pointers and the focus, and shows nothing.

const MARGIN = 0.3;      // of the canvas on each side, drawn beyond what is seen
const CHEAP = 10;        // milliseconds that a drawing may take to be made at every frame
const REST = 110;        // milliseconds of stillness before an expensive one is made

export class View {
  constructor(canvas, { pick, hover }) {
    this.canvas = canvas;
    this.base = document.createElement("canvas");
    this.picture = document.createElement("canvas");
    this.picture.className = "picture";
    canvas.before(this.picture);
    this.paint = this.picture.getContext("2d", { alpha: false });
    this.k = [1, 1]; this.o = [0, 0]; this.made = null;
    this.stale = true; this.took = 0; this.asked = 0;
    this.scene = null; this.chosen = -1;
    this.pick = pick; this.hover = hover;
    this.watch = new ResizeObserver(() => this.resize());
    this.watch.observe(canvas);
    this.listen();
  }

  get selected() { return this.chosen; }
  set selected(i) { this.chosen = i; this.composed = false; this.ask(); }

  close() { this.picture.remove(); this.watch.disconnect(); cancelAnimationFrame(this.asked); clearTimeout(this.later); }

  // scene: { x, y, unit, even, n, parent, fill: [colour per bucket], bucket, radius, shown, line, ink... }
  show(scene, keep) {
    const fresh = !this.scene || !keep;
    this.scene = scene;
    if (fresh) this.fit(); else this.touch();
  }

  resize() {
    const { clientWidth: w, clientHeight: h } = this.canvas;
    if (!w || !h) return;
    const before = this.w;
    this.dpr = Math.min(2, devicePixelRatio || 1);
    [this.w, this.h] = [w, h];
    if (!before && this.scene) this.fit(); else this.touch();
  }

  fit() {
    if (!this.scene || !this.w) return;
    const { x, y, unit, even } = this.scene;
    let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let i = 0; i < x.length; i++) { x0 = Math.min(x0, x[i]); x1 = Math.max(x1, x[i]); y0 = Math.min(y0, y[i]); y1 = Math.max(y1, y[i]); }
    const pad = 44;
    const wide = this.w - this.inset, high = this.h - this.below;
    let kx = Math.min(unit[0], (wide - 2 * pad) / (x1 - x0 || 1)), ky = Math.min(unit[1], (high - 2 * pad) / (y1 - y0 || 1));
    if (even) kx = ky = Math.min(kx, ky);
    this.k = [kx, ky]; this.home = [kx, ky];
    this.o = [(wide - kx * (x0 + x1)) / 2, (high - ky * (y0 + y1)) / 2];
    this.touch();
  }

  touch() { this.stale = true; this.ask(); }
  ask() { this.asked ||= requestAnimationFrame(() => { this.asked = 0; this.frame(); }); }

  pan(dx, dy) { this.o = [this.o[0] + dx, this.o[1] + dy]; this.moving(); }

  zoom(factor, cx = this.w / 2, cy = this.h / 2) {
    const least = 0.4, most = 400;
    const wanted = Math.min(this.home[0] * most, Math.max(this.home[0] * least, this.k[0] * factor)) / this.k[0];
    this.k = this.k.map((k) => k * wanted);
    this.o = [cx - (cx - this.o[0]) * wanted, cy - (cy - this.o[1]) * wanted];
    this.moving();
  }

  // Bring an agent into sight.
  seek(i) {
    const [px, py] = this.at(i), pad = 70;
    const dx = px < pad ? pad - px : px > this.w - pad - this.inset ? this.w - pad - this.inset - px : 0;
    const dy = py < pad ? pad - py : py > this.h - pad - this.below ? this.h - pad - this.below - py : 0;
    if (dx || dy) this.pan(dx, dy);
  }
  inset = 0;  // pixels on the right, and below, that something else covers
  below = 0;

  moving() {
    if (this.took <= CHEAP) this.stale = true;
    else { clearTimeout(this.later); this.later = setTimeout(() => this.touch(), REST); }
    this.ask();
  }

  at(i) { return [this.scene.x[i] * this.k[0] + this.o[0], this.scene.y[i] * this.k[1] + this.o[1]]; }

  frame() {
    if (!this.scene || !this.w) return;
    if (this.stale || !this.covered()) this.draw();
    if (!this.composed) this.compose();
    const { made } = this, s = this.k[0] / made.k[0];
    let [x, y] = [this.o[0] - (made.o[0] + made.mx) * s, this.o[1] - (made.o[1] + made.my) * s];
    if (s === 1) [x, y] = [x, y].map((at) => Math.round(at * this.dpr) / this.dpr); // whole pixels need no smoothing
    this.picture.style.transform = `translate(${x}px, ${y}px) scale(${s})`;
  }

  covered() {
    const { made } = this;
    if (!made) return false;
    const s = this.k[0] / made.k[0];
    if (Math.abs(Math.log(s)) > 1.1) return false;
    const left = this.o[0] - (made.o[0] + made.mx) * s, top = this.o[1] - (made.o[1] + made.my) * s;
    const inside = left <= 0 && top <= 0 && left + made.w * s >= this.w && top + made.h * s >= this.h;
    return inside || s < 0.98; // zoomed out: the border is drawn when it rests
  }

  // The whole picture, margin included.
  draw() {
    const began = performance.now();
    const { scene, dpr, k } = this;
    const margin = scene.n > 1500 ? MARGIN : 0;
    const [mx, my] = [this.w * margin, this.h * margin], w = this.w + 2 * mx, h = this.h + 2 * my;
    for (const canvas of [this.base, this.picture]) {
      if (canvas.width === Math.round(w * dpr) && canvas.height === Math.round(h * dpr)) continue;
      [canvas.width, canvas.height] = [Math.round(w * dpr), Math.round(h * dpr)];
      [canvas.style.width, canvas.style.height] = [`${w}px`, `${h}px`];
    }
    const paint = this.base.getContext("2d", { alpha: false });
    paint.setTransform(dpr, 0, 0, dpr, 0, 0);
    paint.fillStyle = scene.ground;
    paint.fillRect(0, 0, w, h);
    const [ox, oy] = [this.o[0] + mx, this.o[1] + my];
    const px = new Float32Array(scene.n), py = new Float32Array(scene.n);
    for (let i = 0; i < scene.n; i++) { px[i] = scene.x[i] * k[0] + ox; py[i] = scene.y[i] * k[1] + oy; }
    edges(paint, scene, px, py, w, h, k[0] > 4 * this.home[0]);
    this.spacing = Math.min(1, Math.sqrt((k[0] * k[1]) / (this.home[0] * this.home[1])));
    const size = scene.n > 3000 ? Math.min(2.2, 0.8 + 0.4 * Math.max(k[0] / this.home[0], 1)) : scene.n > 400 ? 1 + Math.min(1, k[0] / this.home[0] / 3) : scene.n > 60 ? 1.7 : 2.6;
    nodes(paint, scene, px, py, w, h, size);
    if (scene.named(k)) labels(paint, scene, px, py, w, h, size);
    this.made = { k: [...k], o: [...this.o], mx, my, w, h };
    this.size = size;
    this.stale = this.composed = false;
    this.took = performance.now() - began;
    // The commands are carried out after this: the time until the next frame tells what they took.
    requestAnimationFrame(() => { this.took = Math.max(this.took, performance.now() - began - 17); });
  }

  // The best line and the chosen agent, above the tree.
  compose() {
    const { paint, scene, dpr } = this;
    paint.setTransform(1, 0, 0, 1, 0, 0);
    paint.drawImage(this.base, 0, 0);
    paint.setTransform(dpr, 0, 0, dpr, 0, 0);
    this.composed = true;
    paint.lineJoin = "round";
    if (scene.line.length > 1) {
      paint.strokeStyle = scene.gold; paint.lineWidth = 2.2; paint.beginPath();
      scene.line.forEach((i, at) => { const [x, y] = this.spot(i); at ? link(paint, scene, ...this.spot(scene.line[at - 1]), x, y) : paint.moveTo(x, y); });
      paint.stroke();
      for (const i of scene.line) this.disc(i, scene.fill[scene.bucket[i]], scene.gold);
    }
    if (scene.line.length) { const best = scene.line.at(-1); this.name(best); this.disc(best, scene.fill[scene.bucket[best]], scene.gold, 5); }
    if (this.selected >= 0 && this.selected < scene.n) {
      const [x, y] = this.spot(this.selected);
      this.name(this.selected); // under the ring
      this.disc(this.selected, scene.fill[scene.bucket[this.selected]], scene.ink);
      paint.beginPath(); paint.arc(x, y, this.size * scene.radius[this.selected] + 6, 0, 7); paint.strokeStyle = scene.accent; paint.lineWidth = 2.5; paint.stroke();
    }
  }

  // Where an agent stands in the picture.
  spot(i) { const { made, scene } = this; return [scene.x[i] * made.k[0] + made.o[0] + made.mx, scene.y[i] * made.k[1] + made.o[1] + made.my]; }

  disc(i, fill, stroke, least = 3.2) {
    const { paint, scene } = this, [x, y] = this.spot(i);
    paint.beginPath(); paint.arc(x, y, Math.max(least, this.size * scene.radius[i]), 0, 7);
    paint.fillStyle = fill; paint.fill(); paint.strokeStyle = stroke; paint.lineWidth = 1.6; paint.stroke();
  }

  name(i) {
    const { paint, scene } = this, [x, y] = this.spot(i), text = `#${scene.id[i]}`;
    paint.font = scene.font; paint.textBaseline = "middle";
    const wide = paint.measureText(text).width, dx = Math.max(4, this.size * scene.radius[i]) + 8;
    paint.fillStyle = scene.ground; paint.globalAlpha = 0.85; paint.fillRect(x + dx - 3, y - 9, wide + 6, 18); paint.globalAlpha = 1;
    paint.fillStyle = scene.ink; paint.fillText(text, x + dx, y + 0.5);
  }

  // The agent nearest to a point of the canvas, within reach of a finger; -1 for none.
  near(cx, cy, reach = 14) {
    let found = -1, least = reach * reach;
    const { scene, k, o } = this;
    if (!scene) return -1;
    for (let i = 0; i < scene.n; i++) {
      if (!scene.shown[i]) continue;
      const dx = scene.x[i] * k[0] + o[0] - cx, dy = scene.y[i] * k[1] + o[1] - cy, far = dx * dx + dy * dy;
      if (far < least) [found, least] = [i, far];
    }
    return found;
  }

  listen() {
    const touches = new Map();
    let start = null, apart = 0;
    const spot = (event) => { const box = this.canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      touches.set(event.pointerId, spot(event));
      start = touches.size === 1 ? spot(event) : null;
      apart = 0;
    });
    this.canvas.addEventListener("pointermove", (event) => {
      const now = spot(event), before = touches.get(event.pointerId);
      if (!before) { this.hover(this.near(...now, 10), event); return; }
      if (touches.size === 1) this.pan(now[0] - before[0], now[1] - before[1]);
      touches.set(event.pointerId, now);
      if (touches.size === 2) {
        const [a, b] = [...touches.values()], far = Math.hypot(a[0] - b[0], a[1] - b[1]);
        if (apart) this.zoom(far / apart, (a[0] + b[0]) / 2, (a[1] + b[1]) / 2);
        apart = far;
      }
    });
    const end = (event) => {
      const now = spot(event);
      touches.delete(event.pointerId);
      if (start && event.type === "pointerup" && Math.hypot(now[0] - start[0], now[1] - start[1]) < 5) this.pick(this.near(...now));
      start = null;
    };
    this.canvas.addEventListener("pointerup", end);
    this.canvas.addEventListener("pointercancel", end);
    this.canvas.addEventListener("pointerleave", () => this.hover(-1, null));
    this.canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), ...spot(event));
    }, { passive: false });
  }
}

function link(paint, scene, x0, y0, x1, y1) {
  if (!scene.curved) paint.lineTo(x1, y1);
  else if (scene.upright) paint.bezierCurveTo(x0, (y0 + y1) / 2, x1, (y0 + y1) / 2, x1, y1);
  else paint.bezierCurveTo((x0 + x1) / 2, y0, (x0 + x1) / 2, y1, x1, y1);
}

// Where a scene is crowded, only the lines of agents that are seen are drawn, and of those without a child only from
// near (`all`): the others would merely cross the view.
function edges(paint, scene, px, py, w, h, all) {
  paint.globalAlpha = scene.edgeAlpha;
  const seen = (i) => px[i] >= 0 && px[i] <= w && py[i] >= 0 && py[i] <= h;
  for (const shown of [0, 1]) {
    paint.strokeStyle = shown ? scene.edge : scene.dimEdge;
    paint.lineWidth = scene.n > 3000 ? 0.6 : 1.1;
    let some = 0;
    paint.beginPath();
    for (let i = 0; i < scene.n; i++) {
      const p = scene.parent[i];
      if (p < 0 || scene.shown[i] !== shown) continue;
      if (scene.crowded && (!seen(i) || (!all && scene.first[i] < 0))) continue;
      if (Math.max(px[i], px[p]) < 0 || Math.min(px[i], px[p]) > w || Math.max(py[i], py[p]) < 0 || Math.min(py[i], py[p]) > h) continue;
      paint.moveTo(px[p], py[p]);
      link(paint, scene, px[p], py[p], px[i], py[i]);
      if (++some % 200 === 0) { paint.stroke(); paint.beginPath(); }
    }
    paint.stroke();
  }
  paint.globalAlpha = 1;
}

function nodes(paint, scene, px, py, w, h, size) {
  const buckets = Array.from({ length: scene.fill.length }, () => []);
  for (let i = 0; i < scene.n; i++) if (px[i] > -20 && px[i] < w + 20 && py[i] > -20 && py[i] < h + 20) buckets[scene.shown[i] ? scene.bucket[i] : scene.fill.length - 1].push(i);
  for (const which of [scene.fill.length - 1, ...Array.from({ length: scene.fill.length - 1 }, (_, k) => k)]) {
    paint.fillStyle = scene.fill[which];
    paint.beginPath();
    for (const i of buckets[which]) {
      const r = size * scene.radius[i];
      if (r < 2.4) paint.fillRect(px[i] - r, py[i] - r, 2 * r, 2 * r);
      else { paint.moveTo(px[i] + r, py[i]); paint.arc(px[i], py[i], r, 0, 7); }
    }
    paint.fill();
  }
}

function labels(paint, scene, px, py, w, h, size) {
  paint.font = scene.font; paint.fillStyle = scene.soft; paint.textBaseline = "middle";
  let room = 400;
  for (let i = 0; i < scene.n && room > 0; i++) {
    if (!scene.shown[i] || px[i] < 0 || px[i] > w || py[i] < 0 || py[i] > h) continue;
    paint.fillText(`#${scene.id[i]}`, px[i] + 6 + size * scene.radius[i], scene.upright || scene.first[i] < 0 ? py[i] : py[i] - 9);
    room--;
  }
}

"use strict";
// The canvas as a thing to work with: pan, zoom, pinch, hover, pick, arrow keys, and a small map of the whole.
(() => {
  const { h, model, paint, scene: scenes, announce, format } = window.c360;
  const { nodes } = model;
  const least = 0.02;
  const most = 2.2;
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

  /**
   * A graph: `options` = {label, mini, onPick(n), onOpen(n), onColumn(k), onMore(n), onEmpty(), onView(view), onKey(event)}.
   */
  function graphCanvas(options) {
    const canvas = h("canvas", {
      class: "graph-canvas",
      tabindex: "0",
      role: "application",
      "aria-roledescription": "lineage graph",
      "aria-label": options.label,
    });
    const tip = h("div", { class: "graph-tip", hidden: true, role: "presentation" });
    const element = h("div", { class: `graph ${options.mini ? "mini" : ""}` }, canvas, tip);
    const context = canvas.getContext("2d", { alpha: false });
    let scene = { cards: [], edges: [], byNode: new Map(), box: { x0: 0, y0: 0, x1: 1, y1: 1 }, mode: "nodes" };
    let view = { x: 0, y: 0, scale: 1 };
    const look = { colourOf: () => paint.colours().scale[5], focus: null, over: null, lit: null, columns: null, column: null, overRow: null, pixels: 1 };
    let width = 0;
    let height = 0;
    let frame = 0;
    let moving = 0;
    let fitted = false;
    let hasView = false;
    const frames = [];
    const painters = [];

    function draw() {
      frame = 0;
      if (width === 0 || !element.isConnected) return;
      const start = performance.now();
      paint.paint(context, scene, view, look, width, height);
      for (const painter of painters) painter();
      frames.push(performance.now() - start);
      if (frames.length > 240) frames.shift();
    }

    function request() {
      if (frame === 0) frame = requestAnimationFrame(draw);
    }

    function resize() {
      const box = element.getBoundingClientRect();
      if (box.width === 0) return;
      const grown = { x: box.width - width, y: box.height - height };
      width = box.width;
      height = box.height;
      look.pixels = Math.min(2, window.devicePixelRatio || 1);
      canvas.width = Math.round(width * look.pixels);
      canvas.height = Math.round(height * look.pixels);
      if (!fitted && !hasView && scene.cards.length > 0) fit({ animate: false });
      else if (fitted && scene.cards.length > 0 && (Math.abs(grown.x) > 1 || Math.abs(grown.y) > 1)) fit({ animate: false });
      draw();
    }
    const observer = new ResizeObserver(resize);
    observer.observe(element);
    document.addEventListener("c360-theme", request);

    function setView(next, { animate = false, own = true } = {}) {
      cancelAnimationFrame(moving);
      const goal = { x: next.x, y: next.y, scale: clamp(next.scale, least, most) };
      if (own) {
        fitted = false;
        hasView = true;
      }
      if (!animate || calm.matches || width === 0) {
        view = goal;
        request();
      } else {
        const from = view;
        const start = performance.now();
        const step = (now) => {
          const t = clamp((now - start) / 220, 0, 1);
          const ease = 1 - (1 - t) ** 3;
          const scale = from.scale * (goal.scale / from.scale) ** ease;
          const share = goal.scale === from.scale ? ease : (scale - from.scale) / (goal.scale - from.scale);
          view = { x: from.x + (goal.x - from.x) * share, y: from.y + (goal.y - from.y) * share, scale };
          draw();
          if (t < 1) moving = requestAnimationFrame(step);
          else view = goal;
        };
        moving = requestAnimationFrame(step);
      }
      if (own && options.onView) options.onView(goal);
    }

    /** Shows everything, or some cards. */
    function fit({ cards = scene.cards, animate = true, largest = 1.1, inset = options.inset } = {}) {
      if (width === 0 || cards.length === 0) return;
      const box = { x0: Infinity, y0: Infinity, x1: -Infinity, y1: -Infinity };
      for (const card of cards) {
        box.x0 = Math.min(box.x0, card.x);
        box.y0 = Math.min(box.y0, card.y);
        box.x1 = Math.max(box.x1, card.x + card.w);
        box.y1 = Math.max(box.y1, card.y + card.h);
      }
      const edge = { left: 40, right: 40, top: 36, bottom: 36, ...(typeof inset === "function" ? inset(width, height) : inset) };
      const roomX = Math.max(40, width - edge.left - edge.right);
      const roomY = Math.max(40, height - edge.top - edge.bottom);
      // Columns are for reading: a long chain is shown at its column in focus, not as a row of stamps.
      const smallest = scene.mode === "columns" && cards === scene.cards ? 0.46 : least;
      const scale = clamp(Math.min(roomX / (box.x1 - box.x0), roomY / (box.y1 - box.y0)), smallest, largest);
      const focus = scene.byNode.get(look.focus);
      if (focus && cards === scene.cards && width < 560 && scale < 0.5) {
        // On a phone everything would be too small to read: what matters is shown instead.
        const near = 0.62;
        setView({ x: edge.left + roomX / 2 - (focus.x + focus.w / 2) * near, y: edge.top + roomY / 2 - (focus.y + Math.min(focus.h, roomY / near) / 2) * near, scale: near }, { animate, own: false });
        return;
      }
      const tooWide = (box.x1 - box.x0) * scale > roomX + 1 && focus;
      const goal = {
        x: tooWide ? clamp(edge.left + roomX / 2 - (focus.x + focus.w / 2) * scale, edge.left + roomX - box.x1 * scale, edge.left - box.x0 * scale) : edge.left + (roomX - (box.x1 - box.x0) * scale) / 2 - box.x0 * scale,
        y: edge.top + (roomY - (box.y1 - box.y0) * scale) / 2 - box.y0 * scale,
        scale,
      };
      setView(goal, { animate, own: false });
      fitted = cards === scene.cards;
      hasView = false;
      if (options.onView) options.onView(null);
    }

    function zoom(factor, x = width / 2, y = height / 2, animate = false) {
      const scale = clamp(view.scale * factor, least, most);
      const share = scale / view.scale;
      setView({ x: x - (x - view.x) * share, y: y - (y - view.y) * share, scale }, { animate });
    }

    /** Brings a card into sight if it is not; `force` centres it. */
    function reveal(n, { force = false, scale = view.scale } = {}) {
      const card = scene.byNode.get(n);
      if (!card) return;
      const x = view.x + card.x * view.scale;
      const y = view.y + card.y * view.scale;
      const inSight = x > 10 && y > 10 && x + card.w * view.scale < width - 10 && y + card.h * view.scale < height - 10;
      if (inSight && !force) return;
      setView({ x: width / 2 - (card.x + card.w / 2) * scale, y: height / 2 - (card.y + Math.min(card.h, 200) / 2) * scale, scale }, { animate: true });
    }

    /** What is at a point of the screen. */
    function at(clientX, clientY) {
      const box = canvas.getBoundingClientRect();
      const x = (clientX - box.left - view.x) / view.scale;
      const y = (clientY - box.top - view.y) / view.scale;
      for (let i = scene.cards.length - 1; i >= 0; i -= 1) {
        const card = scene.cards[i];
        if (x < card.x || x > card.x + card.w || y < card.y || y > card.y + card.h) continue;
        const row = view.scale > 0.4 ? card.rows.find((other) => Math.abs(other.y - y) <= scenes.rowHeight / 2) : undefined;
        return { n: card.n, row };
      }
      return null;
    }

    /** The expression at a point, if it says more than is seen. */
    function labelAt(event) {
      const box = canvas.getBoundingClientRect();
      const x = (event.clientX - box.left - view.x) / view.scale;
      const y = (event.clientY - box.top - view.y) / view.scale;
      return (look.labels || []).find((label) => x >= label.x0 && x <= label.x1 && y >= label.y0 && y <= label.y1);
    }

    function setTip(found, event) {
      const label = found ? null : labelAt(event);
      if (label) {
        window.c360.fill(tip, h("code", {}, label.text));
        placeTip(event);
        return;
      }
      if (!found || found.row || options.mini === "still") {
        tip.hidden = true;
        return;
      }
      const node = nodes[found.n];
      const facts = [paint.subtitle(node), node.seconds !== undefined && format.seconds(node.seconds), node.owner].filter(Boolean);
      window.c360.fill(tip, h("strong", { class: "mono" }, node.name), h("span", {}, facts.join(" · ")), node.summary && h("p", {}, node.summary));
      placeTip(event);
    }

    function placeTip(event) {
      tip.hidden = false;
      const box = element.getBoundingClientRect();
      const x = clamp(event.clientX - box.left + 14, 8, Math.max(8, width - 296));
      const y = event.clientY - box.top + 18;
      tip.style.left = `${x}px`;
      tip.style.top = `${y + tip.offsetHeight > height ? y - tip.offsetHeight - 28 : y}px`;
    }

    function hover(event) {
      const found = at(event.clientX, event.clientY);
      const over = found ? found.n : null;
      const row = found && found.row ? { n: found.n, name: found.row.name } : null;
      setTip(found, event);
      canvas.style.cursor = found ? "pointer" : "grab";
      if (over !== look.over || (row && row.name) !== (look.overRow && look.overRow.name)) {
        look.over = over;
        look.overRow = row;
        request();
      }
    }

    const pointers = new Map();
    let pressed = null;

    function spread() {
      const [a, b] = [...pointers.values()];
      return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, size: Math.hypot(a.x - b.x, a.y - b.y) };
    }

    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      pressed = { x: event.clientX, y: event.clientY, view: { ...view }, moved: false, pinch: pointers.size === 2 ? spread() : null };
      tip.hidden = true;
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!pressed || !pointers.has(event.pointerId)) {
        hover(event);
        return;
      }
      pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      if (pointers.size === 2 && pressed.pinch) {
        const now = spread();
        const box = canvas.getBoundingClientRect();
        const share = now.size / (pressed.pinch.size || 1);
        const scale = clamp(pressed.view.scale * share, least, most);
        const real = scale / pressed.view.scale;
        const x = pressed.pinch.x - box.left;
        const y = pressed.pinch.y - box.top;
        pressed.moved = true;
        setView({ x: now.x - box.left - (x - pressed.view.x) * real, y: now.y - box.top - (y - pressed.view.y) * real, scale });
        return;
      }
      const dx = event.clientX - pressed.x;
      const dy = event.clientY - pressed.y;
      if (!pressed.moved && Math.hypot(dx, dy) < 4) return;
      pressed.moved = true;
      canvas.style.cursor = "grabbing";
      setView({ x: pressed.view.x + dx, y: pressed.view.y + dy, scale: pressed.view.scale });
    });
    const release = (event) => {
      pointers.delete(event.pointerId);
      if (!pressed || event.type === "pointercancel") {
        pressed = null;
        return;
      }
      const wasClick = !pressed.moved;
      pressed = pointers.size > 0 ? { ...pressed, pinch: null, x: [...pointers.values()][0].x, y: [...pointers.values()][0].y, view: { ...view }, moved: true } : null;
      canvas.style.cursor = "grab";
      if (wasClick) click(event);
    };
    canvas.addEventListener("pointerup", release);
    canvas.addEventListener("pointercancel", release);
    canvas.addEventListener("pointerleave", () => {
      tip.hidden = true;
      look.over = null;
      look.overRow = null;
      request();
    });

    function click(event) {
      const found = at(event.clientX, event.clientY);
      if (!found) {
        if (options.onEmpty) options.onEmpty();
      } else if (found.row && found.row.more) options.onMore(found.n);
      else if (found.row) options.onColumn(found.row.k);
      else options.onPick(found.n);
    }
    canvas.addEventListener("dblclick", (event) => {
      const found = at(event.clientX, event.clientY);
      if (found && !found.row && options.onOpen) options.onOpen(found.n);
    });

    canvas.addEventListener(
      "wheel",
      (event) => {
        const pinch = event.ctrlKey || event.metaKey;
        if (options.mini && !pinch) return;
        event.preventDefault();
        tip.hidden = true;
        const box = canvas.getBoundingClientRect();
        const fine = event.deltaMode === 0 && (event.deltaX !== 0 || !Number.isInteger(event.deltaY) || Math.abs(event.deltaY) < 16);
        if (!pinch && fine) setView({ x: view.x - event.deltaX, y: view.y - event.deltaY, scale: view.scale });
        else zoom(Math.exp(-clamp(event.deltaY, -160, 160) * (pinch && fine ? 0.012 : 0.0022)), event.clientX - box.left, event.clientY - box.top);
      },
      { passive: false },
    );

    /** The nearest card of the next layer or row that has to do with the one in focus. */
    function neighbour(direction) {
      const card = scene.byNode.get(look.focus);
      if (!card) return scene.cards[0] ? scene.cards[0].n : null;
      const node = nodes[card.n];
      const near = (cards) => cards.filter(Boolean).sort((a, b) => Math.abs(a.y - card.y) - Math.abs(b.y - card.y))[0];
      if (direction === "ArrowLeft") return near(node.parents.map((n) => scene.byNode.get(n)))?.n;
      if (direction === "ArrowRight") return near(node.children.map((n) => scene.byNode.get(n)))?.n;
      const sign = direction === "ArrowDown" ? 1 : -1;
      return near(scene.cards.filter((other) => Math.abs(other.x - card.x) < 1 && (other.y - card.y) * sign > 0))?.n;
    }

    canvas.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const { key } = event;
      if (key.startsWith("Arrow")) {
        if (event.shiftKey) {
          const step = { ArrowLeft: [80, 0], ArrowRight: [-80, 0], ArrowUp: [0, 80], ArrowDown: [0, -80] }[key];
          setView({ x: view.x + step[0], y: view.y + step[1], scale: view.scale });
        } else {
          const next = neighbour(key);
          if (next === null || next === undefined) announce("nothing there");
          else options.onPick(next, true);
        }
      } else if (key === "Enter" && look.focus !== null && options.onOpen) options.onOpen(look.focus);
      else if (key === "+" || key === "=") zoom(1.25, width / 2, height / 2, true);
      else if (key === "-") zoom(0.8, width / 2, height / 2, true);
      else if (key === "0" || key === "f") fit();
      else if (!(options.onKey && options.onKey(event))) return;
      event.preventDefault();
      event.stopPropagation();
    });

    /** A new scene. `keep`: the card that must not move on the screen. */
    function setScene(next, { keep = null, fit: toFit = false } = {}) {
      const before = keep === null ? null : scene.byNode.get(keep);
      const after = keep === null ? null : next.byNode.get(keep);
      scene = next;
      look.over = null;
      if (before && after) {
        view = { ...view, x: view.x + (before.x - after.x) * view.scale, y: view.y + (before.y - after.y) * view.scale };
        fitted = false;
      } else if (toFit) {
        fitted = false;
        hasView = false;
        if (width > 0) fit({ animate: false });
      }
      request();
    }

    return {
      element,
      canvas,
      setScene,
      setLook(changes) {
        Object.assign(look, changes);
        request();
      },
      setView,
      fit,
      zoom,
      reveal,
      request,
      frames,
      onPaint: (painter) => painters.push(painter),
      view: () => view,
      scene: () => scene,
      look: () => look,
      size: () => ({ width, height }),
      /** Where a card or one of its rows is on the screen: for tests and for who drives the page by a program. */
      probe(n, name) {
        const card = scene.byNode.get(n);
        if (!card) return null;
        const box = canvas.getBoundingClientRect();
        const row = name === undefined ? null : card.rows.find((other) => other.name === name);
        if (name !== undefined && !row) return null;
        return { x: box.left + view.x + (card.x + card.w / 2) * view.scale, y: box.top + view.y + (row ? row.y : scenes.head(card)) * view.scale };
      },
      close() {
        observer.disconnect();
        cancelAnimationFrame(moving);
        cancelAnimationFrame(frame);
        document.removeEventListener("c360-theme", request);
      },
    };
  }

  /** The small map: everything as marks, and a frame around what is in sight; dragging it moves the view. */
  function minimap(graph) {
    const wide = 168;
    const high = 108;
    const canvas = h("canvas", { class: "minimap", "aria-hidden": "true" });
    const context = canvas.getContext("2d");
    const store = document.createElement("canvas");
    let stored = null;
    let place = { scale: 1, x: 0, y: 0 };

    function render(scene, look) {
      const ratio = look.pixels;
      for (const each of [canvas, store]) {
        each.width = wide * ratio;
        each.height = high * ratio;
      }
      const { box } = scene;
      const scale = Math.min((wide - 16) / (box.x1 - box.x0), (high - 16) / (box.y1 - box.y0), 0.2);
      place = { scale, x: (wide - (box.x1 - box.x0) * scale) / 2 - box.x0 * scale, y: (high - (box.y1 - box.y0) * scale) / 2 - box.y0 * scale };
      const ink = store.getContext("2d");
      ink.setTransform(ratio, 0, 0, ratio, 0, 0);
      ink.clearRect(0, 0, wide, high);
      for (const card of scene.cards) {
        ink.fillStyle = look.colourOf(nodes[card.n]);
        ink.globalAlpha = look.lit && look.lit.get(card.n) === undefined ? 0.25 : 0.85;
        ink.fillRect(place.x + card.x * scale, place.y + card.y * scale, Math.max(1.5, card.w * scale), Math.max(1, card.h * scale));
      }
    }

    graph.onPaint(() => {
      const scene = graph.scene();
      const look = graph.look();
      const key = [scene, look.colourOf, look.lit, look.pixels, paint.colours()];
      if (!stored || key.some((part, i) => part !== stored[i])) {
        render(scene, look);
        stored = key;
      }
      const view = graph.view();
      const size = graph.size();
      const ratio = look.pixels;
      const colour = paint.colours();
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, wide, high);
      context.drawImage(store, 0, 0, wide, high);
      const x = place.x + (-view.x / view.scale) * place.scale;
      const y = place.y + (-view.y / view.scale) * place.scale;
      context.strokeStyle = colour.accent;
      context.lineWidth = 1.5;
      context.strokeRect(clamp(x, 1, wide), clamp(y, 1, high), Math.min(wide - 2 - Math.max(0, x), (size.width / view.scale) * place.scale + Math.min(0, x)), Math.min(high - 2 - Math.max(0, y), (size.height / view.scale) * place.scale + Math.min(0, y)));
    });

    const move = (event) => {
      if (event.buttons === 0) return;
      const box = canvas.getBoundingClientRect();
      const view = graph.view();
      const size = graph.size();
      const x = (event.clientX - box.left - place.x) / place.scale;
      const y = (event.clientY - box.top - place.y) / place.scale;
      graph.setView({ x: size.width / 2 - x * view.scale, y: size.height / 2 - y * view.scale, scale: view.scale });
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      move(event);
    });
    canvas.addEventListener("pointermove", move);
    return canvas;
  }

  window.c360.graphCanvas = graphCanvas;
  window.c360.minimap = minimap;
})();

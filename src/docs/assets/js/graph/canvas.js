"use strict";
// The canvas as a thing to work with: a scene, a view of it, and what is pointed at. What hands do is in input.js.
(() => {
  const { h, model, paint, scene: scenes, format } = window.c360;
  const { nodes } = model;
  const least = 0.008;
  const most = 2.2;
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

  /**
   * A graph: `options` = {label, mini, band, inset, onPick(n), onOpen(n), onColumn(k), onMore(n), onEmpty(), onView(view), onKey(event)}.
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
    const look = {
      colourOf: () => paint.colours().scale[5],
      focus: null,
      over: null,
      lit: null,
      columns: null,
      column: null,
      overRow: null,
      chain: null,
      pixels: 1,
    };
    let width = 0;
    let height = 0;
    let frame = 0;
    let moving = 0;
    let fitted = false;
    let hasView = false;
    const frames = [];
    const painters = [];

    function draw() {
      cancelAnimationFrame(frame);
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
      else if (fitted && scene.cards.length > 0 && (Math.abs(grown.x) > 1 || Math.abs(grown.y) > 1))
        fit({ animate: false });
      draw();
    }
    const observer = new ResizeObserver(resize);
    observer.observe(element);
    document.addEventListener("c360-theme", draw);

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
      const edge = {
        left: 40,
        right: 40,
        top: 36,
        bottom: 36,
        ...(typeof inset === "function" ? inset(width, height) : inset),
      };
      const roomX = Math.max(40, width - edge.left - edge.right);
      const roomY = Math.max(40, height - edge.top - edge.bottom);
      const isAll = cards === scene.cards;
      // For a picture that is `band` times taller than its frame, a band of its middle says more than a thread.
      const tallest = ((box.x1 - box.x0) * roomY) / roomX;
      if (options.band && box.y1 - box.y0 > tallest * options.band) {
        const middle = (box.y0 + box.y1) / 2;
        [box.y0, box.y1] = [middle - tallest / 2, middle + tallest / 2];
      }
      const focus = isAll ? scene.byNode.get(look.focus) : undefined;
      const scale = clamp(Math.min(roomX / (box.x1 - box.x0), roomY / (box.y1 - box.y0)), legible(focus), largest);
      // What does not fit is shown around the card in focus, without leaving room unused.
      const align = (from, to, at, start, room) => {
        const middle = start + (room - (to - from) * scale) / 2 - from * scale;
        if (!focus || (to - from) * scale <= room + 1) return middle;
        return clamp(start + room / 2 - at * scale, start + room - to * scale, start - from * scale);
      };
      const goal = {
        x: align(box.x0, box.x1, focus && focus.x + focus.w / 2, edge.left, roomX),
        y: align(box.y0, box.y1, focus && focus.y + Math.min(focus.h, roomY / scale) / 2, edge.top, roomY),
        scale,
      };
      setView(goal, { animate, own: false });
      fitted = cards === scene.cards;
      hasView = false;
      if (options.onView) options.onView(null);
    }

    /** The least scale at which one can read what matters: a chain of columns, or a graph on a phone. */
    function legible(focus) {
      if (focus && width < 560) return 0.62;
      return focus && scene.mode === "columns" ? 0.46 : least;
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
      setView(
        {
          x: width / 2 - (card.x + card.w / 2) * scale,
          y: height / 2 - (card.y + Math.min(card.h, 200) / 2) * scale,
          scale,
        },
        { animate: true },
      );
    }

    /** What is at a point of the screen. */
    function at(clientX, clientY) {
      const box = canvas.getBoundingClientRect();
      const x = (clientX - box.left - view.x) / view.scale;
      const y = (clientY - box.top - view.y) / view.scale;
      for (let i = scene.cards.length - 1; i >= 0; i -= 1) {
        const card = scene.cards[i];
        if (x < card.x || x > card.x + card.w || y < card.y || y > card.y + card.h) continue;
        const row =
          view.scale > 0.4 ? card.rows.find((other) => Math.abs(other.y - y) <= scenes.rowHeight / 2) : undefined;
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
      const facts = [
        paint.subtitle(node),
        node.seconds !== undefined && format.seconds(node.seconds),
        node.owner,
      ].filter(Boolean);
      window.c360.fill(
        tip,
        h("strong", { class: "mono" }, node.name),
        h("span", {}, facts.join(" · ")),
        node.summary && h("p", {}, window.c360.parts.inline(node.summary)),
      );
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
        look.chain =
          scene.mode === "columns" && found && found.row && !found.row.more ? scenes.chain(scene, found.row.k) : null;
        request();
      }
    }

    window.c360.graphInput({
      canvas,
      options,
      look,
      at,
      hover,
      hideTip: () => {
        tip.hidden = true;
      },
      leave: () => {
        tip.hidden = true;
        look.over = null;
        look.overRow = null;
        look.chain = null;
        request();
      },
      view: () => view,
      scene: () => scene,
      size: () => ({ width, height }),
      setView,
      zoom,
      fit,
      limits: [least, most],
    });

    /** A new scene. `keep`: the card that must not move on the screen. */
    function setScene(next, { keep = null, fit: toFit = false } = {}) {
      const before = keep === null ? null : scene.byNode.get(keep);
      const after = keep === null ? null : next.byNode.get(keep);
      scene = next;
      look.over = null;
      look.chain = null;
      if (before && after) {
        view = {
          ...view,
          x: view.x + (before.x - after.x) * view.scale,
          y: view.y + (before.y - after.y) * view.scale,
        };
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
        return {
          x: box.left + view.x + (card.x + card.w / 2) * view.scale,
          y: box.top + view.y + (row ? row.y : scenes.head(card)) * view.scale,
        };
      },
      close() {
        observer.disconnect();
        cancelAnimationFrame(moving);
        cancelAnimationFrame(frame);
        document.removeEventListener("c360-theme", draw);
      },
    };
  }

  window.c360.graphCanvas = graphCanvas;
})();

"use strict";
// The small map of the whole graph, with a frame around what is in sight.
(() => {
  const { h, model, paint } = window.c360;
  const { nodes } = model;
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

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
      place = {
        scale,
        x: (wide - (box.x1 - box.x0) * scale) / 2 - box.x0 * scale,
        y: (high - (box.y1 - box.y0) * scale) / 2 - box.y0 * scale,
      };
      const ink = store.getContext("2d");
      ink.setTransform(ratio, 0, 0, ratio, 0, 0);
      ink.clearRect(0, 0, wide, high);
      for (const card of scene.cards) {
        ink.fillStyle = look.colourOf(nodes[card.n]);
        ink.globalAlpha = look.lit && look.lit.get(card.n) === undefined ? 0.25 : 0.85;
        ink.fillRect(
          place.x + card.x * scale,
          place.y + card.y * scale,
          Math.max(1.5, card.w * scale),
          Math.max(1, card.h * scale),
        );
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
      // Where everything is in sight, a map of it only stands in the way.
      const { box } = scene;
      const isWhole =
        box.x0 * view.scale + view.x > -1 &&
        box.y0 * view.scale + view.y > -1 &&
        box.x1 * view.scale + view.x < size.width + 1 &&
        box.y1 * view.scale + view.y < size.height + 1;
      canvas.classList.toggle("idle", isWhole);
      const ratio = look.pixels;
      const colour = paint.colours();
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, wide, high);
      context.drawImage(store, 0, 0, wide, high);
      const x = place.x + (-view.x / view.scale) * place.scale;
      const y = place.y + (-view.y / view.scale) * place.scale;
      context.strokeStyle = colour.accent;
      context.lineWidth = 1.5;
      context.strokeRect(
        clamp(x, 1, wide),
        clamp(y, 1, high),
        Math.min(wide - 2 - Math.max(0, x), (size.width / view.scale) * place.scale + Math.min(0, x)),
        Math.min(high - 2 - Math.max(0, y), (size.height / view.scale) * place.scale + Math.min(0, y)),
      );
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

  window.c360.minimap = minimap;
})();

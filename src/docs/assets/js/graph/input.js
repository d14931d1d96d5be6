"use strict";
// Hands on the graph: mouse, fingers, wheel and keys, as changes of the view and picks of what is there.
(() => {
  const { model, announce } = window.c360;
  const { nodes } = model;
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

  /** Dragging moves, two fingers zoom, a press that did not move is a click. */
  function pointers(graph) {
    const { canvas, options, at, setView } = graph;
    const [least, most] = graph.limits;
    const fingers = new Map();
    let pressed = null;

    function spread() {
      const [a, b] = [...fingers.values()];
      return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, size: Math.hypot(a.x - b.x, a.y - b.y) };
    }

    function pinch() {
      const now = spread();
      const box = canvas.getBoundingClientRect();
      const { view, pinch: start } = pressed;
      const scale = clamp(view.scale * (now.size / (start.size || 1)), least, most);
      const share = scale / view.scale;
      pressed.moved = true;
      setView({
        x: now.x - box.left - (start.x - box.left - view.x) * share,
        y: now.y - box.top - (start.y - box.top - view.y) * share,
        scale,
      });
    }

    function click(event) {
      const found = at(event.clientX, event.clientY);
      if (!found) {
        if (options.onEmpty) options.onEmpty();
      } else if (found.row && found.row.more) options.onMore(found.n);
      else if (found.row) options.onColumn(found.row.k);
      else options.onPick(found.n);
    }

    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      pressed = {
        x: event.clientX,
        y: event.clientY,
        view: { ...graph.view() },
        moved: false,
        pinch: fingers.size === 2 ? spread() : null,
      };
      graph.hideTip();
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!pressed || !fingers.has(event.pointerId)) {
        graph.hover(event);
        return;
      }
      fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      if (fingers.size === 2 && pressed.pinch) {
        pinch();
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
      fingers.delete(event.pointerId);
      if (!pressed || event.type === "pointercancel") {
        pressed = null;
        return;
      }
      const wasClick = !pressed.moved;
      // A finger that stays goes on moving from where it is.
      const [rest] = fingers.values();
      pressed = rest ? { x: rest.x, y: rest.y, view: { ...graph.view() }, moved: true, pinch: null } : null;
      canvas.style.cursor = "grab";
      if (wasClick) click(event);
    };
    canvas.addEventListener("pointerup", release);
    canvas.addEventListener("pointercancel", release);
    canvas.addEventListener("pointerleave", graph.leave);
    canvas.addEventListener("dblclick", (event) => {
      const found = at(event.clientX, event.clientY);
      if (found && !found.row && options.onOpen) options.onOpen(found.n);
    });
  }

  /** A mouse's wheel zooms, a touch pad's two fingers move, a pinch zooms. In a page that scrolls, only a pinch does. */
  function wheel(graph) {
    const { canvas, options, setView, zoom } = graph;
    canvas.addEventListener(
      "wheel",
      (event) => {
        const isPinch = event.ctrlKey || event.metaKey;
        if (options.mini && !isPinch) return;
        event.preventDefault();
        graph.hideTip();
        const view = graph.view();
        const box = canvas.getBoundingClientRect();
        const isFine =
          event.deltaMode === 0 &&
          (event.deltaX !== 0 || !Number.isInteger(event.deltaY) || Math.abs(event.deltaY) < 16);
        if (!isPinch && isFine) setView({ x: view.x - event.deltaX, y: view.y - event.deltaY, scale: view.scale });
        else
          zoom(
            Math.exp(-clamp(event.deltaY, -160, 160) * (isPinch && isFine ? 0.012 : 0.0022)),
            event.clientX - box.left,
            event.clientY - box.top,
          );
      },
      { passive: false },
    );
  }

  /** The nearest card left, right, above or below of the one in focus; left and right only along edges. */
  function neighbour(scene, focus, direction) {
    const card = scene.byNode.get(focus);
    if (!card) return scene.cards[0]?.n;
    const near = (cards) => cards.filter(Boolean).sort((a, b) => Math.abs(a.y - card.y) - Math.abs(b.y - card.y))[0]?.n;
    if (direction === "ArrowLeft") return near(nodes[card.n].parents.map((n) => scene.byNode.get(n)));
    if (direction === "ArrowRight") return near(nodes[card.n].children.map((n) => scene.byNode.get(n)));
    const sign = direction === "ArrowDown" ? 1 : -1;
    return near(scene.cards.filter((other) => Math.abs(other.x - card.x) < 1 && (other.y - card.y) * sign > 0));
  }

  const steps = { ArrowLeft: [80, 0], ArrowRight: [-80, 0], ArrowUp: [0, 80], ArrowDown: [0, -80] };

  function keys(graph) {
    const { canvas, options, look, setView, zoom, fit } = graph;
    canvas.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const { key } = event;
      const { width, height } = graph.size();
      const view = graph.view();
      if (Object.hasOwn(steps, key) && event.shiftKey)
        setView({ x: view.x + steps[key][0], y: view.y + steps[key][1], scale: view.scale });
      else if (Object.hasOwn(steps, key)) {
        const next = neighbour(graph.scene(), look.focus, key);
        if (next === undefined) announce("nothing there");
        else options.onPick(next, true);
      } else if (key === "Enter" && look.focus !== null && options.onOpen) options.onOpen(look.focus);
      else if (key === "+" || key === "=") zoom(1.25, width / 2, height / 2, true);
      else if (key === "-") zoom(0.8, width / 2, height / 2, true);
      else if (key === "0" || key === "f") fit();
      else if (!(options.onKey && options.onKey(event))) return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  window.c360.graphInput = (graph) => {
    pointers(graph);
    wheel(graph);
    keys(graph);
  };
})();

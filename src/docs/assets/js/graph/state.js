"use strict";
// The state of the lineage page as its address spells it, and what it shows.
(() => {
  const { model } = window.c360;
  const { nodes } = model;

  function readState(options) {
    const number = (text) =>
      text === "all" ? Infinity : text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
    const focus = model.nodeById.get(options.get("focus"));
    const view = (options.get("view") || "").split(",").map(Number);
    return {
      select: options.get("select") || "",
      exclude: options.get("exclude") || "",
      focus: focus ? focus.n : null,
      up: number(options.get("up")),
      down: number(options.get("down")),
      color: options.get("color") || "layer",
      column: options.get("column") || "",
      indirect: options.get("indirect") !== "off",
      columns: options.get("columns") === "on",
      view:
        view.length === 3 && view.every(Number.isFinite) && view[2] > 0
          ? { x: view[0], y: view[1], scale: view[2] }
          : null,
    };
  }

  function writeState(state) {
    const depth = (n) => (n === undefined ? "" : n === Infinity ? "all" : String(n));
    return {
      select: state.select,
      exclude: state.exclude,
      focus: state.focus === null ? "" : nodes[state.focus].id,
      up: depth(state.up),
      down: depth(state.down),
      color: state.color === "layer" ? "" : state.color,
      column: state.column,
      indirect: state.indirect ? "" : "off",
      columns: state.columns ? "on" : "",
      view: state.view ? `${Math.round(state.view.x)},${Math.round(state.view.y)},${state.view.scale.toFixed(3)}` : "",
    };
  }

  /** The nodes that the state shows, or what is wrong with its selection. */
  function visibleOf(state) {
    const { chosen, problem } = window.c360.select(state.select, state.exclude);
    if (chosen === null) return { visible: null, problem };
    const isLimited = state.focus !== null && (state.up !== undefined || state.down !== undefined);
    if (!isLimited) return { visible: [...chosen], problem };
    const near = new Set([state.focus]);
    for (const n of model.reach(state.focus, "parents", state.up ?? Infinity).keys()) near.add(n);
    for (const n of model.reach(state.focus, "children", state.down ?? Infinity).keys()) near.add(n);
    return { visible: [...near].filter((n) => n === state.focus || chosen.has(n)), problem };
  }

  /** The distances of what a node reaches: negative upstream. */
  function lightOf(n) {
    const lit = new Map([[n, 0]]);
    for (const [other, distance] of model.reach(n, "children")) lit.set(other, distance);
    for (const [other, distance] of model.reach(n, "parents")) lit.set(other, -distance);
    return lit;
  }

  window.c360.graphState = { readState, writeState, visibleOf, lightOf };
})();

"use strict";
// The lineage page: its state is its address, its scene follows from its state.
(() => {
  const {
    h,
    icon,
    model,
    router,
    toolbar,
    panel,
    scene: scenes,
    columns,
    exports: files,
    format,
    announce,
  } = window.c360;
  const { nodes } = model;
  const { readState, writeState, visibleOf, lightOf } = window.c360.graphState;
  // Up to so many cards show their columns: more would be a wall of names.
  const roomy = 150;

  function drawPage(main, route) {
    let state = readState(route.options);
    let visible = [];
    let open = new Map();
    let trace = null;
    let remembering = 0;
    let closed = false;

    const message = h("p", { class: "graph-message", role: "status" });
    const side = h("aside", { class: "panel", "aria-label": "Selected", hidden: true });
    const legendBox = h("div", { class: "legend-box" });
    const tally = h("p", { class: "graph-tally", role: "status" });
    const depthBox = h("div", { class: "depths" });

    const graph = window.c360.graphCanvas({
      label: "Lineage graph. Arrow keys walk along edges, Enter opens a page, plus and minus zoom, 0 fits.",
      inset: (width, height) => ({
        left: 28,
        right: side.hidden || width < 760 ? 28 : 340,
        top: 28,
        bottom: side.hidden || width >= 760 ? 64 : height * 0.5,
      }),
      onPick: (n, byKey) => focusOn(n, byKey),
      onOpen: (n) => router.go(model.hrefs.node(nodes[n])),
      onColumn: (k) => change({ column: columns.id(k), focus: columns.unpack(k)[0], view: null }, { push: true }),
      onMore: (n) => {
        open.set(n, "all");
        rebuild({ keep: n });
      },
      onEmpty: () => {
        if (state.column === "" && state.focus !== null) change({ focus: null, up: undefined, down: undefined });
      },
      onView: (view) => {
        state.view = view;
        clearTimeout(remembering);
        remembering = setTimeout(remember, 350);
      },
      onKey: (event) => keys(event.key),
    });

    function remember() {
      clearTimeout(remembering);
      if (!closed) router.update(writeState(state));
    }

    function keys(key) {
      if (key === "Escape") escape();
      else if (key === "c") change({ columns: !state.columns });
      else if (key === "i" && state.focus !== null) isolate(nodes[state.focus]);
      else return false;
      return true;
    }

    function escape() {
      if (state.column !== "") change({ column: "", view: null });
      else if (state.focus !== null) change({ focus: null, up: undefined, down: undefined });
    }

    function isolate(node) {
      change({ focus: node.n, up: Infinity, down: Infinity, column: "", view: null });
    }

    function focusOn(n, byKey) {
      if (state.column !== "" && !byKey) {
        change({ column: "", focus: n, view: null });
        return;
      }
      change({ focus: n }, { keep: n });
      graph.reveal(n);
      if (byKey) {
        const node = nodes[n];
        announce(
          `${node.name}, ${node.type}, ${format.plural(node.parents.length, "parent")}, ${format.plural(node.children.length, "child", "children")}`,
        );
      }
    }

    /** Changes the state; the scene is made anew if what it shows has changed. */
    function change(changes, { keep = null, push = false } = {}) {
      const before = state;
      state = { ...state, ...changes };
      clearTimeout(remembering);
      router.update(writeState(state), { push });
      const same = ["select", "exclude", "up", "down", "column", "indirect", "columns"].every(
        (key) => before[key] === state[key],
      );
      const limited = state.up !== undefined || state.down !== undefined;
      if (same && !(limited && before.focus !== state.focus) && !opensWithFocus()) paintState();
      else rebuild({ keep: keep ?? (same || "indirect" in changes || "columns" in changes ? state.focus : null) });
    }

    const opensWithFocus = () => state.column === "" && visible.length <= roomy;

    function openCards() {
      const cards = new Map(open);
      if (state.columns && visible.length <= roomy) for (const n of visible) if (!cards.has(n)) cards.set(n, "some");
      if (state.focus !== null && opensWithFocus() && !cards.has(state.focus)) cards.set(state.focus, "some");
      for (const n of cards.keys()) if (!state.columns && n !== state.focus) cards.delete(n);
      return cards;
    }

    async function rebuild({ keep = null } = {}) {
      const wanted = state;
      if (
        state.column !== "" ||
        window.c360.needsColumns(state.select) ||
        window.c360.needsColumns(state.exclude) ||
        state.focus !== null ||
        state.columns
      ) {
        if (!columns.loaded()) await columns.ready();
        if (closed || state !== wanted) return;
      }
      const k = state.column === "" || !columns.loaded() ? null : columns.parseId(state.column);
      trace = k === null ? null : columns.trace(k);
      let problem = null;
      let next;
      if (trace) {
        next = scenes.ofColumns(trace, { withIndirect: state.indirect, open });
        visible = next.cards.map((card) => card.n);
      } else {
        if (state.column !== "")
          problem = columns.loaded()
            ? `the column ${state.column} is not known`
            : "these docs were made without the lineage of columns";
        const found = visibleOf(state);
        problem = found.problem || problem;
        if (found.visible === null) {
          say(problem);
          return;
        }
        visible = found.visible;
        next = scenes.ofNodes(visible, openCards());
      }
      say(problem);
      panelFor();
      graph.setLook({ focus: trace ? columns.unpack(trace.start)[0] : state.focus });
      const isKept =
        keep !== null && graph.scene().byNode.has(keep) && next.byNode.has(keep) && graph.scene().mode === next.mode;
      graph.setScene(next, { keep: isKept ? keep : null, fit: !isKept && !state.view });
      if (state.view && !isKept) graph.setView(state.view, { own: false });
      paintState();
    }

    function say(problem) {
      message.textContent = problem || "";
      message.hidden = !problem;
      main
        .querySelectorAll("[data-field]")
        .forEach((field) => field.setAttribute("aria-invalid", String(Boolean(problem))));
    }

    /** Colours, light and the panel. */
    function paintState() {
      const colourOf = toolbar.colouring(state.color);
      if (trace) {
        graph.setLook({
          colourOf,
          focus: columns.unpack(trace.start)[0],
          lit: null,
          columns: new Set(trace.columns.keys()),
          column: trace.start,
        });
      } else {
        graph.setLook({
          colourOf,
          focus: state.focus,
          lit: state.focus === null ? null : lightOf(state.focus),
          columns: null,
          column: null,
        });
      }
      window.c360.fill(legendBox, toolbar.legend(state.color, visible));
      const total = window.c360.layout.drawn.length;
      const shown = graph.scene().cards.length;
      tally.textContent = trace
        ? `${columns.title(trace.start)} · ${format.plural(trace.columns.size - 1, "column")} in ${format.plural(shown, "node")}`
        : shown === total
          ? format.plural(total, "node")
          : `${format.count(shown)} of ${format.plural(total, "node")}`;
      drawDepths();
      drawPanel();
      colour.value = state.color;
      for (const field of [select, exclude])
        if (document.activeElement !== field) field.value = state[field.dataset.field];
    }

    function drawDepths() {
      const n = state.focus;
      depthBox.hidden = n === null || trace !== null;
      if (depthBox.hidden || depthBox.contains(document.activeElement)) return;
      const deepest = (next) => Math.max(0, ...model.reach(n, next).values());
      const set = (changes) =>
        change({ up: state.up ?? Infinity, down: state.down ?? Infinity, ...changes, view: null });
      window.c360.fill(
        depthBox,
        toolbar.depth("Upstream", "up", deepest("parents"), state, set),
        toolbar.depth("Downstream", "down", deepest("children"), state, set),
        state.up !== undefined || state.down !== undefined
          ? h(
              "button",
              {
                class: "button small",
                type: "button",
                on: { click: () => change({ up: undefined, down: undefined, view: null }) },
              },
              "Show all",
            )
          : null,
      );
    }

    let panelOf = null;
    /** The panel is there before the graph is fitted into what it leaves. */
    function panelFor() {
      const key = trace ? `${trace.start}|${state.indirect}` : state.focus;
      side.hidden = key === null;
      return key;
    }

    function drawPanel() {
      const key = panelFor();
      if (key === panelOf) return;
      panelOf = key;
      const actions = {
        withIndirect: state.indirect,
        onPick: (n) => {
          if (!graph.scene().byNode.has(n))
            change({ focus: n, select: "", exclude: "", up: undefined, down: undefined, column: "", view: null });
          else change({ focus: n });
          graph.reveal(n, { force: true });
        },
        onColumn: (k) => change({ column: columns.id(k), focus: columns.unpack(k)[0], view: null }, { push: true }),
        onIsolate: isolate,
        onIndirect: () => change({ indirect: !state.indirect }, { keep: state.focus }),
        onClose: escape,
      };
      window.c360.fill(
        side,
        key === null ? null : trace ? panel.ofColumn(trace, actions) : panel.ofNode(nodes[state.focus], actions),
      );
      side.scrollTop = 0;
    }

    const { field: select, element: selectBox } = toolbar.selection(
      "Select",
      "select",
      "name  +name  tag:x  path:y",
      state,
      (changes) => change({ ...changes, column: "", up: undefined, down: undefined, view: null }),
    );
    const { field: exclude, element: excludeBox } = toolbar.selection(
      "Exclude",
      "exclude",
      "exclude",
      state,
      (changes) => change({ ...changes, column: "", view: null }),
    );
    const colour = h(
      "select",
      { class: "input", "aria-label": "Colour by", on: { change: () => change({ color: colour.value }) } },
      Object.entries(toolbar.scales()).map(([key, scale]) =>
        h("option", { value: key }, `Colour: ${scale.title.toLowerCase()}`),
      ),
    );
    const name = () => `lineage-${model.project.name.replace(/[^\w-]+/g, "_")}`;
    const exportMenu = toolbar.menu("Export", "export", [
      [
        "SVG drawing",
        () =>
          files.save(new Blob([files.toSvg(graph.scene(), graph.look())], { type: "image/svg+xml" }), `${name()}.svg`),
      ],
      [
        "PNG picture",
        () =>
          files.toPng(graph.scene(), graph.look()).then(
            (blob) => files.save(blob, `${name()}.png`),
            (error) => say(error.message),
          ),
      ],
      [
        "Mermaid text",
        () => files.save(new Blob([files.toMermaid(graph.scene())], { type: "text/plain" }), `${name()}.mmd`),
      ],
      ["Copy Mermaid", () => window.c360.parts.copy(files.toMermaid(graph.scene())).then(() => announce("Copied"))],
      [
        "Copy link to this view",
        () => {
          remember();
          window.c360.parts.copy(location.href).then(() => announce("Copied"));
        },
      ],
    ]);
    const tool = (label, iconName, act) =>
      h(
        "button",
        { class: "round", type: "button", "aria-label": label, title: label, on: { click: act } },
        icon(iconName),
      );

    main.append(
      h("h1", { class: "away" }, "Lineage"),
      h(
        "div",
        { class: "graph-bar" },
        h(
          "div",
          { class: "graph-fields" },
          icon("search"),
          selectBox,
          h("span", { class: "minus", "aria-hidden": "true" }, "−"),
          excludeBox,
        ),
        depthBox,
        h("div", { class: "graph-options" }, colour, exportMenu),
      ),
      message,
      h(
        "div",
        { class: "graph-stage" },
        graph.element,
        side,
        h("div", { class: "graph-foot" }, tally, legendBox),
        h(
          "div",
          { class: "graph-corner" },
          window.c360.minimap(graph),
          h(
            "div",
            { class: "graph-zoom", role: "group", "aria-label": "Zoom" },
            tool("Zoom in", "plus", () => graph.zoom(1.25, undefined, undefined, true)),
            tool("Zoom out", "minus", () => graph.zoom(0.8, undefined, undefined, true)),
            tool("Fit everything", "fit", () => graph.fit()),
          ),
        ),
      ),
    );
    rebuild();
    window.c360.graph = {
      probe: (id, column) => graph.probe(model.nodeById.get(id)?.n, column),
      scene: graph.scene,
      view: graph.view,
      frames: graph.frames,
      state: () => state,
    };
    page.stay = (next) => {
      state = readState(next.options);
      for (const field of [select, exclude]) field.value = state[field.dataset.field];
      open = new Map();
      rebuild();
      return true;
    };
    return () => {
      closed = true;
      clearTimeout(remembering);
      page.stay = null;
      graph.close();
    };
  }

  const page = { name: "lineage", title: "Lineage", draw: drawPage, stay: null };
  window.c360.pages.lineage = page;
})();

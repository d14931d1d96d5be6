"use strict";
// Keys that work everywhere, and the page that tells them.
(() => {
  const { h, icon, router, search, shell } = window.c360;

  let help = null;
  function showHelp() {
    if (!help) {
      const keys = (entries) =>
        h(
          "dl",
          {},
          entries.map(([what, ...names]) => [
            h("dt", {}, what),
            h(
              "dd",
              {},
              names.map((name, i) => [i > 0 && " ", h("kbd", {}, name)]),
            ),
          ]),
        );
      help = h(
        "dialog",
        { class: "help", "aria-labelledby": "help-title" },
        h(
          "div",
          { class: "help-head" },
          h("h2", { id: "help-title" }, "Keys"),
          h(
            "button",
            { class: "round", type: "button", "aria-label": "Close", on: { click: () => help.close() } },
            icon("close"),
          ),
        ),
        h(
          "div",
          { class: "help-grid" },
          h(
            "div",
            {},
            h("h3", {}, "Everywhere"),
            keys([
              ["Search", "/"],
              ["", "Ctrl", "K"],
              ["Home", "g", "h"],
              ["Lineage", "g", "l"],
              ["Models", "g", "m"],
              ["Sources", "g", "s"],
              ["Tests", "g", "t"],
              ["Light or dark", "t"],
              ["Side bar", "["],
              ["This help", "?"],
            ]),
          ),
          h(
            "div",
            {},
            h("h3", {}, "In the graph"),
            keys([
              ["Walk along edges", "←", "→", "↑", "↓"],
              ["Move the view", "Shift", "←"],
              ["Open the page", "↵"],
              ["Zoom", "+", "−"],
              ["Fit everything", "0"],
              ["Columns of all cards", "c"],
              ["Only its lineage", "i"],
              ["Selection", "s"],
              ["Back to the whole", "esc"],
            ]),
          ),
          h(
            "div",
            {},
            h("h3", {}, "Selecting"),
            keys([
              ["A model and all above it", "+orders"],
              ["Two steps below", "orders+2"],
              ["By tag, path, type", "tag:x"],
              ["Both", "a,b"],
              ["Either", "a b"],
              ["Not", "exclude:a"],
            ]),
          ),
          h("div", {}, h("h3", {}, "More methods"), h("p", { class: "muted" }, window.c360.selectMethods.join(", "))),
        ),
      );
      help.addEventListener("click", (event) => event.target === help && help.close());
      document.body.append(help);
    }
    help.showModal();
  }

  /** On the lineage page keys that nothing else wants are the graph's, whether it has the focus or not. */
  function toGraph(event) {
    const canvas = document.body.dataset.page === "lineage" && document.querySelector("main .graph-canvas");
    if (!canvas || ![document.body, document.getElementById("main")].includes(event.target)) return false;
    return !canvas.dispatchEvent(
      new KeyboardEvent("keydown", { key: event.key, shiftKey: event.shiftKey, cancelable: true }),
    );
  }

  const jumps = { h: "#/", l: "#/lineage", m: "#/models", s: "#/sources", t: "#/tests", r: "#/runs", x: "#/macros" };
  let waitsForJump = 0;

  function keys(event) {
    const inField = event.target.closest && event.target.closest("input, textarea, select, [contenteditable]");
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      search.open();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || inField || document.querySelector("dialog[open]")) return;
    if (Date.now() - waitsForJump < 1200 && Object.hasOwn(jumps, event.key)) {
      waitsForJump = 0;
      router.go(jumps[event.key]);
    } else if (event.key === "g") waitsForJump = Date.now();
    else if (event.key === "/") search.open();
    else if (event.key === "?") showHelp();
    else if (event.key === "[") shell.toggleSide();
    else if (event.key === "t") window.c360Theme.toggle();
    else if (event.key === "s" && document.querySelector("[data-field]"))
      document.querySelector("[data-field]").focus();
    else if (event.key === "Escape" && shell.isMenuOpen()) shell.setMenu(false);
    else if (!toGraph(event)) return;
    event.preventDefault();
  }

  document.addEventListener("keydown", keys);
  window.c360.showHelp = showHelp;
})();

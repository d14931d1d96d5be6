"use strict";
// The page of a node: a head, parts that are there if there is something to say, and a rail of facts.
(() => {
  const { h, icon, model, parts, format, nodeParts, columnsPart, rich } = window.c360;
  const { nodes, macros } = model;
  const listed = 12;

  function head(node) {
    return h(
      "header",
      { class: "head" },
      h(
        "div",
        { class: "head-line" },
        icon(node.type, `t-${node.type}`),
        h("h1", {}, node.name),
        node.materialized && node.type === "model"
          ? parts.badge(node.materialized)
          : parts.badge(model.typeOf(node.type).one.toLowerCase()),
        node.access && node.access !== "protected" && parts.badge(node.access),
        h(
          "div",
          { class: "head-tools" },
          model.graph.layer[node.n] >= 0 &&
            h(
              "a",
              { class: "button", href: model.hrefs.lineage({ focus: node.id, up: "all", down: "all" }) },
              icon("graph"),
              "Lineage",
            ),
        ),
      ),
      h(
        "div",
        { class: "head-sub" },
        node.status &&
          (node.type === "source" ? h("span", {}, "freshness ", parts.status(node.status)) : parts.status(node.status)),
        node.missing &&
          h(
            "span",
            { class: "status bad" },
            h("span", { class: "dot bad", "aria-hidden": "true" }),
            format.plural(node.missing, "missing day"),
          ),
        parts.testMark(node.tests),
        node.rows !== undefined && h("span", {}, format.plural(node.rows, "row")),
        node.bytes !== undefined && h("span", {}, format.bytes(node.bytes)),
        node.seconds !== undefined && h("span", {}, `took ${format.seconds(node.seconds)}`),
        node.at && h("span", { class: "muted" }, parts.time(node.at)),
      ),
    );
  }

  function neighbours(title, list) {
    if (list.length === 0) return null;
    const body = h("ul", {});
    const draw = (limit) =>
      window.c360.fill(
        body,
        list.slice(0, limit).map((n) => h("li", {}, parts.nodeLink(nodes[n]))),
        list.length > limit &&
          h(
            "li",
            {},
            h(
              "button",
              { class: "button small", type: "button", on: { click: () => draw(Infinity) } },
              `Show all ${list.length}`,
            ),
          ),
      );
    draw(listed);
    return h("div", {}, h("h2", {}, title), body);
  }

  /** The facts at the side. */
  function rail(node, details) {
    const owner = details.owner
      ? [
          details.owner.name,
          details.owner.email && h("a", { href: `mailto:${details.owner.email}` }, details.owner.email),
        ].filter(Boolean)
      : null;
    const settings = details.config || [];
    const mono = (text) => text && h("span", { class: "mono" }, parts.breakable(text));
    return h(
      "aside",
      { class: "rail", "aria-label": "Facts" },
      h(
        "div",
        {},
        h("h2", {}, "Details"),
        parts.facts([
          ["Owner", owner ? owner.map((part, i) => [i > 0 && h("br", {}), part]) : node.owner],
          ["Tags", node.tags && node.tags.length > 0 && h("span", { class: "badges" }, parts.tagList(node.tags))],
          ["Relation", mono(details.relation)],
          ["File", mono(details.file || node.path)],
          ["Described in", details.patch !== details.file && mono(details.patch)],
          ["Package", node.package],
          ["Group", node.group],
          ["Version", details.stats && details.stats.version !== undefined && format.count(details.stats.version)],
          ["Written", details.stats && details.stats.modified && parts.time(details.stats.modified)],
          ["Contract", details.contract && "enforced"],
          ["Deprecated", details.deprecation && format.date(details.deprecation)],
          ...(details.constraints || []).map((text) => ["Constraint", mono(text)]),
          ...(details.meta || []),
        ]),
      ),
      neighbours("Upstream", node.parents),
      neighbours("Downstream", node.children),
      details.macros &&
        details.macros.length > 0 &&
        h(
          "div",
          {},
          h("h2", {}, "Macros"),
          h(
            "ul",
            {},
            details.macros.filter((m) => macros[m]).map((m) => h("li", {}, parts.macroLink(macros[m]))),
          ),
        ),
      settings.length > 0 &&
        h(
          "details",
          {},
          h("summary", { class: "muted" }, `Settings (${settings.length})`),
          parts.facts(settings.map(([key, text]) => [mono(key), mono(text)])),
        ),
    );
  }

  /** The bar of parts: it follows the reader. */
  function bar(node, sections) {
    if (sections.length < 2) return [null, () => {}];
    const links = sections.map(([id, title, count]) =>
      h(
        "a",
        { href: `${model.hrefs.node(node)}/${id}`, "data-part": id },
        title,
        count ? h("span", { class: "n" }, format.count(count)) : null,
      ),
    );
    const mark = () => {
      let current = sections[0][0];
      for (const [id] of sections) {
        const part = document.getElementById(`part-${id}`);
        if (part && part.getBoundingClientRect().top < 150) current = id;
      }
      if (window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 4 && window.scrollY > 0)
        current = sections[sections.length - 1][0];
      for (const link of links) {
        if (link.dataset.part === current) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    };
    window.addEventListener("scroll", mark, { passive: true });
    requestAnimationFrame(mark);
    return [
      h("nav", { class: "tabs-bar", "aria-label": "Parts of this page" }, links),
      () => window.removeEventListener("scroll", mark),
    ];
  }

  function goTo(id) {
    const part = document.getElementById(`part-${id}`);
    if (!part) return false;
    part.scrollIntoView({ block: "start" });
    part.querySelector("h2").focus({ preventScroll: true });
    return true;
  }

  /** The parts of a page: [id, title, count, make]. What there is nothing to say about is left out. */
  function plan(node, details, route) {
    const has = (list) => (list || []).length > 0;
    const near = node.parents.length + node.children.length;
    return [
      [
        "about",
        "About",
        0,
        () =>
          parts.section(
            "about",
            "About",
            { className: "lead" },
            details.descriptionHtml ? rich(details.descriptionHtml) : parts.nothing("It has no description yet."),
          ),
      ],
      ...window.c360.specialParts(node, details),
      has(details.columns) && [
        "columns",
        "Columns",
        details.columns.length,
        () => columnsPart(node, details, route.options.get("column")),
      ],
      near > 0 && model.graph.layer[node.n] >= 0 && ["lineage", "Lineage", 0, () => nodeParts.lineagePart(node)],
      details.code && ["code", "Code", 0, () => nodeParts.codePart(details)],
      details.samples && ["rows", "Rows", 0, () => nodeParts.samplesPart(details)],
      has(details.tests) && ["tests", "Tests", details.tests.length, () => nodeParts.testsPart(details)],
      has(details.publishes) && ["publish", "Published", 0, () => nodeParts.publishesPart(details)],
      has(details.runs) && [
        "runs",
        "Runs",
        details.runs.filter((run) => run.kind !== "publish").length,
        () => nodeParts.runsPart(details),
      ],
    ].filter(Boolean);
  }

  /** Fills the sheet: what is in sight first, the rest when that has been painted. */
  function fillSheet(main, sheet, sections, { isClosed, cleaners, done }) {
    let next = 0;
    const make = () => {
      const part = sections[next][3]();
      next += 1;
      if (part && part.graph) cleaners.push(part.graph.close);
      if (part) sheet.append(part.element || part);
    };
    const first = Math.max(1, sections.findIndex(([id]) => id === "columns") + 1);
    while (next < Math.min(first, sections.length)) make();
    const later = () => {
      if (isClosed()) return;
      const start = performance.now();
      while (next < sections.length && performance.now() - start < 12) make();
      if (next < sections.length) setTimeout(later, 0);
      else {
        delete main.dataset.busy;
        done();
      }
    };
    main.dataset.busy = "true";
    setTimeout(later, 0);
  }

  function draw(main, route) {
    const node = model.nodeById.get(route.path[1]);
    if (!node) return window.c360.pages.missing.draw(main, route);
    const waiting = h("p", { class: "loading", role: "status" }, "Loading…");
    const cleaners = [];
    let closed = false;
    main.append(head(node), waiting);
    model.details(node).then(
      (details) => {
        if (closed) return;
        waiting.remove();
        const sections = plan(node, details, route);
        const [links, stop] = bar(node, sections);
        cleaners.push(stop);
        const sheet = h(
          "div",
          { class: "sheet-main" },
          sections.length === 0 && parts.nothing("Nothing is known about it yet."),
        );
        main.append(...[links, h("div", { class: "sheet" }, sheet, rail(node, details))].filter(Boolean));
        if (sections.length > 0)
          fillSheet(main, sheet, sections, {
            isClosed: () => closed,
            cleaners,
            done: () => route.path[2] && !route.options.get("column") && goTo(route.path[2]),
          });
      },
      (error) => {
        waiting.textContent = `The data of this page could not be read: ${error.message}`;
      },
    );
    page.stay = (next) => {
      if (next.options.get("column") !== route.options.get("column")) return false;
      if (next.path[2]) return goTo(next.path[2]);
      window.scrollTo(0, 0);
      return true;
    };
    return () => {
      closed = true;
      page.stay = null;
      delete main.dataset.busy;
      for (const clean of cleaners) clean();
    };
  }

  const page = { name: "node", draw, stay: null };
  window.c360.pages.node = page;
})();

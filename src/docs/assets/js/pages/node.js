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
        node.materialized && node.type === "model" ? parts.badge(node.materialized) : parts.badge(model.typeOf(node.type).one.toLowerCase()),
        node.access && node.access !== "protected" && parts.badge(node.access),
        h(
          "div",
          { class: "head-tools" },
          model.graph.layer[node.n] >= 0 && h("a", { class: "button", href: model.hrefs.lineage({ focus: node.id, up: "all", down: "all" }) }, icon("graph"), "Lineage"),
        ),
      ),
      h(
        "div",
        { class: "head-sub" },
        node.status && (node.type === "source" ? h("span", {}, "freshness ", parts.status(node.status)) : parts.status(node.status)),
        node.missing && h("span", { class: "status bad" }, h("span", { class: "dot bad", "aria-hidden": "true" }), format.plural(node.missing, "missing day")),
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
        list.length > limit && h("li", {}, h("button", { class: "button small", type: "button", on: { click: () => draw(Infinity) } }, `Show all ${list.length}`)),
      );
    draw(listed);
    return h("div", {}, h("h2", {}, title), body);
  }

  /** The facts at the side. */
  function rail(node, details) {
    const owner = details.owner ? [details.owner.name, details.owner.email && h("a", { href: `mailto:${details.owner.email}` }, details.owner.email)].filter(Boolean) : null;
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
      details.macros && details.macros.length > 0 && h("div", {}, h("h2", {}, "Macros"), h("ul", {}, details.macros.filter((m) => macros[m]).map((m) => h("li", {}, parts.macroLink(macros[m]))))),
      settings.length > 0 && h("details", {}, h("summary", { class: "muted" }, `Settings (${settings.length})`), parts.facts(settings.map(([key, text]) => [mono(key), mono(text)]))),
    );
  }

  /** The bar of parts: it follows the reader. */
  function bar(node, sections) {
    if (sections.length < 2) return [null, () => {}];
    const links = sections.map(([id, title, count]) =>
      h("a", { href: `${model.hrefs.node(node)}/${id}`, "data-part": id }, title, count ? h("span", { class: "n" }, format.count(count)) : null),
    );
    const mark = () => {
      let current = sections[0][0];
      for (const [id] of sections) {
        const part = document.getElementById(`part-${id}`);
        if (part && part.getBoundingClientRect().top < 150) current = id;
      }
      if (window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 4 && window.scrollY > 0) current = sections[sections.length - 1][0];
      for (const link of links) {
        if (link.dataset.part === current) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    };
    window.addEventListener("scroll", mark, { passive: true });
    requestAnimationFrame(mark);
    return [h("nav", { class: "tabs-bar", "aria-label": "Parts of this page" }, links), () => window.removeEventListener("scroll", mark)];
  }

  function goTo(id) {
    const part = document.getElementById(`part-${id}`);
    if (!part) return false;
    part.scrollIntoView({ block: "start" });
    part.querySelector("h2").focus({ preventScroll: true });
    return true;
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
        const [lineage, graph] = nodeParts.lineagePart(node);
        if (graph) cleaners.push(graph.close);
        const special = window.c360.specialParts(node, details);
        const made = [
          ["about", "About", null, details.descriptionHtml && parts.section("about", "About", { className: "lead" }, rich(details.descriptionHtml))],
          ...special,
          ["columns", "Columns", (details.columns || []).length, columnsPart(node, details, route.options.get("column"))],
          ["lineage", "Lineage", null, lineage],
          ["code", "Code", null, nodeParts.codePart(details)],
          ["rows", "Rows", null, nodeParts.samplesPart(details)],
          ["tests", "Tests", (details.tests || []).length, nodeParts.testsPart(details)],
          ["publish", "Published", null, nodeParts.publishesPart(details)],
          ["runs", "Runs", (details.runs || []).length, nodeParts.runsPart(details)],
        ].filter(([, , , part]) => part);
        const [links, stop] = bar(node, made);
        cleaners.push(stop);
        const content = h("div", { class: "sheet-main" }, made.length > 0 ? made.map(([, , , part]) => part) : parts.nothing("Nothing is known about it yet."));
        main.append(...[links, h("div", { class: "sheet" }, content, rail(node, details))].filter(Boolean));
        if (route.path[2]) goTo(route.path[2]);
        main.dataset.ready = node.id;
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
      delete main.dataset.ready;
      for (const clean of cleaners) clean();
    };
  }

  const page = { name: "node", draw, stay: null };
  window.c360.pages.node = page;
})();

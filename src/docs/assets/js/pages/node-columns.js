"use strict";
// The columns of a node: what they are, where they come from, and what is in them.
(() => {
  const { h, icon, model, parts, format, charts, rich } = window.c360;
  const { nodes, tests } = model;

  function testBadge(t) {
    const test = tests[t];
    if (!test) return null;
    const tone = model.tone(test.status);
    return h(
      "a",
      {
        class: `badge ${tone === "ok" || tone === "none" || tone === "skip" ? "" : tone}`,
        href: model.hrefs.test(test),
        title: `${test.title}: ${test.status || "not run"}`,
      },
      h("span", { class: `dot ${tone}`, role: "img", "aria-label": test.status || "not run" }),
      test.kind === "generic" ? test.name : test.title,
    );
  }

  function about(column) {
    const inherited = column.from && nodes[column.from.node];
    return [
      column.descriptionHtml && rich(column.descriptionHtml),
      inherited &&
        h(
          "p",
          { class: "inherited" },
          "from ",
          h(
            "a",
            { href: `${model.hrefs.node(inherited)}/columns?column=${encodeURIComponent(column.from.column)}` },
            h("span", { class: "mono" }, `${inherited.name}.${column.from.column}`),
          ),
        ),
      (column.tags || column.tagsFrom || column.undeclared || column.absent) &&
        h(
          "div",
          { class: "badges" },
          parts.tagList(
            (column.tags || []).filter((tag) => !(column.tagsFrom || []).some((entry) => entry.tag === tag)),
          ),
          (column.tagsFrom || []).map(
            (entry) =>
              nodes[entry.node] &&
              parts.badge(entry.tag, "tag", `flows from ${nodes[entry.node].name}.${entry.column}`),
          ),
          column.absent &&
            parts.badge("not in the table", "bad", "The properties file names this column, the table does not have it"),
        ),
    ];
  }

  function nulls(profile) {
    if (!profile || !profile.rows) return "";
    const share = (profile.nulls || 0) / profile.rows;
    if (share === 0) return h("span", { class: "muted" }, "0%");
    return h(
      "span",
      { class: "nulls", title: `${format.count(profile.nulls)} of ${format.plural(profile.rows, "row")}` },
      format.percent(share),
      h("i", { "aria-hidden": "true" }, h("b", { vars: { "--share": `${Math.max(3, share * 100)}%` } })),
    );
  }

  function distinct(profile) {
    if (!profile || profile.distinct === undefined) return "";
    const isUnique = profile.exact && profile.distinct === profile.rows - (profile.nulls || 0) && profile.rows > 1;
    return h(
      "span",
      { title: isUnique ? "every value once" : profile.exact ? "exact" : "an estimate" },
      `${profile.exact ? "" : "~"}${format.compact(profile.distinct)}`,
    );
  }

  /** A value of a profile in few letters: numbers as numbers, a moment as its day. */
  function numeric(text) {
    if (text !== undefined && text !== "" && Number.isFinite(Number(text))) return format.value(Number(text));
    if (text === "") return h("em", {}, "empty");
    return /^\d{4}-\d\d-\d\d[T ]/.test(text || "") ? text.slice(0, 10) : text;
  }

  /** From the least to the greatest value. */
  function range(profile) {
    if (profile.min === undefined && profile.max === undefined) return null;
    if (profile.min === profile.max)
      return h("span", { title: profile.min }, "always ", h("b", {}, numeric(profile.min)));
    return [
      h("span", { title: `least: ${profile.min}` }, numeric(profile.min)),
      h("i", { "aria-hidden": "true" }, "–"),
      h("span", { class: "end", title: `greatest: ${profile.max}` }, numeric(profile.max)),
    ];
  }

  /** Few values are told apart by their shares; many of a measure by their spread. */
  function drawing(profile) {
    const hasHistogram = profile.histogram && profile.histogram.counts.length > 0;
    const isFew = profile.distinct === undefined || profile.distinct <= 12;
    if (profile.top && profile.top.length > 0 && (!hasHistogram || isFew)) return charts.shares(profile);
    return hasHistogram ? charts.histogram(profile) : null;
  }

  const shape = (profile) => profile && [drawing(profile), h("div", { class: "range" }, range(profile))];

  function quantiles(profile) {
    const entries = [
      ["Mean", profile.mean],
      ["5%", profile.quantiles?.p05],
      ["25%", profile.quantiles?.p25],
      ["Median", profile.quantiles?.p50],
      ["75%", profile.quantiles?.p75],
      ["95%", profile.quantiles?.p95],
    ];
    if (entries.every(([, value]) => value === undefined)) return null;
    return h(
      "div",
      {},
      h("h3", {}, "Spread"),
      parts.facts(
        entries.filter(([, value]) => value !== undefined).map(([name, value]) => [name, numeric(format.value(value))]),
      ),
    );
  }

  function mostFrequent(profile) {
    if (!profile.top || profile.top.length === 0) return null;
    return h(
      "div",
      {},
      h("h3", {}, "Most frequent"),
      parts.facts(
        profile.top
          .slice(0, 10)
          .map(([text, n]) => [
            h("span", { class: "mono" }, text === "" ? "(empty)" : text),
            `${format.count(n)} · ${format.percent(n / (profile.rows || 1))}`,
          ]),
      ),
    );
  }

  function origin(node, column) {
    const inputs = column.inputs || [];
    if (inputs.length === 0 && !column.expression) return null;
    return h(
      "div",
      {},
      h("h3", {}, "Comes from"),
      column.expression && h("code", { class: "expression" }, column.expression),
      h(
        "ul",
        {},
        inputs.map((input) => {
          const from = nodes[input.node];
          if (!from) return null;
          const name = [input.column, ...(input.path || [])].join(".");
          return h(
            "li",
            {},
            h(
              "a",
              { class: "ref", href: model.hrefs.column(from, name) },
              icon(from.type, `t-${from.type}`),
              h("span", { class: "mono" }, `${from.name}.${name}`),
            ),
            " ",
            h("span", { class: "kind" }, input.kind),
          );
        }),
      ),
    );
  }

  function facts(column) {
    const { profile } = column;
    const entries = [
      ["Nullable", column.nullable === false ? "no" : undefined],
      ["Constraints", column.constraints && column.constraints.join(", ")],
      ["Rows", profile && format.count(profile.rows)],
      [
        "Nulls",
        profile &&
          profile.nulls !== undefined &&
          `${format.count(profile.nulls)} · ${format.percent(profile.nulls / (profile.rows || 1))}`,
      ],
      [
        "Distinct",
        profile &&
          profile.distinct !== undefined &&
          `${profile.exact ? "" : "about "}${format.count(profile.distinct)}`,
      ],
      ...(column.meta || []),
    ].filter(([, value]) => value);
    return entries.length > 0 && h("div", {}, h("h3", {}, "Facts"), parts.facts(entries));
  }

  function bigShape(profile) {
    if (!profile || !profile.histogram || profile.histogram.counts.length === 0) return null;
    const { edges } = profile.histogram;
    return h(
      "div",
      {},
      h("h3", {}, "Distribution"),
      charts.histogram(profile, { width: 264, height: 64 }),
      h("div", { class: "range" }, `${format.value(edges[0])} to ${format.value(edges[edges.length - 1])}`),
    );
  }

  function detail(node, column) {
    const { profile } = column;
    const found = [
      origin(node, column),
      facts(column),
      profile && bigShape(profile),
      profile && quantiles(profile),
      profile && mostFrequent(profile),
    ].filter(Boolean);
    return h("div", { class: "detail" }, found.length > 0 ? found : parts.nothing("Nothing more is known."));
  }

  /** The section; `wanted` is a column to open and show. */
  function columnsPart(node, details, wanted) {
    const list = details.columns || [];
    if (list.length === 0) return null;
    const has = {
      type: list.some((column) => column.type),
      tests: list.some((column) => column.tests && column.tests.length > 0),
      profile: list.some((column) => column.profile),
    };
    const heads = [
      ["Column"],
      has.type && ["Type"],
      ["Description"],
      has.tests && ["Tests"],
      has.profile && ["Nulls", "number"],
      has.profile && ["Distinct", "number"],
      has.profile && ["Values"],
    ].filter(Boolean);
    const body = h("tbody", {});
    let target = null;
    const add = (column, i) => {
      const more = h("tr", { class: "more-of", hidden: true, id: `column-${i}` });
      const open = h(
        "button",
        {
          class: "open",
          type: "button",
          "aria-expanded": "false",
          "aria-controls": `column-${i}`,
          "aria-label": `More about ${column.name}`,
        },
        icon("right"),
      );
      const show = (shown) => {
        open.setAttribute("aria-expanded", String(shown));
        more.hidden = !shown;
        if (shown && more.childElementCount === 0)
          more.append(h("td", { colspan: heads.length }, detail(node, column)));
      };
      open.addEventListener("click", () => show(more.hidden));
      const isKey = (column.constraints || []).some((text) => /primary/i.test(text));
      const row = h(
        "tr",
        { class: column.name === wanted ? "target" : null },
        h(
          "td",
          {},
          h(
            "div",
            { class: "name" },
            open,
            h("a", { href: model.hrefs.column(node, column.name), title: "Lineage of this column" }, column.name),
            isKey && icon("key", "key"),
          ),
        ),
        has.type &&
          h(
            "td",
            { class: "type mono" },
            column.type || "",
            column.nullable === false && h("span", { class: "muted" }, " not null"),
          ),
        h("td", { class: "about" }, about(column)),
        has.tests && h("td", {}, h("div", { class: "marks" }, (column.tests || []).map(testBadge))),
        has.profile && h("td", { class: "number" }, nulls(column.profile)),
        has.profile && h("td", { class: "number" }, distinct(column.profile)),
        has.profile && h("td", { class: "shape" }, shape(column.profile)),
      );
      body.append(row, more);
      if (column.name === wanted) {
        show(true);
        target = row;
      }
    };
    // The first rows are there at once; a long list grows when they have been painted.
    const first = wanted === undefined ? 40 : list.length;
    list.slice(0, first).forEach(add);
    const grow = (from) => {
      list.slice(from, from + 80).forEach((column, i) => add(column, from + i));
      if (from + 80 < list.length) setTimeout(() => grow(from + 80), 0);
    };
    if (list.length > first) setTimeout(() => grow(first), 30);
    const described = list.filter((column) => column.descriptionHtml).length;
    const part = parts.section(
      "columns",
      "Columns",
      {
        note: `${format.count(list.length)}, ${described === list.length ? "all" : format.count(described)} described`,
      },
      details.profileStale && h("p", { class: "note warn" }, "The numbers are of an earlier version of this table."),
      details.unknownColumns &&
        h("p", { class: "note" }, `Where the columns come from is not known: ${details.unknownColumns}`),
      h(
        "div",
        { class: "framed" },
        h(
          "div",
          { class: "scroll", tabindex: "0", role: "region", "aria-label": "Columns" },
          h(
            "table",
            { class: "grid columns" },
            h(
              "thead",
              {},
              h(
                "tr",
                {},
                heads.map(([title, name]) => h("th", { scope: "col", class: name }, title)),
              ),
            ),
            body,
          ),
        ),
      ),
    );
    if (target) requestAnimationFrame(() => target.scrollIntoView({ block: "center" }));
    return part;
  }

  Object.assign(window.c360, { columnsPart, testBadge });
})();

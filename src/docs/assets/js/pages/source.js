"use strict";
// What only some nodes have: the files of a source, the link of an exposure, the tables of a destination.
(() => {
  const { h, icon, model, parts, format } = window.c360;
  const { nodes } = model;

  const stat = (title, value, tone) => h("div", {}, h("span", {}, title), h("strong", { class: tone }, value));

  function filesPart(source) {
    const files = source.files || [];
    if (files.length === 0) return null;
    const dated = files.some((file) => file.date);
    const table = window.c360.table({
      label: "Files",
      rows: files,
      text: (file) => `${file.path} ${file.date || ""}`,
      sort: { key: dated ? "date" : "path", direction: dated ? -1 : 1 },
      columns: [
        {
          key: "path",
          title: "File",
          value: (file) => file.path,
          cell: (file) => h("span", { class: "mono" }, file.path),
        },
        dated && {
          key: "date",
          title: "Day",
          value: (file) => file.date,
          cell: (file) => (file.date ? format.date(file.date) : ""),
          className: "fit",
        },
        {
          key: "bytes",
          title: "Size",
          number: true,
          value: (file) => file.bytes,
          cell: (file) => format.bytes(file.bytes),
        },
        {
          key: "modified",
          title: "Modified",
          value: (file) => file.modified,
          cell: (file) => (file.modified ? format.time(file.modified) : ""),
          className: "fit",
        },
      ].filter(Boolean),
    });
    return parts.section(
      "files",
      "Files",
      {
        note: source.omitted
          ? `the latest ${format.count(files.length)} of ${format.count(files.length + source.omitted)}`
          : format.count(files.length),
      },
      table,
    );
  }

  function arrivalPart(source) {
    const calendar = window.c360.calendar(source);
    if (!calendar) return null;
    const missing = source.missing || [];
    return parts.section(
      "arrival",
      "Arrival",
      { note: source.from && source.to ? `${format.date(source.from)} to ${format.date(source.to)}` : undefined },
      missing.length > 0 &&
        h(
          "p",
          { class: "note bad" },
          `${format.plural(missing.length, "day")} without a file: ${missing.slice(0, 12).map(format.date).join(", ")}${missing.length > 12 ? ` and ${missing.length - 12} more` : ""}`,
        ),
      calendar,
    );
  }

  function sourceParts(source) {
    const { freshness } = source;
    const numbers = [
      source.count !== undefined && stat("Files", format.count(source.count)),
      source.bytes !== undefined && stat("Size", format.bytes(source.bytes)),
      source.days && stat("Days", format.count(source.days.length)),
      source.missing && stat("Missing days", format.count(source.missing.length), "bad"),
      freshness &&
        freshness.lastAt &&
        stat("Last record", format.ago(freshness.lastAt), model.tone(freshness.status) === "bad" ? "bad" : null),
    ].filter(Boolean);
    const facts = parts.facts([
      ["Location", source.location && h("span", { class: "mono" }, source.location)],
      ["Format", source.format],
      ["Loader", source.loader],
      ["Freshness", freshness && freshness.status && parts.status(freshness.status)],
      ["Warns after", freshness && freshness.warnAfter],
      ["Fails after", freshness && freshness.errorAfter],
      ["Loaded at", freshness && freshness.field && h("span", { class: "mono" }, freshness.field)],
      ...(source.external || [])
        .filter(([key]) => !["location", "file_format"].includes(key))
        .map(([key, text]) => [key, h("span", { class: "mono" }, text)]),
    ]);
    return [
      [
        "source",
        "Source",
        0,
        () => parts.section("source", "Source", {}, numbers.length > 0 && h("div", { class: "stats" }, numbers), facts),
      ],
      (source.days || source.missing) && ["arrival", "Arrival", 0, () => arrivalPart(source)],
      source.files && ["files", "Files", source.files.length + (source.omitted || 0), () => filesPart(source)],
    ];
  }

  function exposurePart(exposure) {
    return parts.section(
      "exposure",
      "Exposure",
      { tools: exposure.url && h("a", { class: "button small", href: exposure.url }, icon("external"), "Open it") },
      parts.facts([
        ["Kind", exposure.kind],
        ["Maturity", exposure.maturity],
        ["Label", exposure.label],
        ["Address", exposure.url && h("a", { href: exposure.url, class: "mono" }, exposure.url)],
      ]),
    );
  }

  function destinationPart(destination) {
    const tables = destination.tables || [];
    return parts.section(
      "tables",
      "Tables",
      { note: [destination.kind, format.count(tables.length)].filter(Boolean).join(", ") },
      window.c360.table({
        label: "Published tables",
        rows: tables,
        text: (row) => `${row.table} ${nodes[row.node] ? nodes[row.node].name : ""} ${row.mode}`,
        sort: { key: "table" },
        columns: [
          {
            key: "table",
            title: "Table",
            value: (row) => row.table,
            cell: (row) => h("span", { class: "mono" }, row.table),
          },
          {
            key: "node",
            title: "From",
            value: (row) => nodes[row.node] && nodes[row.node].name,
            cell: (row) => nodes[row.node] && parts.nodeLink(nodes[row.node]),
          },
          { key: "mode", title: "Mode", value: (row) => row.mode, cell: (row) => parts.badge(row.mode) },
          {
            key: "status",
            title: "Last publish",
            value: (row) => row.last && row.last.status,
            cell: (row) => (row.last ? parts.status(row.last.status) : h("span", { class: "muted" }, "not yet")),
          },
          {
            key: "rows",
            title: "Rows",
            number: true,
            value: (row) => row.last && row.last.rows,
            cell: (row) => format.count(row.last && row.last.rows),
          },
          {
            key: "seconds",
            title: "Took",
            number: true,
            value: (row) => row.last && row.last.seconds,
            cell: (row) => format.seconds(row.last && row.last.seconds),
          },
          {
            key: "at",
            title: "When",
            value: (row) => row.last && row.last.at,
            cell: (row) => row.last && row.last.at && parts.time(row.last.at),
            className: "fit",
          },
        ],
      }),
    );
  }

  window.c360.specialParts = (node, details) => {
    if (details.source) return sourceParts(details.source);
    if (details.exposure) return [["exposure", "Exposure", 0, () => exposurePart(details.exposure)]];
    if (details.destination) return [["tables", "Tables", 0, () => destinationPart(details.destination)]];
    return [];
  };
})();

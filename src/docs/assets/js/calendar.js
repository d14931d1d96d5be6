"use strict";
// When the files of a source arrived: a square a day, weeks as columns, months as blocks; a day without a file stands out.
(() => {
  const { h, svg, format } = window.c360;
  const day = 86400000;
  const parse = (text) => Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)) - 1, Number(text.slice(8, 10)));
  const print = (at) => new Date(at).toISOString().slice(0, 10);

  /** The months between two days: [[year, month], ...]. */
  function monthsBetween(from, to) {
    const found = [];
    const at = new Date(from);
    at.setUTCDate(1);
    while (at.getTime() <= to && found.length < 120) {
      found.push([at.getUTCFullYear(), at.getUTCMonth()]);
      at.setUTCMonth(at.getUTCMonth() + 1);
    }
    return found;
  }

  function level(bytes, most) {
    if (!most) return 3;
    return 1 + Math.min(3, Math.floor((bytes / most) * 3.999));
  }

  function drawMonth([year, month], info) {
    const { size } = info;
    const first = Date.UTC(year, month, 1);
    const count = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
    const lead = (new Date(first).getUTCDay() + 6) % 7;
    const columns = Math.ceil((lead + count) / 7);
    const cells = [];
    const seen = { files: 0, missing: 0 };
    for (let d = 0; d < count; d += 1) {
      const text = print(first + d * day);
      const at = first + d * day;
      const files = info.days.get(text);
      const missing = info.missing.has(text);
      const outside = at < info.from || at > info.to;
      const name = missing ? "missing" : files ? `l${level(files[2], info.most)}` : outside ? "outside" : "none";
      if (missing) seen.missing += 1;
      if (files) seen.files += 1;
      const words = missing
        ? `${format.date(text)}: no file`
        : files
          ? `${format.date(text)}: ${format.plural(files[1], "file")}, ${format.bytes(files[2])}`
          : format.date(text);
      const x = Math.floor((lead + d) / 7) * (size + 3);
      const y = ((lead + d) % 7) * (size + 3);
      cells.push(
        svg(
          "g",
          { class: `day ${name}`, "data-day": text },
          svg("title", {}, words),
          svg("rect", { x: x + 0.5, y: y + 0.5, width: size, height: size, rx: size > 20 ? 5 : 3 }),
          size > 20
            ? svg("text", { x: x + size / 2 + 0.5, y: y + size / 2 + 4 }, d + 1)
            : missing && svg("path", { d: `M${x + 4} ${y + 4}l6 6m0-6l-6 6` }),
        ),
      );
    }
    const width = columns * (size + 3);
    const label = `${format.months[month]} ${year}`;
    return h(
      "figure",
      { class: "month" },
      h("figcaption", {}, label),
      svg(
        "svg",
        {
          viewBox: `0 0 ${width} ${7 * (size + 3)}`,
          width,
          height: 7 * (size + 3),
          role: "img",
          "aria-label": `${label}: ${format.plural(seen.files, "day")} with files, ${seen.missing} missing`,
        },
        cells,
      ),
    );
  }

  /** The calendar of a source's data. */
  function calendar(source) {
    const days = new Map((source.days || []).map((entry) => [entry[0], entry]));
    const all = [...days.keys(), ...(source.missing || [])].sort();
    if (all.length === 0) return null;
    const from = parse(source.from || all[0]);
    const to = parse(source.to || all[all.length - 1]);
    const months = monthsBetween(from, to);
    const info = {
      days,
      // A few months have room for the numbers of their days.
      size: months.length <= 4 ? 26 : 13,
      missing: new Set(source.missing || []),
      from,
      to,
      most: Math.max(...[...days.values()].map((entry) => entry[2] || 0)),
    };
    return h(
      "div",
      { class: "calendar" },
      h(
        "div",
        { class: "months" },
        months.map((month) => drawMonth(month, info)),
      ),
      h(
        "p",
        { class: "calendar-key" },
        h("span", { class: "swatch missing" }),
        "no file",
        h("span", { class: "swatch l1" }),
        h("span", { class: "swatch l2" }),
        h("span", { class: "swatch l3" }),
        h("span", { class: "swatch l4" }),
        "fewer to more bytes",
      ),
    );
  }

  Object.assign(window.c360, { calendar });
})();

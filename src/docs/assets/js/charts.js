"use strict";
// Small drawings of numbers, as SVG with a text for those who cannot see them.
(() => {
  const { h, svg, format, model } = window.c360;

  /** The shape of a column's values. */
  function histogram(profile, { width = 132, height = 24 } = {}) {
    const { edges, counts } = profile.histogram;
    const most = Math.max(...counts) || 1;
    const step = width / counts.length;
    const words = `${counts.length} bins from ${format.value(edges[0])} to ${format.value(edges[edges.length - 1])}`;
    return svg(
      "svg",
      { class: "histogram", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": words },
      svg("title", {}, words),
      counts.map((n, i) => {
        const tall = n === 0 ? 0 : Math.max(1.5, (n / most) * (height - 1));
        return svg(
          "g",
          {},
          svg("title", {}, `${format.value(edges[i])} to ${format.value(edges[i + 1])}: ${format.count(n)}`),
          svg("rect", { class: "hit", x: i * step, y: 0, width: step, height }),
          svg("rect", {
            class: "bin",
            x: i * step + 0.5,
            y: height - tall,
            width: Math.max(0.5, step - 1),
            height: tall,
            rx: Math.min(1, step / 4),
          }),
        );
      }),
      svg("line", { class: "base", x1: 0, x2: width, y1: height - 0.25, y2: height - 0.25 }),
    );
  }

  /** The most frequent values of a column that has few: one bar, cut by share. */
  function shares(profile, { width = 132, height = 16 } = {}) {
    const total = profile.rows || profile.top.reduce((sum, [, n]) => sum + n, 0) || 1;
    let at = 0;
    const words = profile.top
      .slice(0, 5)
      .map(([text, n]) => `${text} ${format.percent(n / total)}`)
      .join(", ");
    return svg(
      "svg",
      { class: "shares", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": words },
      profile.top.slice(0, 8).map(([text, n], i) => {
        const wide = (n / total) * width;
        const x = at;
        at += wide;
        return svg(
          "g",
          {},
          svg("title", {}, `${text}: ${format.count(n)} (${format.percent(n / total)})`),
          svg("rect", {
            class: `share s${i}`,
            x: x + 0.5,
            y: height / 2 - 4,
            width: Math.max(0.75, wide - 1),
            height: 8,
            rx: 1.5,
          }),
        );
      }),
    );
  }

  /** A round number a little above. */
  function above(most) {
    if (most <= 0) return 1;
    const size = 10 ** Math.floor(Math.log10(most));
    return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((step) => step * size).find((limit) => limit >= most) || most;
  }

  /**
   * One measure over time: bars coloured by status, or a line. `points` are oldest first: {at, value, status, note}.
   */
  function series(title, points, { text, kind = "bars" }) {
    const known = points.filter((point) => point.value !== undefined && point.value !== null);
    if (known.length === 0) return null;
    const width = 320;
    const height = 92;
    const left = 2;
    const bottom = 16;
    const top = 8;
    const limit = above(Math.max(...known.map((point) => point.value)));
    const room = width - left * 2;
    const slots = Math.max(points.length, 12);
    const step = room / slots;
    const from = width - left - step * points.length;
    const y = (value) => top + (height - top - bottom) * (1 - value / limit);
    const x = (i) => from + i * step;
    const last = known[known.length - 1];
    // Runs of one day differ by their time.
    const isOneDay = format.date(points[0].at) === format.date(points[points.length - 1].at);
    const label = (at) => (isOneDay ? format.time(at).split(", ").pop() : format.date(at));
    const words = `${title}, ${points.length} runs, last ${text(last.value)}`;
    const drawing = svg("svg", {
      class: `series ${kind}`,
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      "aria-label": words,
    });
    for (const share of [0, 0.5, 1]) {
      drawing.append(svg("line", { class: "grid", x1: 0, x2: width, y1: y(limit * share), y2: y(limit * share) }));
    }
    if (kind === "line") {
      const path = points
        .map((point, i) => ({ ...point, i }))
        .filter((point) => point.value !== undefined && point.value !== null)
        .map((point, i) => `${i === 0 ? "M" : "L"}${(x(point.i) + step / 2).toFixed(1)} ${y(point.value).toFixed(1)}`);
      drawing.append(svg("path", { class: "trace", d: path.join("") }));
    }
    points.forEach((point, i) => {
      if (point.value === undefined || point.value === null) return;
      const mark =
        kind === "line"
          ? svg("circle", {
              class: `point ${i === points.length - 1 ? "last" : ""}`,
              cx: x(i) + step / 2,
              cy: y(point.value),
              r: points.length > 40 ? 1.2 : 2,
            })
          : svg("rect", {
              class: `point ${model.tone(point.status)}`,
              x: x(i) + Math.min(1, step * 0.12),
              y: y(point.value),
              width: Math.max(1, step - Math.min(2, step * 0.24)),
              height: Math.max(1, y(0) - y(point.value)),
              rx: Math.min(1.5, step / 4),
            });
      drawing.append(
        svg(
          "g",
          { class: "slot" },
          svg("title", {}, `${format.time(point.at)}: ${text(point.value)}${point.status ? `, ${point.status}` : ""}`),
          svg("rect", { class: "hit", x: x(i), y: 0, width: step, height: height - bottom }),
          mark,
        ),
      );
    });
    drawing.append(
      svg("text", { class: "axis", x: Math.max(0, from), y: height - 3 }, label(points[0].at)),
      svg("text", { class: "axis end", x: width, y: height - 3 }, label(points[points.length - 1].at)),
    );
    return h(
      "figure",
      { class: "chart" },
      h(
        "figcaption",
        {},
        h("span", {}, title),
        h("strong", {}, text(last.value)),
        h("small", {}, `up to ${text(limit)}`),
      ),
      drawing,
    );
  }

  Object.assign(window.c360, { charts: { histogram, shares, series } });
})();

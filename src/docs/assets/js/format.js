"use strict";
// Numbers, sizes and times as a person reads them.
(() => {
  const whole = new Intl.NumberFormat("en");
  const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
  const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

  /** 12,345 */
  const count = (n) => (n === undefined || n === null ? "–" : whole.format(n));
  /** 12.3K */
  const compact = (n) => (n === undefined || n === null ? "–" : n < 10000 ? count(n) : short.format(n));
  /** "1 row", "2 rows" */
  const plural = (n, one, many) => `${count(n)} ${n === 1 ? one : many || `${one}s`}`;

  /** 1.3 MB */
  function bytes(n) {
    if (n === undefined || n === null) return "–";
    const units = ["B", "KB", "MB", "GB", "TB", "PB"];
    let unit = 0;
    while (n >= 1000 && unit < units.length - 1) {
      n /= 1024;
      unit += 1;
    }
    return `${unit === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${units[unit]}`;
  }

  /** 85 ms, 1.24 s, 3 min 12 s, 2 h 5 min */
  function seconds(s) {
    if (s === undefined || s === null) return "–";
    if (s < 0.0005) return "0 ms";
    if (s < 1) return `${Math.max(1, Math.round(s * 1000))} ms`;
    if (s < 10) return `${s.toFixed(2)} s`;
    if (s < 60) return `${s.toFixed(1)} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`;
    return `${Math.floor(s / 3600)} h ${Math.round((s % 3600) / 60)} min`;
  }

  /** 12.3 % with as many digits as mean something. */
  function percent(share) {
    if (share === undefined || share === null || Number.isNaN(share)) return "–";
    const p = share * 100;
    if (p === 0 || p === 100) return `${p}%`;
    if (p < 0.1) return "<0.1%";
    if (p > 99.9) return ">99.9%";
    return `${p < 10 ? p.toFixed(1) : Math.round(p)}%`;
  }

  const pad = (n) => String(n).padStart(2, "0");

  /** 22 Nov 2026, 10:04 (the reader's own time zone) */
  function time(text) {
    const at = new Date(text);
    if (!text || Number.isNaN(at.getTime())) return text || "–";
    return `${at.getDate()} ${months[at.getMonth()]} ${at.getFullYear()}, ${pad(at.getHours())}:${pad(at.getMinutes())}`;
  }

  /** 1 Apr 2022 (a date without a time has no zone) */
  function date(text) {
    const parts = /^(\d{4})-(\d\d)-(\d\d)/.exec(text || "");
    return parts ? `${Number(parts[3])} ${months[Number(parts[2]) - 1]} ${parts[1]}` : text || "–";
  }

  /** 3 hours ago */
  function ago(text, now = Date.now()) {
    const s = (now - new Date(text).getTime()) / 1000;
    if (!text || Number.isNaN(s)) return "–";
    const steps = [
      [60, 1, "second"],
      [3600, 60, "minute"],
      [86400, 3600, "hour"],
      [86400 * 45, 86400, "day"],
      [86400 * 545, 86400 * 30.44, "month"],
      [Infinity, 86400 * 365.25, "year"],
    ];
    if (s < 0) return time(text);
    if (s < 45) return "just now";
    const [, size, name] = steps.find(([limit]) => s < limit);
    return `${plural(Math.max(1, Math.round(s / size)), name)} ago`;
  }

  /** A number of a profile: as short as it can be without telling something else. */
  function value(v) {
    if (typeof v !== "number") return v === undefined || v === null ? "–" : String(v);
    if (Number.isInteger(v)) return count(v);
    const size = Math.abs(v);
    return size >= 1000 ? count(Math.round(v * 10) / 10) : String(Number(v.toPrecision(4)));
  }

  Object.assign(window.c360, {
    format: { count, compact, plural, bytes, seconds, percent, time, date, ago, value, months },
  });
})();

"use strict";
// dbt's selector syntax over the nodes of the index. Blanks are unions, commas are intersections, a term is
// `[@][N+][method[.argument]:]value[+N]`; `exclude:` before a term takes it away. The same rules as the command line's,
// but for two methods of ours (`owner:`, `column:`) and those that need more than the docs have (`state:` and its kin).
(() => {
  const { model } = window.c360;
  const { nodes } = model;

  /** Python's fnmatch: `*`, `?`, `[a-z]`, `[!a]`. */
  function pattern(text) {
    let source = "";
    for (let i = 0; i < text.length; i += 1) {
      const c = text[i];
      const end = c === "[" ? text.indexOf("]", i + 2) : -1;
      if (c === "*") source += "[^]*";
      else if (c === "?") source += "[^]";
      else if (end > 0) {
        const inside = text.slice(i + 1, end).replace(/[\\\]^]/g, "\\$&");
        source += `[${inside[0] === "!" ? `^${inside.slice(1)}` : inside}]`;
        i = end;
      } else source += c.replace(/[.+^${}()|\\[\]/-]/g, "\\$&");
    }
    try {
      const regex = new RegExp(`^${source}$`);
      return (value) => value !== undefined && value !== null && regex.test(String(value));
    } catch {
      return (value) => value === text;
    }
  }
  const hasWildcard = (text) => /[*?[]/.test(text);

  /** A path's glob: `*` stays within a folder, `**` runs over folders. */
  function pathGlob(text) {
    const parts = text.replace(/^\.\//, "").replace(/\/+$/, "").split("/").filter(Boolean);
    const matchers = parts.map((part) => (part === "**" ? null : pattern(part)));
    const fits = (names, i = 0, j = 0) => {
      if (j === matchers.length) return i === names.length;
      if (matchers[j] === null) return fits(names, i, j + 1) || (i < names.length && fits(names, i + 1, j));
      return i < names.length && matchers[j](names[i]) && fits(names, i + 1, j + 1);
    };
    return (path) => {
      const names = String(path || "").split("/");
      // A folder stands for all below it.
      for (let length = names.length; length >= 0; length -= 1) if (fits(names.slice(0, length))) return true;
      return false;
    };
  }

  /** A bare word: a name, or a prefix of the node's place in the project. */
  function fqnMatcher(text) {
    const parts = text.split(".");
    const plain = parts.findIndex(hasWildcard);
    const rest = plain >= 0 ? pattern(parts.slice(plain).join(".")) : null;
    const fixed = plain >= 0 ? parts.slice(0, plain) : parts;
    const from = (fqn, versioned) => {
      if (fqn.length === 0) return false;
      const last = fqn[fqn.length - 1];
      if (versioned && (fqn[fqn.length - 2] === text || `${fqn[fqn.length - 2]}_${last}` === parts.slice(-2).join("_")))
        return true;
      if (last === text) return true;
      const flat = fqn.flatMap((part) => part.split("."));
      if (flat.length < parts.length || fixed.some((part, i) => flat[i] !== part)) return false;
      if (!rest) return true;
      const name = fqn[fqn.length - (versioned ? 2 : 1)];
      return rest(flat.slice(fixed.length).join(".")) || (parts.length === 1 && rest(name));
    };
    return (node) => {
      const fqn = node.fqn || [node.name];
      return from(fqn, node.version !== undefined) || from(fqn.slice(1), node.version !== undefined);
    };
  }

  function sourceMatcher(value) {
    const parts = value.split(".");
    if (parts.length > 3)
      throw new Error(`“${value}” names no source: write source, source.table or package.source.table`);
    const [table, source, packageName] =
      parts.length === 1
        ? ["*", parts[0], "*"]
        : [parts[parts.length - 1], parts[parts.length - 2], parts[parts.length - 3] || "*"];
    const fits = [pattern(packageName), pattern(source), pattern(table)];
    return (node) =>
      node.type === "source" && fits[0](node.package) && fits[1](node.sourceName) && fits[2](node.short || node.name);
  }

  function qualified(type, value) {
    const parts = value.split(".");
    const name = pattern(parts[parts.length - 1]);
    const packageName = parts.length > 1 ? pattern(parts[parts.length - 2]) : () => true;
    return (node) =>
      node.type === type && (name(node.short || node.name) || name(node.name)) && packageName(node.package);
  }

  /** The values of a setting: the items of a list, which comes as JSON text, or the one there is. */
  function valuesOf(own) {
    if (typeof own !== "string" || !own.startsWith("[")) return [String(own)];
    try {
      return JSON.parse(own).map(String);
    } catch {
      return [own];
    }
  }

  function configMatcher(keys, value) {
    const key = keys
      .join(".")
      .replace(/^pre-hook$/, "pre_hook")
      .replace(/^post-hook$/, "post_hook");
    if (key === "") throw new Error("write config.KEY:VALUE, such as config.materialized:table");
    return (node) => {
      if (key === "materialized" && node.materialized !== undefined) return node.materialized === value;
      // What is in the docs is enabled, also where nobody says so.
      if (key === "enabled") return !["exposure", "destination"].includes(node.type) && value.toLowerCase() === "true";
      const settings = node.config === undefined ? [] : model.configs[node.config];
      return settings.some(
        ([name, own]) =>
          name === key &&
          valuesOf(own).some(
            (item) => item === value || (item === "true" || item === "false" ? item === value.toLowerCase() : false),
          ),
      );
    };
  }

  function typeMatcher(value) {
    const known = [...Object.keys(model.types), "test", "unit_test"];
    if (!known.includes(value))
      throw new Error(`there is no resource type “${value}”; it is one of ${known.join(", ")}`);
    return (node) => node.type === value;
  }

  const basename = (path) =>
    String(path || "")
      .split("/")
      .pop();
  const methods = {
    fqn: (value) => {
      const fits = fqnMatcher(value);
      return (node) => node.type !== "source" && fits(node);
    },
    tag: (value) => {
      const fits = pattern(value);
      return (node) => (node.tags || []).some(fits);
    },
    group: (value) => {
      const fits = pattern(value);
      return (node) => fits(node.group);
    },
    access: (value) => (node) => node.type === "model" && (node.access || "protected") === value,
    owner: (value) => {
      const fits = pattern(value.toLowerCase());
      return (node) => node.owner !== undefined && fits(node.owner.toLowerCase());
    },
    source: sourceMatcher,
    exposure: (value) => qualified("exposure", value),
    destination: (value) => qualified("destination", value),
    path: (value) => {
      const fits = pathGlob(value);
      return (node) => fits(node.path);
    },
    file: (value) => {
      const fits = pattern(value);
      return (node) => fits(basename(node.path)) || fits(basename(node.path).replace(/\.[^.]*$/, ""));
    },
    package: (value) => {
      const fits = pattern(value === "this" ? model.project.name : value);
      return (node) => fits(node.package);
    },
    config: (value, keys) => configMatcher(keys, value),
    resource_type: typeMatcher,
    type: typeMatcher,
    version: (value) => (node) =>
      value !== "none" ? node.version === value : node.type === "model" && node.version === undefined,
    result: (value) => (node) => node.status === value || Boolean((node.tests || {})[value]),
  };
  const elsewhere = [
    "state",
    "source_status",
    "selector",
    "test_name",
    "test_type",
    "unit_test",
    "metric",
    "semantic_model",
    "saved_query",
  ];

  /** The nearest known word, if it is near. */
  function closest(word, known) {
    // Steps from one word to the other: a letter more, less, other, or two swapped.
    const distance = (a, b) => {
      let [older, old] = [[], Array.from({ length: b.length + 1 }, (_, i) => i)];
      for (let i = 1; i <= a.length; i += 1) {
        const row = [i];
        for (let j = 1; j <= b.length; j += 1) {
          row[j] = Math.min(old[j] + 1, row[j - 1] + 1, old[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
          if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
            row[j] = Math.min(row[j], older[j - 2] + 1);
        }
        [older, old] = [old, row];
      }
      return old[b.length];
    };
    let best = null;
    let least = Math.max(1, Math.floor(word.length / 3)) + 1;
    for (const other of known) {
      if (Math.abs(other.length - word.length) >= least) continue;
      const d = distance(word.toLowerCase(), other.toLowerCase());
      if (d < least) [best, least] = [other, d];
    }
    return best;
  }

  /** `2+method.argument:value+3` as parts. */
  function readTerm(text) {
    let rest = text;
    const at = rest.startsWith("@");
    if (at) rest = rest.slice(1);
    const before = /^(\d*)\+/.exec(rest);
    if (before) rest = rest.slice(before[0].length);
    const named = /^([\p{L}\p{N}_.]+):([^]*)$/u.exec(rest);
    let value = named ? named[2] : rest;
    const after = /\+(\d*)$/.exec(value);
    if (after) value = value.slice(0, -after[0].length);
    if (at && after) throw new Error("@ before and + behind do not go together: @ includes the children already");
    const steps = (found) => (found ? (found[1] === "" ? Infinity : Number(found[1])) : 0);
    let method = "fqn";
    let keys = [];
    if (named) [method, ...keys] = named[1].split(".");
    else if (value.includes("/")) method = "path";
    else if (/\.(sql|py|csv)$/i.test(value)) method = "file";
    return { text, at, up: steps(before), down: steps(after), method, keys, value };
  }

  function matcher(term) {
    if (Object.hasOwn(methods, term.method)) return methods[term.method](term.value, term.keys);
    if (elsewhere.includes(term.method))
      throw new Error(`${term.method}: works on the command line; these pages do not have what it needs`);
    const near = closest(term.method, Object.keys(methods));
    throw new Error(`there is no selection method “${term.method}”${near ? `; ${near} was probably meant` : ""}`);
  }

  function spread(found, next, depth, into) {
    if (depth <= 0) return;
    let edge = [...found];
    const seen = new Set(found);
    for (let step = 0; step < depth && edge.length > 0; step += 1) {
      const after = [];
      for (const n of edge) {
        for (const other of nodes[n][next]) {
          if (!seen.has(other)) {
            seen.add(other);
            into.add(other);
            after.push(other);
          }
        }
      }
      edge = after;
    }
  }

  function hint(term) {
    if (term.method === "fqn") {
      const source = nodes.find(
        (node) => node.type === "source" && (node.name === term.value || node.short === term.value),
      );
      if (source) return `sources are selected with source:${source.name}`;
      const near = closest(
        term.value,
        nodes.filter((node) => node.type !== "source").map((node) => node.short || node.name),
      );
      if (near) return `${near} was probably meant`;
    }
    return null;
  }

  function evaluateTerm(term, problems) {
    const found = new Set();
    if (term.method === "column") {
      for (const n of window.c360.columns.selected(term.value, term.up, term.down)) found.add(n);
    } else {
      const fits = matcher(term);
      for (const node of nodes) if (fits(node)) found.add(node.n);
    }
    if (found.size === 0) {
      const help = hint(term);
      problems.push(`“${term.text}” matches nothing${help ? `: ${help}` : ""}`);
    }
    if (term.method === "column") return found;
    const all = new Set(found);
    spread(found, "parents", term.up, all);
    spread(found, "children", term.at ? Infinity : term.down, all);
    // A destination is no node of the command line: what else is published there is not needed to build this.
    if (term.at)
      spread(
        [...all].filter((n) => nodes[n].type !== "destination"),
        "parents",
        Infinity,
        all,
      );
    return all;
  }

  function evaluate(text, problems) {
    const union = new Set();
    const without = new Set();
    let any = false;
    for (const word of text.split(/\s+/).filter(Boolean)) {
      const excluded = word.startsWith("exclude:");
      const terms = (excluded ? word.slice(8) : word).split(",").map(readTerm);
      let common = null;
      for (const term of terms) {
        const found = evaluateTerm(term, problems);
        common = common === null ? found : new Set([...common].filter((n) => found.has(n)));
      }
      if (!excluded) any = true;
      for (const n of common) (excluded ? without : union).add(n);
    }
    const chosen = any ? union : new Set(nodes.map((node) => node.n));
    for (const n of without) chosen.delete(n);
    return chosen;
  }

  /** Does a selection need the lineage of columns? */
  const needsColumns = (text) => /(^|[\s,@+])(\d*\+)?column:/.test(text || "");

  /** {chosen: Set of n, problem: text?}: what `select` without `exclude` means. Nothing in `select` is everything. */
  function select(text, exclude = "") {
    const problems = [];
    try {
      const chosen = evaluate(text || "", problems);
      if ((exclude || "").trim()) for (const n of evaluate(exclude, problems)) chosen.delete(n);
      return { chosen, problem: problems[0] };
    } catch (error) {
      return { chosen: null, problem: error.message };
    }
  }

  Object.assign(window.c360, { select, needsColumns, selectMethods: Object.keys(methods).concat("column") });
})();

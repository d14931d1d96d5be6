"use strict";
// The project's folders and files, in the side bar: a folder draws what it holds when it is opened first.
(() => {
  const { h, icon, model } = window.c360;
  const { project, nodes } = model;
  const side = document.getElementById("side");

  /** Folders and files of the project, as deep as they are. */
  function build() {
    const root = { folders: new Map(), nodes: [] };
    for (const node of nodes) {
      if (["exposure", "destination", "source"].includes(node.type)) continue;
      const folders = node.package === project.name ? [] : [node.package];
      folders.push(
        ...String(node.path || "")
          .split("/")
          .slice(0, -1),
      );
      let at = root;
      for (const folder of folders) {
        if (!at.folders.has(folder)) at.folders.set(folder, { folders: new Map(), nodes: [] });
        at = at.folders.get(folder);
      }
      at.nodes.push(node);
    }
    const sources = nodes.filter((node) => node.type === "source");
    for (const node of sources) {
      const name = "sources";
      if (!root.folders.has(name)) root.folders.set(name, { folders: new Map(), nodes: [] });
      const inside = root.folders.get(name).folders;
      if (!inside.has(node.sourceName)) inside.set(node.sourceName, { folders: new Map(), nodes: [] });
      inside.get(node.sourceName).nodes.push(node);
    }
    return root;
  }

  function drawTree(folder, deep) {
    const items = [...folder.folders]
      .sort((a, b) => a[0].localeCompare(b[0]))
      .map(([name, inside]) => {
        const list = h("ul", {});
        const isOpen = deep === 0 && nodes.length < 60;
        const details = h(
          "details",
          { open: isOpen },
          h("summary", {}, icon("right"), icon("folder"), h("span", {}, name)),
          list,
        );
        const build = () => list.childElementCount === 0 && list.append(...drawTree(inside, deep + 1));
        if (isOpen) build();
        details.addEventListener("toggle", () => details.open && build());
        return h("li", { "data-folder": name }, details);
      });
    const leaves = folder.nodes
      .sort((a, b) => a.name.localeCompare(b.name))
      .map((node) => {
        const tone = model.health(node);
        return h(
          "li",
          {},
          h(
            "a",
            { href: model.hrefs.node(node), "data-node": node.id, title: node.id },
            icon(node.type, `t-${node.type}`),
            h("span", { class: "mono" }, node.short || node.name),
            ["bad", "warn"].includes(tone) && h("i", { class: `dot ${tone}`, "aria-hidden": "true" }),
          ),
        );
      });
    return items.concat(leaves);
  }

  const root = build();

  /** Opens the folders down to a node and marks it. */
  function showInTree(node) {
    for (const link of side.querySelectorAll(".tree [aria-current]")) link.removeAttribute("aria-current");
    if (!node || ["exposure", "destination"].includes(node.type)) return;
    const folders =
      node.type === "source"
        ? ["sources", node.sourceName]
        : [
            ...(node.package === project.name ? [] : [node.package]),
            ...String(node.path || "")
              .split("/")
              .slice(0, -1),
          ];
    let at = side.querySelector(".tree");
    for (const folder of folders) {
      const item = [...at.children].find((child) => child.dataset.folder === folder);
      if (!item) return;
      const details = item.firstElementChild;
      if (!details.open) {
        details.open = true;
        const inside = folderAt(folders.slice(0, folders.indexOf(folder) + 1));
        const list = details.querySelector("ul");
        if (inside && list.childElementCount === 0) list.append(...drawTree(inside, 1));
      }
      at = details.querySelector("ul");
    }
    const link = [...at.querySelectorAll("a")].find((other) => other.dataset.node === node.id);
    if (!link) return;
    link.setAttribute("aria-current", "page");
    const box = link.getBoundingClientRect();
    const frame = side.querySelector(".side-scroll").getBoundingClientRect();
    if (box.top < frame.top || box.bottom > frame.bottom) link.scrollIntoView({ block: "center" });
  }

  function folderAt(names) {
    let at = root;
    for (const name of names) at = at && at.folders.get(name);
    return at;
  }

  window.c360.tree = { draw: () => h("ul", { class: "tree" }, drawTree(root, 0)), show: showInTree };
})();

// The board's drawings, made from the tables beside them; without this file the tables are the figures.
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const SVG = "http://www.w3.org/2000/svg";
  const drawn = new WeakMap();

  // A style attribute is inline style to a strict policy; the same text through the object is not.
  const attr = Chartist.Svg.prototype.attr;
  Chartist.Svg.prototype.attr = function (given, namespace) {
    if (given && typeof given === "object" && "style" in given) {
      const { style, ...rest } = given;
      this._node.style.cssText = style;
      given = rest;
    }
    return attr.call(this, given, namespace);
  };

  // Table -> labels and series; each value knows its row's words and its link.
  function read(figure) {
    const rows = all("tbody tr", figure);
    // Bars are laid from the bottom up.
    if (figure.dataset.chart === "bars") rows.reverse();
    const names = all("thead th", figure).slice(1).map((th) => th.textContent);
    const cells = rows.map((row) => all("td", row).filter((cell) => cell.dataset.value));
    const count = Math.max(0, ...cells.map((some) => some.length));
    const series = Array.from({ length: count }, (_, at) => rows.map((row, n) => {
      const cell = cells[n][at], words = row.querySelector("th").textContent;
      const meta = { url: cell.querySelector("a")?.href ?? "", words: `${words} ${names[at]} ${cell.textContent}`, text: cell.textContent };
      return { value: Number(cell.dataset.value), meta };
    }));
    return { labels: rows.map((row) => row.dataset.short), series };
  }

  const whole = (value) => (Number.isInteger(value) ? value.toLocaleString("en") : "");
  const FORMS = {
    columns: (wide) => ({
      stackBars: true, chartPadding: { top: 14, right: 6, bottom: 0, left: 0 },
      axisX: { showGrid: false, offset: 22, labelInterpolationFnc: (label, at) => (wide || at % 3 === 0 ? label : null) },
      axisY: { offset: 38, scaleMinSpace: 36, onlyInteger: true, labelInterpolationFnc: whole },
    }),
    bars: () => ({
      horizontalBars: true, chartPadding: { top: 0, right: 44, bottom: 0, left: 0 },
      axisX: { showLabel: false, showGrid: false, offset: 0, onlyInteger: true }, axisY: { offset: 118, showGrid: false },
    }),
  };

  function link(node, meta) {
    const anchor = document.createElementNS(SVG, "a");
    anchor.setAttribute("href", meta.url);
    anchor.setAttribute("aria-label", meta.words);
    const title = document.createElementNS(SVG, "title");
    title.textContent = meta.words;
    node.replaceWith(anchor);
    anchor.append(title, node);
  }

  function draw(figure) {
    const box = figure.querySelector(".drawing"), data = read(figure), { chart: form } = figure.dataset;
    if (!box || !data.labels.length) return;
    const isBars = form === "bars";
    if (isBars) box.style.height = `${Math.max(3, data.labels.length * 1.75)}rem`;
    const options = FORMS[form](box.clientWidth / data.labels.length > 26);
    const chart = new Chartist.BarChart(box, data, options);
    chart.on("draw", (mark) => {
      if (mark.type !== "bar") return;
      const node = mark.element.getNode(), room = mark.chartRect.width() / data.labels.length;
      if (!mark.meta || !mark.series[mark.index].value) return node.remove();
      if (!isBars) node.style.strokeWidth = `${Math.max(4, Math.min(28, room * 0.62))}px`;
      if (isBars) mark.group.elem("text", { x: mark.x2 + 6, y: mark.y2 }, "ct-value").text(mark.meta.text);
      if (mark.meta.url) link(node, mark.meta);
    });
    drawn.set(figure, chart);
  }

  const drawAll = (root) => { for (const figure of all(".figure[data-chart]", root)) if (!drawn.has(figure)) draw(figure); };
  document.addEventListener("DOMContentLoaded", () => drawAll(document));
  document.addEventListener("htmx:load", (event) => drawAll(event.detail.elt));
  // What was hidden while its window changed is drawn anew when it comes back.
  document.addEventListener("change", (event) => {
    const figure = event.target.closest(".as-table") && event.target.closest(".figure");
    if (figure) drawn.get(figure)?.update();
  });

  const isTyping = (target) => target.closest("input:not([type=checkbox]), textarea, select, dialog[open]");
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (event.key === "t") for (const box of all(".as-table input")) box.click();
    else document.querySelector(`[data-period="${CSS.escape(event.key)}"]`)?.click();
  });
})();

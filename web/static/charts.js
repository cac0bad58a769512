// Draws the charts of a page: each from the table beside it, so that what is drawn and what is read are the same.
"use strict";

(() => {
  const charts = [];
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const valueOf = (cell) => (cell.dataset.value === undefined ? null : Number(cell.dataset.value)); // null: not measured

  function read(table) {
    const heads = [...table.tHead.rows[0].cells].slice(1).map((cell) => ({ name: cell.textContent.trim(), colour: cell.dataset.colour }));
    const rows = [...table.tBodies[0].rows].reverse(); // the table begins with today, the chart ends with it
    return {
      labels: rows.map((row) => row.cells[0].textContent.trim()),
      series: heads.filter((head) => head.colour).map((head) => {
        const column = heads.indexOf(head) + 1;
        return { ...head, values: rows.map((row) => valueOf(row.cells[column])) };
      }),
    };
  }

  function describe(data, place) {
    return (points) => {
      const box = document.createElement("div");
      box.className = "tip";
      const title = document.createElement("b");
      title.textContent = points[0].axisValueLabel;
      box.append(title);
      for (const point of points.filter((p) => p.value)) {
        const line = document.createElement("div");
        line.textContent = `${point.seriesName} ${point.value} ${place.dataset.fractions === undefined ? "" : place.dataset.unit}`.trim();
        box.append(line);
      }
      if (data.series.every((s) => !s.values[points[0].dataIndex])) box.append(" 0");
      return box;
    };
  }

  function draw(place) {
    const data = read(document.getElementById(place.dataset.chartOf));
    const chart = echarts.init(place, null, { renderer: "canvas" });
    const ink = colour("--ink-2");
    const isCounted = place.dataset.fractions === undefined; // what is counted stands in the heading
    const font = getComputedStyle(document.body).fontFamily;
    chart.setOption({
      animation: false,
      textStyle: { fontFamily: font, color: ink },
      grid: { left: 4, right: 8, top: place.dataset.lines === undefined ? 34 : 52, bottom: 2, containLabel: true },
      legend: { top: 0, left: 0, itemWidth: 10, itemHeight: 10, itemGap: 14, icon: "roundRect", textStyle: { color: ink, fontSize: 12 } },
      tooltip: {
        trigger: "axis", axisPointer: { type: "shadow" }, formatter: describe(data, place), renderMode: "html", confine: true,
        backgroundColor: colour("--surface"), borderColor: colour("--line"), textStyle: { color: colour("--ink"), fontSize: 12 },
      },
      xAxis: {
        type: "category", data: data.labels, axisTick: { show: false }, axisLine: { lineStyle: { color: colour("--line-strong") } },
        axisLabel: { color: ink, fontSize: 11, hideOverlap: true, formatter: (label) => (label.length > 7 ? label.slice(5) : label) },
      },
      yAxis: {
        type: "value", show: true, minInterval: isCounted ? 1 : undefined, splitNumber: 3,
        axisLabel: { color: ink, fontSize: 11, formatter: (value) => (isCounted ? String(value) : `${value} ${place.dataset.unit}`) }, splitLine: { lineStyle: { color: colour("--line") } },
      },
      series: data.series.map((s) => ({
        ...(place.dataset.lines === undefined ? { type: "bar" } : { type: "line", showSymbol: s.values.length < 3 }),
        name: s.name, stack: place.dataset.beside === undefined && place.dataset.lines === undefined ? "all" : undefined, data: s.values, barMaxWidth: 22, lineStyle: { width: 1.5 }, itemStyle: { color: colour(s.colour) },
      })),
    });
    charts.push(chart);
  }

  function redrawAll() {
    for (const chart of charts.splice(0)) chart.dispose();
    for (const place of document.querySelectorAll("[data-chart-of]")) if (!place.hidden) draw(place);
  }

  window.addEventListener("resize", () => charts.forEach((chart) => chart.resize()));
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
  document.addEventListener("htmx:afterSettle", redrawAll);
  redrawAll();
})();

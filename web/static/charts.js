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

  const number = (value) => new Intl.NumberFormat(document.documentElement.lang, { maximumSignificantDigits: 4 }).format(value);
  const rowsOf = (table) => [...table.tBodies[0].rows];
  const nameOf = (row) => row.cells[0].textContent.trim();
  const leadsTo = (row) => row.dataset.href ?? row.querySelector("a")?.href;

  // What every kind has: quiet axes in the page's ink, a tip of plain text.
  // Names of devices differ at their ends, names of exams at their beginnings: a long one keeps both.
  const shortened = (length) => (name) => (name.length > length ? `${name.slice(0, Math.ceil(length / 2) - 1)}…${name.slice(-Math.floor(length / 2))}` : name);

  function frame(place, said) {
    const ink = colour("--ink-2");
    const named = (name, gap) => ({ name, nameLocation: "middle", nameGap: gap, nameTextStyle: { color: ink, fontSize: 11 } });
    return {
      ink, named,
      axis: {
        axisTick: { show: false }, axisLine: { lineStyle: { color: colour("--line-strong") } },
        axisLabel: { color: ink, fontSize: 11, hideOverlap: true }, splitLine: { lineStyle: { color: colour("--line") } },
      },
      common: {
        animation: false,
        textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: ink },
        tooltip: {
          trigger: "item", renderMode: "html", confine: true, backgroundColor: colour("--surface"), borderColor: colour("--line"),
          textStyle: { color: colour("--ink"), fontSize: 12 },
          formatter: (point) => {
            const box = document.createElement("div");
            box.className = "tip";
            for (const line of said(point)) box.append(Object.assign(document.createElement("div"), { textContent: line }));
            return box;
          },
        },
      },
    };
  }

  function histogram(place, table) {
    const rows = rowsOf(table);
    const { common, axis, named } = frame(place, (point) => [`${nameOf(rows[point.dataIndex])} ${place.dataset.unit}`, `n = ${number(point.value)}`]);
    return {
      ...common,
      grid: { left: 38, right: 12, top: 10, bottom: 22, containLabel: true },
      xAxis: { type: "category", data: rows.map(nameOf), ...axis, splitLine: { show: false }, ...named(place.dataset.x, 28) },
      yAxis: { type: "value", minInterval: 1, splitNumber: 4, ...axis, ...named(place.dataset.y, 34) },
      series: [{ type: "bar", barCategoryGap: "4%", data: rows.map((row) => valueOf(row.cells[1])), itemStyle: { color: colour("--c1") } }],
    };
  }

  const BOX = ["p5", "p25", "median", "p75", "p95"];
  const BOXES_SHOWN = 30; // more would have no room for their names

  function box(place, table) {
    const heads = [...table.tHead.rows[0].cells];
    const columns = BOX.map((part) => heads.findIndex((head) => head.dataset.part === part));
    const rows = rowsOf(table).slice(0, BOXES_SHOWN).reverse(); // an axis of names begins below
    const { common, axis, named } = frame(place, (point) => [
      nameOf(rows[point.dataIndex]), `n = ${rows[point.dataIndex].querySelector("[data-n]").dataset.n}`,
      ...columns.map((column, place_) => `${heads[column].childNodes[0].textContent.trim()}: ${number(point.value[place_ + 1])} ${place.dataset.unit}`),
    ]);
    place.style.height = `${Math.max(120, 56 + 26 * rows.length)}px`;
    const short = shortened(28);
    return {
      rows,
      option: {
        ...common,
        grid: { left: 8, right: 18, top: 8, bottom: 24, containLabel: true },
        xAxis: { type: "value", ...axis, ...named(place.dataset.y, 28) },
        yAxis: { type: "category", data: rows.map(nameOf), ...axis, axisLabel: { ...axis.axisLabel, formatter: short, hideOverlap: false } },
        series: [{
          type: "boxplot", boxWidth: [6, 14], data: rows.map((row) => columns.map((column) => valueOf(row.cells[column]) ?? NaN)),
          itemStyle: { color: colour("--sunk"), borderColor: colour("--c1"), borderWidth: 1.5 },
        }],
      },
    };
  }

  function bars(place, table) {
    const rows = rowsOf(table).slice(0, BOXES_SHOWN).reverse(); // an axis of names begins below
    const { common, axis, named } = frame(place, (point) => [nameOf(rows[point.dataIndex]), `${number(point.value)} ${place.dataset.unit}`]);
    place.style.height = `${Math.max(120, 56 + 26 * rows.length)}px`;
    const short = shortened(28);
    return {
      ...common,
      grid: { left: 8, right: 18, top: 8, bottom: 24, containLabel: true },
      xAxis: { type: "value", ...axis, ...named(place.dataset.y, 28) },
      yAxis: { type: "category", data: rows.map(nameOf), ...axis, axisLabel: { ...axis.axisLabel, formatter: short, hideOverlap: false } },
      series: [{ type: "bar", barMaxWidth: 16, data: rows.map((row) => valueOf(row.cells[1])), itemStyle: { color: colour("--c1") } }],
    };
  }

  function scatter(place, table) {
    const isLog = place.dataset.log !== undefined;
    const rows = rowsOf(table).filter((row) => !isLog || valueOf(row.cells[2]) > 0);
    const { common, axis, named } = frame(place, (point) => [
      nameOf(rows[point.dataIndex]), `${place.dataset.x}: ${number(point.value[0])}`, `${number(point.value[1])} ${place.dataset.unit}`,
    ]);
    return {
      rows,
      option: {
        ...common,
        grid: { left: 52, right: 18, top: 10, bottom: 24, containLabel: true },
        xAxis: { type: "value", scale: true, ...axis, ...named(place.dataset.x, 28) },
        yAxis: { type: isLog ? "log" : "value", ...axis, ...named(place.dataset.y, 50) },
        series: [{
          type: "scatter", symbolSize: 8, data: rows.map((row) => [valueOf(row.cells[1]), valueOf(row.cells[2])]),
          itemStyle: { color: colour("--c1"), opacity: 0.75, borderColor: colour("--surface"), borderWidth: 0.5 },
        }],
      },
    };
  }

  // Squares of every column but those beside; what is counted begins with 1, so that nothing does not look like much.
  function heat(place, table) {
    const rows = rowsOf(table).reverse();
    const heads = [...table.tHead.rows[0].cells];
    const columns = heads.map((_, column) => column).slice(1).filter((column) => heads[column].dataset.beside === undefined);
    const names = columns.map((column) => heads[column].textContent.trim());
    const cells = rows.flatMap((row, y) => columns.map((column, x) => [x, y, valueOf(row.cells[column])])).filter((cell) => cell[2] !== null);
    const { common, axis, ink } = frame(place, (point) => [`${nameOf(rows[point.value[1]])} ${names[point.value[0]]}`, `${number(point.value[2])} ${place.dataset.unit}`]);
    const most = Math.max(0, ...cells.map((cell) => cell[2]));
    const isNamed = place.dataset.named !== undefined; // long names, of which none is left out
    if (isNamed) place.style.height = `${Math.max(160, 110 + 26 * rows.length)}px`;
    const label = (length, rotate) => (isNamed ? { ...axis.axisLabel, hideOverlap: false, interval: 0, rotate, formatter: shortened(length) } : axis.axisLabel);
    const widest = names.length > 4 ? 18 : Math.max(18, Math.floor(place.clientWidth / (9 * names.length)));
    return {
      leads: (point) => rows[point.value[1]].cells[columns[point.value[0]]].querySelector("a")?.href,
      option: {
        ...common,
        grid: { left: 8, right: 60, top: 8, bottom: 4, containLabel: true },
        xAxis: { type: "category", data: names, ...axis, axisLabel: label(widest, names.length > 4 ? 35 : 0), splitLine: { show: false } },
        yAxis: { type: "category", data: rows.map(nameOf), ...axis, axisLabel: label(28, 0), splitLine: { show: false } },
        visualMap: {
          min: 0, max: place.dataset.fractions === undefined ? Math.max(1, most) : most || 1, calculable: false, right: 0, top: "middle", itemHeight: 110, itemWidth: 12,
          textStyle: { color: ink, fontSize: 11 }, text: [number(most), "0"],
          inRange: { color: [colour("--sunk"), colour("--c1")] }, // one hue that only grows darker or lighter
        },
        series: [{ type: "heatmap", data: cells, itemStyle: { borderColor: colour("--surface"), borderWidth: 1 } }],
      },
    };
  }

  const KINDS = { histogram, box, bars, scatter, heat };

  function drawKind(place) {
    const made = KINDS[place.dataset.kind](place, document.getElementById(place.dataset.chartOf));
    const chart = echarts.init(place, null, { renderer: "canvas" });
    chart.setOption(made.option ?? made);
    const leads = made.leads ?? (made.rows && ((point) => leadsTo(made.rows[point.dataIndex])));
    if (leads) { // a point or a box leads where its row does, a square where its cell does
      chart.on("click", (point) => {
        const address = leads(point);
        if (address) location.assign(address);
      });
    }
    charts.push(chart);
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
    for (const place of document.querySelectorAll("[data-chart-of]")) if (!place.hidden) (place.dataset.kind === undefined ? draw : drawKind)(place);
  }

  window.addEventListener("resize", () => charts.forEach((chart) => chart.resize()));
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
  document.addEventListener("htmx:afterSettle", redrawAll);
  redrawAll();
})();

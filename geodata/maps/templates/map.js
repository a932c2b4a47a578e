"use strict";
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const whole = (n) => n.toLocaleString("en-GB");
  const INK = "#16262f";

  // Every text of the data goes through textContent: nothing in a name is ever markup.
  function make(tag, options, ...children) {
    const element = document.createElement(tag);
    for (const [key, value] of Object.entries(options || {})) {
      if (key === "text") element.textContent = value;
      else if (key === "on") element.addEventListener("click", value);
      else if (key === "class") element.className = value;
      else element.setAttribute(key, value);
    }
    for (const child of children) if (child !== null) element.append(child);
    return element;
  }

  function swatch(fill, line) {
    const ns = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(ns, "svg");
    svg.setAttribute("viewBox", "0 0 15 15");
    svg.setAttribute("class", "swatch");
    svg.setAttribute("aria-hidden", "true");
    const rect = document.createElementNS(ns, "rect");
    for (const [k, v] of Object.entries({ x: 1, y: 1, width: 13, height: 13, rx: 3, fill, stroke: line, "stroke-width": 1.5 })) rect.setAttribute(k, v);
    svg.append(rect);
    return svg;
  }

  // --- shapes ------------------------------------------------------------------------------------------------------
  const point = (p) => [p[1] / data.steps, p[0] / data.steps];
  function ring(steps) {
    const found = [];
    let lon = 0, lat = 0;
    for (let k = 0; k < steps.length; k += 2) {
      lon += steps[k];
      lat += steps[k + 1];
      found.push([lat / data.steps, lon / data.steps]);
    }
    return found;
  }
  const shape = (outline) => outline.map((polygon) => polygon.map(ring));

  // --- state and drawing -------------------------------------------------------------------------------------------
  const map = L.map("map", { preferCanvas: true, zoomSnap: 0.25, zoomDelta: 0.75, wheelPxPerZoomLevel: 120, fadeAnimation: false });
  map.attributionControl.setPrefix("Leaflet");
  L.control.scale({ imperial: true }).addTo(map);
  const renderer = L.canvas({ padding: 0.4 });
  const draw = { renderer, smoothFactor: 0.4 };

  L.Canvas.include({
    drawSquare(layer) {
      if (!this._drawing || layer._empty()) return;
      const p = layer._point, r = layer._radius, context = this._ctx;
      context.beginPath();
      context.rect(p.x - r, p.y - r, 2 * r, 2 * r);
      this._fillStroke(context, layer);
    },
  });
  const Square = L.CircleMarker.extend({ _updatePath() { this._renderer.drawSquare(this); } });

  const state = { scale: data.scales[0], body: null, practice: null, table: "bodies" };
  const groups = { land: L.layerGroup(), bodies: L.layerGroup(), upper: L.layerGroup(), lower: L.layerGroup(), today: L.layerGroup(), practices: L.layerGroup(), providers: L.layerGroup(), labels: L.layerGroup() };
  const shown = { upper: true, lower: false, today: false, practices: true, providers: true, labels: true };
  let bodyLayers = [], labelMarkers = [];

  for (const area of data.areas) {
    const points = shape(area.outline);
    const style = area.tier === "upper" ? { color: "#33454e", weight: 1.6, dashArray: "7 4" } : { color: "#5b6d76", weight: 0.9, dashArray: "2 3" };
    groups[area.tier].addLayer(L.polygon(points, { ...draw, ...style, fill: false, interactive: false }));
    if (area.tier === "upper") groups.land.addLayer(L.polygon(points, { ...draw, stroke: false, fillColor: "#f1eee6", fillOpacity: 1, interactive: false }));
  }

  const largest = Math.max(1, ...data.practices.patients);
  const dots = data.practices.place.map((place, i) => {
    const radius = 1.8 + 3.2 * Math.sqrt(data.practices.patients[i] / largest);
    const dot = L.circleMarker(point(place), { ...draw, radius, color: "#fff", weight: 0.8, fillColor: INK, fillOpacity: 0.9 });
    dot.bindTooltip(() => make("span", { text: data.practices.name[i] }), { direction: "top" });
    dot.on("click", (event) => { L.DomEvent.stopPropagation(event); choosePractice(i, false); });
    groups.practices.addLayer(dot);
    return dot;
  });
  for (const provider of data.providers) {
    if (!provider.place) continue;
    const square = new Square(point(provider.place), { ...draw, radius: 5, color: "#fff", weight: 1.5, fillColor: "#a3123a", fillOpacity: 1 });
    square.bindTooltip(() => make("span", { text: provider.name + " (" + provider.kind + ")" }), { direction: "top" });
    groups.providers.addLayer(square);
  }

  const plainBody = (body) => ({ fillColor: body.fill, fillOpacity: 0.88, color: "#ffffff", weight: 1.6, opacity: 1 });
  function drawScale() {
    groups.bodies.clearLayers();
    groups.labels.clearLayers();
    groups.today.clearLayers();
    bodyLayers = state.scale.bodies.map((body, n) => {
      const layer = L.polygon(shape(body.outline), { ...draw, ...plainBody(body) });
      layer.bindTooltip(() => make("span", { text: body.name }), { sticky: true });
      layer.on("click", (event) => { L.DomEvent.stopPropagation(event); chooseBody(state.scale, n, false); });
      groups.bodies.addLayer(layer);
      return layer;
    });
    labelMarkers = state.scale.bodies.map((body) => {
      const text = make("div", { class: "body-label", text: body.name });
      const icon = L.divIcon({ html: text, className: "", iconSize: [0, 0] });
      const marker = L.marker(point(body.label), { icon, interactive: false, keyboard: false });
      groups.labels.addLayer(marker);
      return { text, body };
    });
    if (state.scale.today) {
      for (const outline of state.scale.today.outlines)
        groups.today.addLayer(L.polygon(shape(outline), { ...draw, fill: false, interactive: false, color: "#a3123a", weight: 2 }));
    }
    arrange();
  }

  // One canvas holds all, so that every layer can be clicked: the order of drawing is the order of adding.
  function arrange() {
    for (const group of Object.values(groups)) group.remove();
    groups.land.addTo(map);
    groups.bodies.addTo(map);
    if (state.body !== null && bodyLayers[state.body]) bodyLayers[state.body].bringToFront();
    for (const name of ["lower", "upper", "today", "practices", "providers", "labels"]) if (shown[name]) groups[name].addTo(map);
    declutter();
  }

  // Names are placed largest body first; one that would overlap another waits for a closer look.
  function declutter() {
    const taken = [];
    const order = [...labelMarkers].sort((a, b) => (b.body === chosenBody()) - (a.body === chosenBody()) || b.body.patients - a.body.patients);
    for (const { text } of order) {
      const box = text.getBoundingClientRect();
      const clash = !box.width || taken.some((t) => box.left < t.right + 4 && box.right > t.left - 4 && box.top < t.bottom + 2 && box.bottom > t.top - 2);
      text.classList.toggle("crowded", clash);
      if (!clash) taken.push(box);
    }
  }
  map.on("zoomend moveend", declutter);

  const chosenBody = () => (state.body === null ? null : state.scale.bodies[state.body]);
  function paint() {
    const chosen = chosenBody();
    bodyLayers.forEach((layer, n) => {
      const body = state.scale.bodies[n];
      layer.setStyle(plainBody(body));
      if (chosen && body !== chosen) layer.setStyle({ fillOpacity: 0.45 });
    });
    if (chosen) bodyLayers[state.body].setStyle({ color: INK, weight: 3 });
    dots.forEach((dot, i) => {
      const inside = !chosen || state.scale.of[i] === state.body;
      const mine = state.practice === i;
      dot.setStyle({ fillOpacity: inside ? 0.9 : 0.3, fillColor: mine ? "#f2a900" : INK, color: mine ? INK : "#fff", weight: mine ? 2 : 0.8 });
    });
    arrange();
    if (state.practice !== null && shown.practices) dots[state.practice].bringToFront();
    for (const row of byId("listing").querySelectorAll("tr[data-key]")) row.classList.toggle("chosen", row.dataset.key === chosenKey());
  }
  const chosenKey = () => (state.table === "practices" ? "p" + state.practice : "b" + state.body);

  // --- choosing ----------------------------------------------------------------------------------------------------
  function chooseScale(scale) {
    state.scale = scale;
    state.body = state.practice = null;
    byId("scale-" + data.scales.indexOf(scale)).checked = true;
    const today = byId("layer-today");
    if (today) today.disabled = !scale.today;
    drawScale();
    paint();
    legend();
    if (state.table === "bodies") listing();
    else tabs();
  }

  function chooseBody(scale, n, move) {
    if (scale !== state.scale) chooseScale(scale);
    state.body = n;
    state.practice = null;
    paint();
    bodyPanel();
    const bounds = bodyLayers[n].getBounds();
    if (move && bounds.isValid()) map.fitBounds(bounds.pad(0.35), { maxZoom: 12 });
  }

  function choosePractice(i, move) {
    state.practice = i;
    state.body = state.scale.of[i];
    paint();
    practicePanel(i);
    if (move) map.setView(point(data.practices.place[i]), Math.max(map.getZoom(), 10.5));
  }

  // --- panel -------------------------------------------------------------------------------------------------------
  function fact(term, ...content) {
    return make("div", {}, make("dt", { text: term }), make("dd", {}, ...content));
  }
  const tag = (word, meaning) => (word ? make("span", { class: "tag " + word, title: meaning, text: word }) : null);
  const link = (text, action) => make("button", { type: "button", class: "link", text, on: action });

  function fill(...content) {
    byId("panel").replaceChildren(...content.filter((c) => c !== null));
    byId("panel").scrollTop = 0;
  }
  function back() {
    const button = link("← All " + state.scale.plural, () => { state.body = state.practice = null; paint(); legend(); byId("panel").focus(); });
    button.classList.add("back");
    return button;
  }

  function legend() {
    const scale = state.scale;
    const order = scale.bodies.map((body, n) => [body, n]).sort((a, b) => a[0].name.localeCompare(b[0].name, "en-GB"));
    const list = make("ul", { class: "plain" });
    for (const [body, n] of order) {
      list.append(make("li", {}, make("button", { type: "button", on: () => chooseBody(scale, n, true) },
        swatch(body.fill, body.line), make("span", { text: body.name }), make("span", { class: "n", text: whole(body.patients) }))));
    }
    const count = scale.bodies.length;
    fill(make("h3", { text: count + " " + (count === 1 ? scale.label : scale.plural) }),
      make("p", { class: "code", text: "Name and registered patients. Colours only tell neighbours apart." }), list);
  }

  function bodyPanel() {
    const body = chosenBody(), scale = state.scale;
    const facts = make("dl", {}, fact("Patients", whole(body.patients)), fact("Practices", whole(body.practices)), fact("Home council", body.home || "–"));
    const above = data.scales[data.scales.indexOf(scale) - 1];
    if (body.parent && above) {
      const n = above.of[data.practices.code.findIndex((_, i) => scale.of[i] === state.body)];
      facts.append(fact("Belongs to", link(body.parent, () => chooseBody(above, n, true))));
    }
    if (body.agreed) facts.append(fact("Decided", "agreed beforehand"));
    else if (body.oversize) facts.append(fact("Size", "one unit above the upper bound"));
    data.measures.forEach((measure, m) => {
      const value = body.values[m];
      if (value && value[0] !== null) facts.append(fact(measure.label, value[1], tag(value[2], value[3])));
    });
    const members = [];
    scale.of.forEach((n, i) => { if (n === state.body) members.push(i); });
    fill(back(), make("h3", {}, swatch(body.fill, body.line), " " + body.name), make("p", { class: "code", text: scale.label + " " + body.code }), facts, sources(members), practiceList(members));
  }

  function sources(members) {
    if (!state.scale.today) return null;
    const people = new Map();
    let all = 0;
    for (const i of members) {
      const name = state.scale.today.names[state.scale.today.of[i]] || "none today";
      people.set(name, (people.get(name) || 0) + data.practices.patients[i]);
      all += data.practices.patients[i];
    }
    const facts = make("dl");
    for (const [name, count] of [...people].sort((a, b) => b[1] - a[1])) facts.append(fact(name, all ? Math.round((100 * count) / all) + " %" : "–"));
    return make("div", {}, make("h4", { text: "Where its patients are today" }), facts);
  }

  function practiceList(members) {
    const list = make("ul", { class: "plain" });
    for (const i of [...members].sort((a, b) => data.practices.name[a].localeCompare(data.practices.name[b], "en-GB")))
      list.append(make("li", {}, make("button", { type: "button", class: "text", on: () => choosePractice(i, true) },
        make("span", { text: data.practices.name[i] }), make("span", { class: "n", text: whole(data.practices.patients[i]) }))));
    return make("div", {}, make("h4", { text: "Practices" }), list);
  }

  function practicePanel(i) {
    const p = data.practices;
    const facts = make("dl", {}, fact("Patients", whole(p.patients[i])), fact("Council", p.council[i] || "–"));
    for (const scale of data.scales) {
      const n = scale.of[i];
      facts.append(fact(scale.label, link(scale.bodies[n].name, () => chooseBody(scale, n, true))));
      if (scale.today && scale.today.of[i] !== null) facts.append(fact(scale.label + " today", scale.today.names[scale.today.of[i]]));
    }
    fill(back(), make("h3", { text: p.name[i] }), make("p", { class: "code", text: "practice " + p.code[i] + (p.postcode[i] ? ", " + p.postcode[i] : "") }), facts);
  }

  // --- controls ----------------------------------------------------------------------------------------------------
  data.scales.forEach((scale, n) => {
    const input = make("input", { type: "radio", name: "scale", id: "scale-" + n, value: scale.name });
    input.addEventListener("change", () => chooseScale(scale));
    byId("scales").append(make("label", {}, input, make("span", {}, scale.plural, make("small", { text: scale.bodies.length }))));
  });

  function key(kind) {
    const ns = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(ns, "svg");
    const parts = {
      upper: ["line", { x1: 0, y1: 6, x2: 22, y2: 6, stroke: "#33454e", "stroke-width": 2, "stroke-dasharray": "7 4" }],
      lower: ["line", { x1: 0, y1: 6, x2: 22, y2: 6, stroke: "#5b6d76", "stroke-width": 1.3, "stroke-dasharray": "2 3" }],
      today: ["line", { x1: 0, y1: 6, x2: 22, y2: 6, stroke: "#a3123a", "stroke-width": 2.5 }],
      practices: ["circle", { cx: 11, cy: 6, r: 4, fill: INK }],
      providers: ["rect", { x: 6, y: 1, width: 10, height: 10, fill: "#a3123a" }],
    };
    if (!parts[kind]) return null;
    svg.setAttribute("width", 22);
    svg.setAttribute("height", 12);
    svg.setAttribute("aria-hidden", "true");
    const mark = document.createElementNS(ns, parts[kind][0]);
    for (const [k, v] of Object.entries(parts[kind][1])) mark.setAttribute(k, v);
    svg.append(mark);
    return svg;
  }
  const layers = { labels: "Names", practices: "Practices", providers: "Providers", upper: "Councils", lower: "Districts", today: "Today's borders" };
  for (const [name, label] of Object.entries(layers)) {
    if (name === "today" && !data.scales.some((s) => s.today)) continue;
    if (name === "lower" && !data.areas.some((a) => a.tier === "lower")) continue;
    const input = make("input", { type: "checkbox", id: "layer-" + name });
    input.checked = shown[name];
    input.addEventListener("change", () => { shown[name] = input.checked; arrange(); });
    byId("layers").append(make("label", {}, input, key(name), make("span", { text: label })));
  }

  const plainText = (text) => text.toLowerCase().replace(/\s+/g, " ").trim();
  const index = data.practices.code.map((code, i) => [plainText(data.practices.name[i]), code.toLowerCase(), data.practices.postcode[i].toLowerCase().replace(/\s/g, "")]);
  byId("find").addEventListener("input", () => {
    const asked = plainText(byId("find").value);
    const close = asked.replace(/\s/g, "");
    if (!asked) return byId("found").replaceChildren();
    const hits = [];
    for (let i = 0; i < index.length && hits.length < 8; i++) if (index[i][0].includes(asked) || index[i][1].startsWith(close) || (index[i][2] && index[i][2].startsWith(close))) hits.push(i);
    byId("found").replaceChildren(...hits.map((i) => make("li", {}, make("button", { type: "button", on: () => found(i) },
      data.practices.name[i], make("small", { text: [data.practices.code[i], data.practices.postcode[i]].filter(Boolean).join(" · ") })))));
    if (!hits.length) byId("found").append(make("li", {}, make("p", { text: "No practice of that name, code or postcode." })));
  });
  function found(i) {
    byId("found").replaceChildren();
    byId("find").value = data.practices.name[i];
    choosePractice(i, true);
  }
  byId("find").addEventListener("keydown", (event) => {
    const first = byId("found").querySelector("button");
    if (event.key === "Enter" && first) first.click();
    if (event.key === "ArrowDown" && first) { event.preventDefault(); first.focus(); }
    if (event.key === "Escape") byId("found").replaceChildren();
  });
  byId("found").addEventListener("keydown", (event) => {
    const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    if (event.key === "Escape") { byId("found").replaceChildren(); byId("find").focus(); }
    if (!step) return;
    event.preventDefault();
    const next = event.target.closest("li")[step];
    (next ? next.querySelector("button") : byId("find")).focus();
  });
  document.addEventListener("click", (event) => { if (!event.target.closest(".search")) byId("found").replaceChildren(); });

  // --- tables ------------------------------------------------------------------------------------------------------
  const sorted = { bodies: [0, 1], practices: [0, 1], providers: [0, 1] };
  const cell = (value, text, extra) => ({ value, text: text === undefined ? (typeof value === "number" ? whole(value) : value || "–") : text, extra });

  // The heading says the unit once, so the cells need not.
  const bare = (text, suffix) => (suffix && text.endsWith(" " + suffix) ? text.slice(0, -suffix.length - 1) : text);

  const tables = {
    bodies() {
      const scale = state.scale;
      const columns = [["Name"], ["Code"], ["Patients", true], ["Practices", true], ["Home council"]];
      if (scale.bodies.some((b) => b.parent)) columns.push(["Belongs to"]);
      const tagged = data.measures.map((m, k) => {
        const words = new Set(scale.bodies.map((b) => (b.values[k] ? b.values[k][2] : "")));
        return words.size === 1 ? scale.bodies[0].values[k] : null;
      });
      data.measures.forEach((m, k) => {
        const label = m.label + (m.suffix ? ", " + m.suffix : "");
        columns.push([label, true, tagged[k] ? tag(tagged[k][2], tagged[k][3]) : null]);
      });
      const rows = scale.bodies.map((body, n) => {
        const cells = [cell(body.name), cell(body.code), cell(body.patients), cell(body.practices), cell(body.home)];
        if (columns[5] && columns[5][0] === "Belongs to") cells.push(cell(body.parent));
        body.values.forEach((v, m) => cells.push(v ? cell(v[0], bare(v[1], data.measures[m].suffix), tagged[m] ? null : tag(v[2], v[3])) : cell(null, "–")));
        return { key: "b" + n, cells, mark: () => swatch(body.fill, body.line), go: () => chooseBody(scale, n, true) };
      });
      return { columns, rows };
    },
    practices() {
      const p = data.practices;
      const columns = [["Name"], ["Code"], ["Postcode"], ["Patients", true], ["Council"], ...data.scales.map((s) => [s.label])];
      for (const s of data.scales) if (s.today) columns.push([s.label + " today"]);
      const rows = p.code.map((code, i) => {
        const cells = [cell(p.name[i]), cell(code), cell(p.postcode[i]), cell(p.patients[i]), cell(p.council[i]), ...data.scales.map((s) => cell(s.bodies[s.of[i]].name))];
        for (const s of data.scales) if (s.today) cells.push(cell(s.today.names[s.today.of[i]] || ""));
        return { key: "p" + i, cells, go: () => choosePractice(i, true) };
      });
      return { columns, rows };
    },
    providers() {
      const columns = [["Name"], ["Code"], ["Kind"], ["Income a year", true]];
      const rows = data.providers.map((p, n) => ({
        key: "h" + n,
        cells: [cell(p.name), cell(p.code), cell(p.kind), cell(p.pounds, p.income)],
        go: p.place ? () => map.setView(point(p.place), Math.max(map.getZoom(), 10.5)) : null,
      }));
      return { columns, rows };
    },
  };
  const titles = { bodies: () => state.scale.plural, practices: () => "practices", providers: () => "providers" };

  function compare(a, b) {
    const blank = (v) => v === null || v === undefined || v === "";
    if (blank(a) || blank(b)) return blank(a) - blank(b);
    return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en-GB", { numeric: true });
  }

  function tabs() {
    const list = document.querySelector(".tabs");
    list.replaceChildren(...Object.keys(tables).map((name) => make("button", {
      type: "button", role: "tab", id: "tab-" + name, "aria-controls": "listing", "aria-selected": name === state.table, tabindex: name === state.table ? 0 : -1,
      text: titles[name]().replace(/^./, (c) => c.toUpperCase()), on: () => { state.table = name; listing(); byId("tab-" + name).focus(); },
    })));
  }
  document.querySelector(".tabs").addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const names = Object.keys(tables);
    state.table = names[(names.indexOf(state.table) + step + names.length) % names.length];
    listing();
    byId("tab-" + state.table).focus();
  });

  function listing() {
    tabs();
    const { columns, rows } = tables[state.table]();
    const [by, way] = sorted[state.table][0] < columns.length ? sorted[state.table] : [0, 1];
    rows.sort((a, b) => {
      const [x, y] = [a.cells[by].value, b.cells[by].value];
      const missing = [x, y].some((v) => v === null || v === undefined || v === "");
      return compare(x, y) * (missing ? 1 : way);
    });
    const head = make("tr");
    columns.forEach(([title, number, note], n) => {
      const sort = n === by ? (way > 0 ? "ascending" : "descending") : "none";
      const button = make("button", { type: "button", text: title.replace(/^./, (c) => c.toUpperCase()), on: () => {
        sorted[state.table] = [n, n === by ? -way : number ? -1 : 1];
        listing();
        byId("listing").querySelectorAll("thead button")[n].focus();
      } });
      head.append(make("th", { scope: "col", class: number ? "n" : "", "aria-sort": sort }, button, note || null));
    });
    const body = make("tbody");
    for (const row of rows) {
      const line = make("tr", { "data-key": row.key, class: row.key === chosenKey() ? "chosen" : "" });
      row.cells.forEach((c, n) => {
        const number = columns[n][1] ? "n" : "";
        if (n) return line.append(make("td", { class: number }, c.text, c.extra || null));
        const name = row.go ? link(c.text, () => { row.go(); byId("map").scrollIntoView({ block: "center" }); }) : c.text;
        line.append(make("th", { scope: "row", class: row.mark ? "marked" : "" }, row.mark ? row.mark() : "", name));
      });
      body.append(line);
    }
    byId("listing").setAttribute("aria-label", "Table of " + titles[state.table]());
    byId("listing").replaceChildren(make("table", {}, make("thead", {}, head), body));
  }

  // --- begin -------------------------------------------------------------------------------------------------------
  const everywhere = L.latLngBounds(data.practices.place.map(point));
  for (const body of data.scales[data.first].bodies) for (const polygon of shape(body.outline)) everywhere.extend(polygon[0]);
  map.fitBounds(everywhere, { padding: [12, 12] });
  map.setMaxBounds(everywhere.pad(0.6));
  map.setMinZoom(map.getZoom() - 1);
  map.on("click", () => { if (state.body !== null) { state.body = state.practice = null; paint(); legend(); } });
  chooseScale(data.scales[data.first]);
})();

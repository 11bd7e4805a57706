// Shows each site's visitors by day. A key, where one is asked for, stays in this tab.
"use strict";

const note = document.getElementById("note");
const keyForm = document.getElementById("key");

async function api(path) {
  const key = sessionStorage.getItem("winnow-key");
  const answer = await fetch(path, key ? { headers: { Authorization: `Bearer ${key}` } } : {});
  const body = await answer.json();
  if (answer.ok) return body;
  const failure = new Error(`${body.title}. ${body.detail}.`);
  failure.status = answer.status;
  throw failure;
}

function cell(row, tag, text, figure) {
  const c = row.insertCell();
  const made = tag === "td" ? c : document.createElement(tag);
  if (made !== c) { made.scope = "col"; c.replaceWith(made); }
  made.textContent = text;
  if (figure) made.className = "figure";
}

async function show(site) {
  const report = await api(`/api/v1/report?site=${encodeURIComponent(site.name)}&table=traffic&by=day&period=30d`);
  const table = document.createElement("table");
  table.createCaption().textContent = `${site.name}: visitors by day, at least`;
  const head = table.createTHead().insertRow();
  cell(head, "th", "day");
  for (const name of ["people", "events", "sessions"]) cell(head, "th", name, true);
  const body = table.createTBody();
  for (const row of report.rows) {
    const r = body.insertRow();
    cell(r, "td", row.day);
    for (const name of ["people", "events", "sessions"]) cell(r, "td", row[name] ?? "–", true);
  }
  document.getElementById("sites").append(table);
  return report.rows.length;
}

async function start() {
  document.getElementById("sites").replaceChildren();
  try {
    const { sites } = await api("/api/v1/sites");
    let rows = 0;
    for (const site of sites) rows += await show(site);
    keyForm.hidden = true;
    note.textContent = rows ? "" : "Nothing is published yet. A row appears at 10 visitors, 20 where anybody can coin its value.";
  } catch (failure) {
    keyForm.hidden = failure.status !== 401;
    note.textContent = failure.message;
  }
}

keyForm.addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("winnow-key", new FormData(keyForm).get("key"));
  start();
});
start();

#include "cli/polecat/report/page.h"

namespace polecat::cli {

using namespace driver;

std::string_view report_style() {
    return R"CSS(
:root { color-scheme: light dark; --text: #1a1f24; --back: #ffffff; --soft: #f2f4f7; --line: #ccd3da;
  --link: #00539c; --error: #a80000; --warning: #8a5200; --note: #35546e; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e9ec; --back: #15191d; --soft: #20262c;
  --line: #3d4650; --link: #7cc0ff; --error: #ff8f85; --warning: #ffc266; --note: #a9c7e0; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 90rem; padding: 1rem 1.5rem 4rem; color: var(--text);
  background: var(--back); font: 16px/1.5 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
h1 { font-size: 1.6rem; margin: .5rem 0; } h2 { font-size: 1.3rem; margin: 2.5rem 0 .5rem; }
h3 { font-size: 1.05rem; margin: 1.5rem 0 .3rem; }
.skip { position: absolute; left: -99rem; } .skip:focus { position: static; }
nav ul { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; list-style: none; padding: 0; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: .6rem;
  margin: 1rem 0; padding: 0; }
.facts div { background: var(--soft); border: 1px solid var(--line); border-radius: 6px;
  padding: .5rem .8rem; }
.facts dt { font-size: .85rem; } .facts dd { margin: 0; font-size: 1.5rem; font-weight: 600; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; min-width: 46rem; table-layout: fixed;
  font-size: .92rem; }
.findings th:nth-child(1) { width: 6rem; } .findings th:nth-child(2) { width: 14rem; }
.findings th:nth-child(4) { width: 24%; }
.flows th:nth-child(3) { width: 28%; } .flows th:nth-child(4) { width: 5rem; }
.policies th:nth-child(1) { width: 4rem; } .policies th:nth-child(2) { width: 10rem; }
.policies th:nth-child(4) { width: 10rem; }
th, td { border-bottom: 1px solid var(--line); padding: .4rem .6rem; text-align: left;
  vertical-align: top; overflow-wrap: anywhere; unicode-bidi: isolate; }
th { background: var(--soft); position: sticky; top: 0; white-space: nowrap; }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: 6px; padding: .6rem;
  overflow-x: auto; font: .85rem/1.4 ui-monospace, Consolas, Menlo, monospace; unicode-bidi: isolate; }
code { font-family: ui-monospace, Consolas, Menlo, monospace; font-size: .9em; }
.error, .warning, .note { font-weight: 600; white-space: nowrap; }
.error { color: var(--error); } .warning { color: var(--warning); } .note { color: var(--note); }
.filter { display: none; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; margin: .8rem 0; }
.script .filter { display: flex; }
.filter label { display: grid; font-size: .85rem; }
input, select, button { font: inherit; color: inherit; background: var(--back);
  border: 1px solid var(--line); border-radius: 4px; padding: .3rem .5rem; }
.picture { margin: .5rem 0; background: #ffffff; border: 1px solid var(--line); border-radius: 6px; padding: .5rem;
  overflow: auto; max-height: 85vh; }
.picture svg { max-width: none; height: auto; }
.left-out { border-left: 4px solid var(--warning); padding-left: .7rem; }
@media print { body { max-width: none; padding: 0; font-size: 11px; } nav, .filter, .skip { display: none !important; }
  .picture { max-height: none; overflow: visible; } .picture svg { max-width: 100%; }
  table { min-width: 0; } th { position: static; } tr, pre { break-inside: avoid; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; overflow: visible; font-size: 9px; }
  .findings th:nth-child(1) { width: 4.5rem; } .findings th:nth-child(2) { width: 9rem; }
  details > summary { list-style: none; } }
)CSS";
}

std::string_view report_script() {
    return R"JS(
"use strict";
// Each section with a form of class filter: its fields decide which rows of its table are seen. The
// address holds what was asked for: #findings?severity=error&text=web
const sections = [...document.querySelectorAll("section")].filter(s => s.querySelector(".filter"));
const fieldsOf = section => [...section.querySelectorAll(".filter [name]")];
// Rows of connections name their ends by number; a list that is not seen has every name.
const names = {};
for (const list of document.querySelectorAll("[data-ends-of]"))
  names[list.getAttribute("data-ends-of")] =
    [...list.children].map(each => each.textContent.toLowerCase());
function says(row, text) {
  if (row.textContent.toLowerCase().includes(text)) return true;
  const ends = row.getAttribute("data-ends"), known = names[row.getAttribute("data-family")];
  if (!ends || !known) return false;
  return ends.trim().split(/ +/).some(part => {
    const [first, last] = part.split("-").map(Number);
    return known.slice(first, (last === undefined ? first : last) + 1)
      .some(each => each.includes(text));
  });
}
function show(section) {
  const rows = section.querySelectorAll("tbody tr"), fields = fieldsOf(section);
  let seen = 0;
  for (const row of rows) {
    const fits = fields.every(field => {
      if (!field.value) return true;
      if (field.name === "text")
        return says(row, field.value.toLowerCase());
      return row.getAttribute("data-" + field.name) === field.value;
    });
    row.hidden = !fits;
    if (fits) ++seen;
  }
  section.querySelector("output").textContent = seen + " of " + rows.length + " shown";
}
function remember(section) {
  const asked = new URLSearchParams();
  for (const field of fieldsOf(section)) if (field.value) asked.set(field.name, field.value);
  const text = asked.toString();
  history.replaceState(null, "", "#" + section.id + (text ? "?" + text : ""));
}
function fromAddress() {
  const [id, query] = location.hash.slice(1).split("?");
  const section = sections.find(s => s.id === id);
  if (!section || query === undefined) return;
  const asked = new URLSearchParams(query);
  for (const field of fieldsOf(section)) field.value = asked.get(field.name) || "";
  show(section);
  section.scrollIntoView();
}
for (const section of sections) {
  const form = section.querySelector(".filter");
  form.addEventListener("input", () => { show(section); remember(section); });
  form.addEventListener("reset", () => setTimeout(() => { show(section); remember(section); }));
  form.addEventListener("submit", event => event.preventDefault());
  show(section);
}
// A printed page shows what is folded.
addEventListener("beforeprint", () => {
  for (const each of document.querySelectorAll("details")) each.open = true;
});
addEventListener("hashchange", fromAddress);
document.documentElement.className = "script";
fromAddress();
)JS";
}

} // namespace polecat::cli

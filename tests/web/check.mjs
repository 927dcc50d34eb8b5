// Looks at every page of a portal, in every language. `check.py` starts it.
// usage: node check.mjs http://127.0.0.1:PORT LANGUAGE[,LANGUAGE...] PAGES_FOLDER PATH...
// axe (light and dark, 320 px and desktop), pa11y, Lighthouse, and what we ask for ourselves: one request, no cookie, no script,
// 14,000 bytes with headers, nothing wider than the screen, targets of 44 px. The pages are kept in PAGES_FOLDER for vnu.
// EFFORT=2 looks at each page in each width and scheme with each tool, before a release; else each page is looked at in both
// widths and both schemes, pa11y hears what it says in French, and Lighthouse sees every sixth page.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import puppeteer from "puppeteer-core";
import pa11y from "pa11y";
import { HtmlValidate } from "html-validate";
import lighthouse, { desktopConfig } from "lighthouse";

const [base, languages, folder, ...paths] = process.argv.slice(2);
const executablePath = process.env.CHROME_PATH ?? "/usr/bin/chromium";
const quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const validator = new HtmlValidate({ extends: ["html-validate:standard", "html-validate:a11y"] });
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const MAX_PAGE_BYTES = 14000, MAX_PAPER_BYTES = 100000;
const EACH = [[320, "light"], [320, "dark"], [1280, "light"], [1280, "dark"]];
const PATIENCE_MS = 120000; // only bounds a hang
const whole = Number(process.env.EFFORT ?? 1) > 1;
const findings = [];
let looked = 0;

function found(where, what) {
  findings.push(`${where}: ${what}`);
  console.log(`${where}: ${what}`);
}

function address(path, language) {
  const url = new URL(path, base);
  url.searchParams.set("lang", language);
  return url.href;
}

async function weigh(url, where, name) {
  const answer = await fetch(url);
  const body = await answer.text();
  const headers = [...answer.headers].reduce((sum, [key, value]) => sum + key.length + value.length + 4, 17);
  const weight = headers + Buffer.byteLength(body);
  if (answer.headers.get("set-cookie")) found(where, "sets a cookie");
  if (!answer.headers.get("content-security-policy")?.startsWith("default-src 'none'")) found(where, "weak policy");
  if (/<script(?! type="application\/ld\+json">)|javascript:|\son\w+=|(src|href|action)="https?:\/\/(?!example\.org|www\.openstreetmap\.org\/copyright)/i.test(body)) found(where, "script or external address");
  if (weight > (path_is_printed(url) ? MAX_PAPER_BYTES : MAX_PAGE_BYTES) && !path_is_private(url)) found(where, `${weight} bytes`);
  writeFileSync(`${folder}/${name}.html`, body);
  const report = await validator.validateString(body, `${name}.html`);
  for (const result of report.results) for (const m of result.messages) found(where, `html-validate ${m.ruleId}: ${m.message}`);
}

const path_is_printed = (url) => /^\/(poster|leaflet|copy|weekly)$/.test(new URL(url).pathname);
const path_is_private = (url) => new URL(url).pathname.startsWith("/keeper");

async function look(page, url, where, width, scheme) {
  await page.setViewport({ width, height: 800, isMobile: width < 500, hasTouch: width < 500 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  const requests = [];
  const note = (request) => requests.push(request.url());
  const complain = (message) => message.text().includes("status of 4") || found(where, `console: ${message.text()}`);
  page.on("request", note).on("console", complain);
  const answer = await page.goto(url, { waitUntil: "load" });
  page.off("request", note).off("console", complain);
  if (answer.status() >= 500) found(where, `answers ${answer.status()}`);
  const extra = requests.filter((asked) => asked !== url && !asked.startsWith("data:") && !asked.endsWith("/favicon.ico") && !/\/map\/(picture|streets)/.test(asked));
  if (extra.length) found(where, `asks for ${extra}`);
  await inspect(page, where);
}

async function inspect(page, where) {
  await page.evaluate(axe);
  const result = await page.evaluate((rules) => axe.run({ runOnly: rules }), RULES);
  for (const v of result.violations) found(where, `axe ${v.id}: ${v.nodes.map((n) => n.html.slice(0, 120)).slice(0, 3).join(" | ")}`);
  const { wide, small } = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth > window.innerWidth,
    small: [...document.querySelectorAll("nav a, button, input:not([type=hidden]):not([type=checkbox]), select, td a")]
      .filter((e) => e.offsetParent && !e.classList.contains("k") && (e.offsetHeight < 43.5 || e.offsetWidth < 43.5))
      .map((e) => e.outerHTML.slice(0, 80)),
  }));
  if (wide) found(where, "wider than the screen");
  if (small.length) found(where, `targets below 44 px: ${small.slice(0, 3)}`);
}

// A file of another program: one event to come, one that is past.
function agenda(language) {
  const event = (day, year) => `BEGIN:VEVENT\nUID:${language}${year}\nSUMMARY:Bal ${language}\nLOCATION:Quai de Valmy\nDTSTART:${year}12${day}T180000Z\nEND:VEVENT\n`;
  return `BEGIN:VCALENDAR\nVERSION:2.0\nX-WR-CALNAME:Agenda ${language}\n${event("20", 2025)}${event("20", 2024)}END:VCALENDAR\n`;
}

// What only a form leads to: what is wrong, the preview, the edit code, the map to pick on, the keepers' desk, an agenda taken over.
async function walk(page, language) {
  const press = async (value, name) => {
    await Promise.all([page.waitForNavigation(), page.click(`main button[value=${value}]:not(.k)`)]);
    writeFileSync(`${folder}/${language}-${name}.html`, await page.content());
    await inspect(page, `${name} ${language}`);
  };
  await page.setViewport({ width: 320, height: 800, isMobile: true, hasTouch: true });
  await page.goto(address("/post?kind=event", language));
  await press("preview", "wrong");
  if (!(await page.$("details[open] button[value=map]"))) await page.click("details:has(button[value=map]) summary");
  await press("map", "pick");
  await page.goto(address("/post", language));
  await page.type("#text", `Soupe ${language} <b>&</b>`);
  await press("preview", "preview");
  await press("publish", "done");
  await page.goto(address("/keeper", language));
  await page.type("#name", "lea");
  await page.type("#password", "sesame");
  await Promise.all([page.waitForNavigation(), page.click("main button")]);
  if (!(await page.$("form[action*='/keeper/logout']"))) found(`desk ${language}`, "no desk");
  await inspect(page, `desk ${language}`);
  for (const path of ["people", "groups", "keys", "keys/new", "keys/invite", "keys/paper", "clock", "map", "acts", "reports", "contact",
                      "posts?pile=here", "posts/write", "agenda", "agenda/sources", "secret", "care", "care/backup",
                      "care/checkup", "care/do/wipe", "care/code", "handover", "settings", "settings/words", "settings/rules",
                      "settings/topics", "settings/wifi", "settings/radio", "settings/rest"]) {
    await page.goto(address(`/keeper/${path}`, language));
    if (await page.$("form[action*='/keeper/login']")) found(`desk ${path} ${language}`, "signed out");
    await inspect(page, `desk ${path} ${language}`);
  }
  await page.goto(address("/keeper/agenda", language));
  writeFileSync(`${folder}/${language}.ics`, agenda(language));
  await (await page.$("#file")).uploadFile(`${folder}/${language}.ics`);
  await press("look", "agenda");
  await press("take", "agenda-taken");
}

async function hear(browser, url, where) {
  const result = await pa11y(url, { browser, standard: "WCAG2AA", includeWarnings: false, timeout: PATIENCE_MS });
  for (const issue of result.issues) found(where, `pa11y ${issue.code}: ${issue.context}`);
}

async function score(browser, url, where) {
  const port = Number(new URL(browser.wsEndpoint()).port);
  const flags = { port, onlyCategories: ["accessibility", "best-practices"], logLevel: "error" };
  const { lhr } = await lighthouse(url, flags, desktopConfig);
  for (const category of Object.values(lhr.categories)) {
    if (category.score === 1) continue;
    const failed = category.auditRefs.map((ref) => lhr.audits[ref.id]).filter((audit) => audit.score !== null && audit.score < 1 && audit.scoreDisplayMode !== "informative");
    // plain HTTP is what an island on its own Wi-Fi can offer: no public name, no certificate
    const ours = failed.filter((audit) => !["is-on-https", "redirects-http"].includes(audit.id));
    if (ours.length) found(where, `lighthouse ${category.id} ${category.score}: ${ours.map((audit) => audit.id)}`);
  }
}

mkdirSync(folder, { recursive: true });
const browser = await puppeteer.launch({ executablePath, headless: true, args: quiet });
for (const language of languages.split(",")) {
  const visitor = await (await browser.createBrowserContext()).newPage();
  visitor.setDefaultTimeout(PATIENCE_MS);
  await visitor.setBypassCSP(true);
  await walk(visitor, language);
  await visitor.close();
  for (const [number, path] of paths.entries()) {
    const url = address(path, language);
    const where = `${path} ${language}`;
    await weigh(url, where, `${language}-${path.replace(/\W+/g, "-")}`);
    for (const [width, scheme] of whole || path === "/" ? EACH : number % 2 ? [EACH[0], EACH[3]] : [EACH[1], EACH[2]]) {
      const page = await browser.newPage();
      page.setDefaultTimeout(PATIENCE_MS);
      await page.setBypassCSP(true);
      await look(page, url, `${where} ${width} ${scheme}`, width, scheme);
      await page.close();
    }
    const first = language === "fr" || path === "/";
    if (whole || first) await hear(browser, url, where);
    if (first && (whole || number % 6 === 0)) await score(browser, url, where);
    looked += 1;
  }
}
await browser.close();
console.log(JSON.stringify({ pages: looked, findings: findings.length }));
process.exit(findings.length ? 1 : 0);

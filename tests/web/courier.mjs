// A phone as courier: takes the board at one portal, gives it at the other, without script and without a cookie.
// `courier.py` starts it: node courier.mjs http://A http://B FOLDER
import { readdirSync } from "node:fs";
import puppeteer from "puppeteer-core";

const [here, there, folder] = process.argv.slice(2);
const browser = await puppeteer.launch({ executablePath: process.env.CHROME_PATH ?? "/usr/bin/chromium", headless: true,
  args: ["--no-sandbox", "--disable-gpu"] });
const devtools = await browser.target().createCDPSession();
await devtools.send("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: folder });
const page = await browser.newPage();
page.setDefaultTimeout(120000); // only bounds a hang
await page.setViewport({ width: 360, height: 640, isMobile: true, hasTouch: true });
await page.setJavaScriptEnabled(false);

function expect(what, seen, wanted) {
  if (seen === wanted) return;
  console.log(`courier: ${what}: ${seen}, not ${wanted}`);
  process.exitCode = 1;
}

async function give(path) {
  await page.goto(`${there}/courier?lang=fr`);
  await (await page.$("#file")).uploadFile(path);
  await Promise.all([page.waitForNavigation(), page.click("button.a")]);
  return page.$eval("main", (main) => main.innerText);
}

await page.goto(`${here}/take?lang=fr`);
await Promise.all([page.waitForNavigation(), page.click('a[href^="/courier"]')]);
await page.click("a[download]");
let file;
for (let tries = 0; tries < 600 && !file; tries += 1) {
  await new Promise((next) => setTimeout(next, 100));
  file = readdirSync(folder).find((name) => name.endsWith(".bundle"));
}
expect("the file is called", /^archipel-\d{4}-\d\d-\d\d\.bundle$/.test(file), true);
const first = await give(`${folder}/${file}`);
expect("the first time it is news", first.includes("Vous avez apporté du nouveau") && first.includes("Cantine solidaire"), true);
expect("the second time it is not", (await give(`${folder}/${file}`)).includes("Rien de nouveau ici"), true);
// A post on paper, photographed askew and out of focus, handed in as a picture.
const other = await browser.newPage();
other.setDefaultTimeout(120000);
await other.setBypassCSP(true);
await other.setViewport({ width: 1000, height: 1300 });
await other.goto(`${here}/bulletins?lang=fr`);
const posts = await other.$$eval(".l a", (links) => links.map((link) => link.getAttribute("href").split("?")[0]));
await other.goto(`${here}${posts[0]}/letters?lang=fr`);
await other.addStyleTag({ content: "html{transform:rotate(9deg) scale(.8);filter:blur(.8px) brightness(.8)}.Q{width:110mm;height:110mm}" });
const code = await (await other.$(".Q")).boundingBox();
const clip = { x: code.x - 30, y: code.y - 30, width: code.width + 60, height: code.height + 60 };
await other.screenshot({ path: `${folder}/photo.jpg`, type: "jpeg", quality: 60, clip });
await other.close();
await page.goto(`${there}/courier?lang=fr`);
await page.click("summary");
await (await page.$("#picture")).uploadFile(`${folder}/photo.jpg`);
await Promise.all([page.waitForNavigation(), page.click("button.a")]);
expect("the code in the photograph is read and known here", (await page.$eval("main", (main) => main.innerText)).includes("connu"), true);

expect("cookies", (await browser.cookies()).length, 0);
expect("nothing is wider than the screen", await page.evaluate("document.documentElement.scrollWidth"), 360);
await browser.close();
if (!process.exitCode) console.log("courier: Chromium took the board along and gave it, twice, and a photographed code");

// Prints the sheets as a browser does: each is one page, in normal and in large type. `paper.py` starts it.
// usage: node paper.mjs LANGUAGE[,LANGUAGE...] http://127.0.0.1:PORT...
import puppeteer from "puppeteer-core";

const [languages, ...boards] = process.argv.slice(2);
const browser = await puppeteer.launch({ executablePath: process.env.CHROME_PATH ?? "/usr/bin/chromium", headless: true,
  args: ["--no-sandbox", "--disable-gpu"] });
let printed = 0;
for (const board of boards) {
  for (const language of languages.split(",")) {
    for (const sheet of ["poster", "leaflet", "copy"]) {
      for (const size of ["", "large"]) {
        const page = await browser.newPage();
        page.setDefaultTimeout(120000); // only bounds a hang
        const url = `${board}/${sheet}?lang=${language}&size=${size}`;
        await page.goto(url);
        const pages = Buffer.from(await page.pdf({ preferCSSPageSize: true })).toString("latin1").match(/\/Type\s*\/Page\b/g).length;
        await page.close();
        printed += 1;
        if (pages !== 1) {
          console.log(`${url}: ${pages} pages`);
          process.exitCode = 1;
        }
      }
    }
  }
}
await browser.close();
console.log(JSON.stringify({ sheets: printed }));

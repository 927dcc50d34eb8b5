// Prints the papers as a browser does, and counts their pages. `paper.py` starts it.
// usage: node paper.mjs LANGUAGE[,LANGUAGE...] '[{"board": ADDRESS, "crowded": BOOL, "posts": [PATH...]}...]'
import puppeteer from "puppeteer-core";

const [languages, told] = process.argv.slice(2);
const FEW = 14; // pages of the largest type with all events that a poster takes
const MM = 96 / 25.4;
const browser = await puppeteer.launch({ executablePath: process.env.CHROME_PATH ?? "/usr/bin/chromium", headless: true,
  args: ["--no-sandbox", "--disable-gpu"] });
let printed = 0;

function wrong(url, what) {
  console.log(`${url}: ${what}`);
  process.exitCode = 1;
}

async function paper(url, least, most, look = async () => {}) {
  const page = await browser.newPage();
  page.setDefaultTimeout(120000); // only bounds a hang
  await page.setViewport({ width: 1123, height: 794 });
  await page.emulateMediaType("print");
  await page.goto(url);
  await look(page);
  const pages = Buffer.from(await page.pdf({ preferCSSPageSize: true })).toString("latin1").match(/\/Type\s*\/Page\b/g).length;
  await page.close();
  printed += 1;
  if (pages < least || pages > most) wrong(url, `${pages} pages, not ${least} to ${most}`);
}

// Nothing of the paper to fold runs over the end of its page, or into the line at its foot.
const fits = (url) => async (page) => {
  const ends = await page.$$eval(".pg", (pages) => pages.map((one) => Math.max(...[...one.children]
    .filter((part) => !part.matches(".f")).map((part) => part.getBoundingClientRect().bottom - one.getBoundingClientRect().top))));
  if (![4, 8].includes(ends.length) || Math.max(...ends) > 183 * MM) wrong(url, `pages end at ${ends.map((end) => Math.round(end / MM))} mm`);
};

// A post's own sheet shows no word broken in two, and nothing beside the paper.
const whole = (url) => async (page) => {
  if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) wrong(url, "runs over the side");
};

for (const { board, crowded, posts } of JSON.parse(told)) {
  for (const language of languages.split(",")) {
    for (const size of ["", "large"]) {
      const asked = `lang=${language}&size=${size}`;
      const most = crowded ? FEW : size ? 3 : 1;
      await paper(`${board}/poster?${asked}`, crowded ? 2 : 1, most);
      await paper(`${board}/leaflet?${asked}`, 1, crowded ? 4 : size ? 2 : 1);
      await paper(`${board}/copy?${asked}`, 1, crowded ? FEW : size ? 2 : 1);
      const weekly = `${board}/weekly?${asked}`;
      await paper(weekly, crowded ? 4 : 2, 4, fits(weekly));
    }
    for (const post of posts) {
      for (const shape of ["poster", "strips", "leaflets"]) {
        const url = `${board}${post}/print?lang=${language}&as=${shape}`;
        await paper(url, 1, crowded && shape !== "leaflets" ? 3 : 1, whole(url));
      }
    }
  }
}
await browser.close();
console.log(JSON.stringify({ papers: printed }));

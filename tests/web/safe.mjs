// A keeper's way in Chromium, on the Wi-Fi of an island: the page that leads on, the warning, the desk. `safe.py` starts it.
// usage: node safe.mjs "FINGERPRINT OF THE CERTIFICATE"
import puppeteer from "puppeteer-core";

const fingerprint = process.argv[2];
const quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"]; // upgrades to https stay on, as on a phone
const executablePath = process.env.CHROME_PATH ?? "/usr/bin/chromium";

function expect(what, seen, wanted) {
  if (seen === wanted) return;
  console.log(`safe: Chromium: ${what}: ${seen}, not ${wanted}`);
  process.exitCode = 1;
}

async function opened(more) {
  const browser = await puppeteer.launch({ executablePath, headless: true, args: [...quiet, "--accept-lang=en", ...more] });
  const page = await browser.newPage();
  page.setDefaultTimeout(120000); // only bounds a hang
  return { browser, page };
}

const text = (page) => page.$eval("main", (main) => main.innerText);

// who reads is never warned
{
  const { browser, page } = await opened([]);
  await page.goto("http://archipel.lan/");
  expect("a reader stays at", page.url(), "http://archipel.lan/");
  await page.goto("http://example.org/");
  expect("any name leads to", page.url(), "http://archipel.lan/hello");
  // a keeper is led on, and warned by the browser
  await page.goto("http://archipel.lan/keeper");
  expect("passwords asked for in the clear", (await page.$$("main input")).length, 0);
  const link = await page.$eval("main a.a", (button) => button.href);
  expect("the way on", new URL(link).origin, "https://safe.archipel.lan");
  expect("the fingerprint's beginning", (await text(page)).includes(fingerprint.slice(0, 23)), true);
  const refused = await page.goto(link).then(() => "shown", (error) => error.message.split(" ")[0]);
  expect("without a word of the keeper's", refused, "net::ERR_CERT_AUTHORITY_INVALID");
  await browser.close();
}

// who goes on past the warning
{
  const { browser, page } = await opened(["--ignore-certificate-errors"]);
  await page.goto("https://safe.archipel.lan/keeper?lang=en");
  await page.type("#name", "lea");
  await page.type("#password", "sesame");
  await Promise.all([page.waitForNavigation(), page.click("main button")]);
  expect("the desk", (await text(page)).includes("Signed in as lea"), true);
  const cookies = await browser.defaultBrowserContext().cookies();
  expect("cookies", cookies.map((one) => `${one.name} ${one.secure} ${one.httpOnly}`).sort().join(),
    "__Secure-keeper true true,__Secure-keeper-mark true true");
  await page.goto("https://safe.archipel.lan/keeper/safe?lang=en");
  const said = await text(page);
  expect("the whole fingerprint", said.includes(fingerprint), true);
  expect("the way", said.includes("this page is encrypted"), true);
  const asked = [];
  page.on("request", (request) => asked.push(request.headers().cookie ?? ""));
  await page.goto("http://archipel.lan/keeper?lang=en");
  expect("in the clear", (await text(page)).includes("Not in the clear"), true);
  expect("what crossed in the clear", asked.join(""), "");
  await page.goto("https://safe.archipel.lan/keeper?lang=en");
  expect("still signed in", (await text(page)).includes("Signed in as lea"), true);
  await browser.close();
}
if (!process.exitCode) console.log("safe: Chromium leaves readers alone, warns the keeper, and keeps the session off the air");

// Chromium on the Wi-Fi of an island: led to the welcome page, presses "stay connected", and its probe is answered.
// `captive.py` starts it where every name leads to the portal.
import puppeteer from "puppeteer-core";

const quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable"];
const browser = await puppeteer.launch({ executablePath: process.env.CHROME_PATH ?? "/usr/bin/chromium", headless: true, args: quiet });
const page = await browser.newPage();
page.setDefaultTimeout(120000); // only bounds a hang

function expect(what, seen, wanted) {
  if (seen === wanted) return;
  console.log(`captive: Chromium: ${what}: ${seen}, not ${wanted}`);
  process.exitCode = 1;
}

await page.goto("http://connectivitycheck.gstatic.com/generate_204");
expect("the probe leads to", page.url(), "http://archipel.lan/hello");
await page.goto("http://example.org/some/page");
expect("any address leads to", page.url(), "http://archipel.lan/hello");
await Promise.all([page.waitForNavigation(), page.click("form button")]);
expect("after staying", await page.$eval("h1", (title) => title.textContent.length > 0), true);
const probe = await page.goto("http://captive.apple.com/hotspot-detect.html");
expect("the probe then answers", await probe.text(), "<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>");
await browser.close();
if (!process.exitCode) console.log("captive: Chromium was led to the welcome page, and stays");

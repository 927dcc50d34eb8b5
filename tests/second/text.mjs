// Section 4: texts, read. The models are files, the arithmetic is whole numbers.
import { readFileSync } from "node:fs";
import { blake2b } from "./blake2b.mjs";
import { hex, order, Refused, refuse, utf8 } from "./octets.mjs";

const END = 0;
const SPELT = 1;
const LONGEST = 4000; // characters
const DEAREST = 32000; // decisions
const SMALL = 256; // rows
const DEEPEST = 20; // symbols of context
const SMALL_LETTERS = "abcdefghijklmnopqrstuvwxyzàâäæçèéêëîïôöœùûüáíñóú";
const CAPITALS = SMALL_LETTERS.toUpperCase();
const smallLetter = (character) => (CAPITALS.includes(character) ? SMALL_LETTERS[CAPITALS.indexOf(character)] : character);
const WRONG = "text-packed";

// C(z) for z from -2815 to 2815, and g.
const MOST = 2815;
const CHANCES = (() => {
  const one = 1n << 64n;
  const chances = new Int32Array(2 * MOST + 1);
  let odds = one;
  for (let z = 0; z <= MOST; z++) {
    chances[MOST + z] = Number((65536n * odds) / (odds + one));
    if (z) chances[MOST - z] = 65536 - chances[MOST + z];
    odds = (odds * 18518942588666869714n) / one;
  }
  return chances;
})();
const chanceOf = (guess) => CHANCES[MOST + Math.max(-MOST, Math.min(MOST, guess))];

/** The least z with C(z) >= chance. */
function guessOf(chance) {
  let [low, high] = [-MOST, MOST];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (chanceOf(middle) >= chance) high = middle;
    else low = middle + 1;
  }
  return low;
}

const levels = (steps) => {
  const table = new Uint8Array(1024);
  for (let i = 0; i < 1024; i++) table[i] = steps.filter((step) => step <= i).length;
  return table;
};
const SEEN_LEVEL = levels([1, 2, 3, 4, 5, 7, 10, 15, 25, 50, 100, 180, 320, 560]);
const LEFT_LEVEL = levels([1, 2, 3, 4, 5, 6, 8, 11, 16, 24, 40, 80, 160, 320, 640]);

/** A training text, sorted: where a context stands, and what follows it. A run is [first row, rows], or null. */
class Index {
  constructor(column, fold, symbols) {
    this.column = column;
    this.fold = fold;
    this.symbols = symbols;
    this.places = placesOf(column, symbols, (symbol) => symbol);
    this.folded = placesOf(column, symbols, (symbol) => fold[symbol]); // digits: all under the lowest
    this.before = [];
    let sum = 0;
    for (const rows of this.folded) {
      this.before.push(sum);
      sum += rows.length;
    }
    this.everything = [0, column.length];
    this.listed = new Map();
  }

  extended(run, symbol) {
    if (!run) return null;
    const digit = this.fold[symbol];
    const rows = this.folded[digit];
    const above = below(rows, run[0]);
    const length = below(rows, run[0] + run[1]) - above;
    return length ? [this.before[digit] + above, length] : null;
  }

  count(run, symbol) {
    const rows = this.places[symbol];
    return below(rows, run[0] + run[1]) - below(rows, run[0]);
  }

  /** What follows in a run: symbol -> how often. */
  followers(run) {
    const counts = new Map();
    if (run[1] <= SMALL) {
      for (let row = run[0]; row < run[0] + run[1]; row++) counts.set(this.column[row], (counts.get(this.column[row]) ?? 0) + 1);
      return counts;
    }
    const name = run[0] * 2 ** 24 + run[1];
    if (!this.listed.has(name)) {
      for (let symbol = 0; symbol < this.symbols; symbol++) {
        const count = this.count(run, symbol);
        if (count) counts.set(symbol, count);
      }
      this.listed.set(name, counts);
    }
    return this.listed.get(name);
  }
}

/** Of each symbol, as `named`, the rows of a column in which it stands, growing. */
function placesOf(column, symbols, named) {
  const names = Uint8Array.from({ length: symbols }, (_, symbol) => named(symbol));
  const counts = new Uint32Array(symbols);
  for (const symbol of column) counts[names[symbol]] += 1;
  const places = Array.from(counts, (count) => new Uint32Array(count));
  counts.fill(0);
  for (let row = 0; row < column.length; row++) {
    const name = names[column[row]];
    places[name][counts[name]++] = row;
  }
  return places;
}

/** How many of some growing numbers are less than a limit. */
function below(numbers, limit) {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

const TYPES = { B: Uint8Array, h: Int16Array, i: Int32Array, I: Uint32Array };

/** A model out of its file. */
export function readModel(path) {
  const file = readFileSync(path);
  const line = file.indexOf(10);
  const said = JSON.parse(file.subarray(0, line).toString("utf8"));
  let at = line + 1;
  const arrays = said.arrays.map(([type, length]) => {
    const octets = length * TYPES[type].BYTES_PER_ELEMENT;
    const copy = new Uint8Array(file.subarray(at, at + octets)).buffer;
    at += octets;
    return new TYPES[type](copy);
  });
  return new Model(said, arrays, hex(blake2b(16, file)));
}

class Model {
  constructor(said, arrays, name) {
    this.name = name;
    this.characters = ["", "", ...said.characters];
    this.symbols = this.characters.length;
    this.symbolOf = new Map([...said.characters].map((character, i) => [character, i + 2]));
    const letters = new Set(said.letters);
    this.isLetter = this.characters.map((character) => letters.has(character));
    this.small = this.characters.map((character, symbol) => (this.isLetter[symbol] ? (this.symbolOf.get(smallLetter(character)) ?? 0) : 0));
    const lowest = Math.min(...[..."0123456789"].map((digit) => this.symbolOf.get(digit) ?? Infinity));
    this.fold = this.characters.map((character, symbol) => (/^[0-9]$/.test(character) ? lowest : symbol));
    const [announcements, , prose, , dictionary, , guesses, weights] = arrays;
    this.announcements = new Index(announcements, this.fold, this.symbols);
    this.prose = new Index(prose, this.fold, this.symbols);
    this.dictionary = new Index(dictionary, this.fold, this.symbols);
    this.guesses = guesses;
    this.weights = weights;
    this.sets = [0, said.weights[0], said.weights[0] + said.weights[1]];
  }
}

/** Where we are in a text: the runs of its last symbols in each index (4.2). */
class Contexts {
  constructor(model) {
    this.model = model;
    this.runs = [model.announcements, model.prose].map((index) => [index.everything, index.extended(index.everything, END)]);
    this.word = 0;
    this.words = 0;
    this.wordRun = model.dictionary.extended(model.dictionary.everything, END);
    this.last = [];
    this.own = new Map(); // the last three symbols -> symbol -> how often
  }

  get ownCounts() {
    return this.own.get(this.last.join()) ?? new Map();
  }

  add(symbol) {
    const { model } = this;
    const counts = this.ownCounts;
    counts.set(symbol, Math.min((counts.get(symbol) ?? 0) + 1, 1023));
    this.own.set(this.last.join(), counts);
    this.last = [...this.last, model.fold[symbol]].slice(-3);
    const extended = (index, runs) => [index.everything, ...runs.slice(0, DEEPEST).map((run) => index.extended(run, symbol))];
    this.runs = [extended(model.announcements, this.runs[0]), extended(model.prose, this.runs[1])];
    if (model.isLetter[symbol]) {
      this.word += 1;
      this.words += 1;
      this.wordRun = model.dictionary.extended(this.wordRun, model.small[symbol]);
    } else {
      this.words = 1 + (this.word || this.words);
      this.word = 0;
      this.wordRun = model.dictionary.extended(model.dictionary.everything, END);
    }
  }

  get longest() {
    let n = 0;
    while (this.runs[0][n + 1]) n += 1;
    return n;
  }
}

/** Section 4.3: [symbol, share] one after the other. */
function* candidates(contexts) {
  const { model } = contexts;
  const shares = new Map();
  const mixIn = (rows, counts) => {
    const total = rows + counts.size;
    for (const [symbol, share] of shares) shares.set(symbol, Math.floor((share * counts.size) / total));
    for (const [symbol, count] of counts) shares.set(symbol, (shares.get(symbol) ?? 0) + Math.floor((65536 * count) / total));
  };
  for (const { index, run } of smallRuns(contexts)) mixIn(run[1], index.followers(run));
  const own = contexts.ownCounts;
  if (own.size) mixIn([...own.values()].reduce((sum, count) => sum + count, 0), own);
  yield* [...shares].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  const gone = new Set(shares.keys());
  for (const length of [2, 1]) {
    const run = contexts.runs[0][length];
    if (!run) continue;
    for (const [symbol] of [...model.announcements.followers(run)].sort((a, b) => b[1] - a[1] || a[0] - b[0]))
      if (!gone.has(symbol)) {
        gone.add(symbol);
        yield [symbol, 0];
      }
  }
  for (let symbol = 0; symbol < model.symbols; symbol++) if (!gone.has(symbol)) yield [symbol, 0];
}

function smallRuns({ model, runs }) {
  const found = [];
  [model.announcements, model.prose].forEach((index, which) =>
    runs[which].forEach((run, length) => {
      if (run && run[1] <= SMALL) found.push({ index, which, run, length });
    }),
  );
  found.sort((a, b) => b.run[1] - a.run[1] || order(a.which, b.which) || a.length - b.length);
  // of one index: a run within another with as many rows is the same
  return found.filter((one, i) => !found.slice(0, i).some((other) => other.which === one.which && other.run[1] === one.run[1]));
}

/** What a slot knows: how often each candidate followed, and how many followers are left. */
class Slot {
  constructor(table, index, run) {
    this.table = table;
    this.index = index;
    this.run = run;
    const bits = run ? 32 - Math.clz32(run[1]) : 0;
    this.shift = run && run[1] > SMALL ? Math.max(bits - 10, 0) : 0;
    this.left = run ? Math.min(run[1] >> this.shift, 1023) : 0;
  }

  seen(symbol) {
    if (!this.run) return 0;
    return Math.min((this.index.count(this.run, symbol) + (1 << this.shift) - 1) >> this.shift, 1023);
  }
}

class OwnSlot {
  constructor(table, counts) {
    this.table = table;
    this.counts = counts;
    this.left = Math.min([...counts.values()].reduce((sum, count) => sum + count, 0), 1023);
  }

  seen(symbol) {
    return this.counts.get(symbol) ?? 0;
  }
}

/** The chances, at one place, that each candidate in turn comes next (4.4, 4.5). */
class Mixer {
  constructor(contexts) {
    const { model, runs, word, words, wordRun } = contexts;
    this.model = model;
    const longest = contexts.longest;
    const at = (which, length) => runs[which][length] ?? null;
    const [first, second] = [model.announcements, model.prose];
    this.slots = [
      new Slot(longest, first, at(0, longest)),
      ...[3, 5, word + 1, words + 1].map((length, i) => new Slot(21 + i, first, at(0, length))),
      ...[4, word + 1].map((length, i) => new Slot(25 + i, second, at(1, length))),
      new Slot(27, model.dictionary, wordRun),
      new OwnSlot(28, contexts.ownCounts),
    ];
    this.rows = [model.sets[0] + longest, model.sets[1] + Math.min(word, 12)];
    this.turn = 0;
    this.rest = 65536;
  }

  chance(symbol, share) {
    const { model, slots, turn } = this;
    const guesses = [];
    this.seen = slots.map((slot, i) => slot.seen(i === 7 ? model.small[symbol] : symbol));
    slots.forEach((slot, i) => guesses.push(model.guesses[240 * slot.table + 16 * SEEN_LEVEL[this.seen[i]] + LEFT_LEVEL[slot.left]]));
    guesses.push(model.guesses[29 * 240 + 256 * Math.min(turn, 3) + symbol]);
    const q = Math.min(Math.floor((1024 * share) / Math.max(this.rest, 1)), 1024);
    guesses.push(model.guesses[29 * 240 + 1024 + 1 + Math.floor((guessOf(Math.max(64 * q, 1)) + MOST) / 100)]);
    const rows = [...this.rows, model.sets[2] + Math.min(turn, 23)];
    let sum = 0;
    guesses.forEach((guess, i) => (sum += guess * rows.reduce((weight, row) => weight + model.weights[11 * row + i], 0)));
    return chanceOf(Math.floor(sum / 65536));
  }

  refused(share) {
    this.slots.forEach((slot, i) => (slot.left = Math.max(slot.left - this.seen[i], 0)));
    this.rest -= share;
    this.turn += 1;
  }
}

/** Reads answers out of packed octets; zeros come after their end. */
class Decoder {
  constructor(packed) {
    this.packed = packed;
    this.at = 0;
    this.value = 0; // what was read, less the low end of the interval
    this.width = 2 ** 32 - 1;
    for (let i = 0; i < 4; i++) this.next();
    refuse(WRONG, this.value >= this.width);
  }

  next() {
    this.value = this.value * 256 + (this.packed[this.at] ?? 0);
    this.at += 1;
  }

  narrow(low, width) {
    this.value -= low;
    this.width = width;
    while (this.width < 2 ** 24) {
      this.width *= 256;
      this.next();
    }
  }

  yes(chance) {
    const part = (this.width >>> 16) * chance;
    const answer = this.value < part;
    if (answer) this.narrow(0, part);
    else this.narrow(part, this.width - part);
    return answer;
  }

  choice(choices) {
    const part = Math.floor(this.width / choices);
    const value = Math.floor(this.value / part);
    refuse(WRONG, value >= choices);
    this.narrow(part * value, part);
    return value;
  }

  /** The shortest octets that lie in the interval when zeros follow. */
  shortest() {
    const octets = Buffer.alloc(this.at);
    this.packed.copy(octets, 0, 0, this.at);
    const low = BigInt("0x" + hex(octets)) - BigInt(this.value);
    const high = low + BigInt(this.width);
    for (let length = 0; length <= this.at; length++) {
      const unit = 8n * BigInt(this.at - length);
      const least = ((low + (1n << unit) - 1n) >> unit) << unit;
      if (least < high) return Buffer.from(least.toString(16).padStart(2 * this.at, "0").slice(0, 2 * length), "hex");
    }
    throw new Error("unreachable: an interval holds its own low end");
  }
}

function readPacked(model, packed, tell) {
  const decoder = new Decoder(packed);
  const contexts = new Contexts(model);
  let text = "";
  let decisions = 0;
  const next = () => {
    const mixer = new Mixer(contexts);
    for (const [symbol, share] of candidates(contexts)) {
      refuse("text-too-costly", ++decisions > DEAREST);
      const chance = mixer.chance(symbol, share);
      const answer = decoder.yes(chance);
      tell?.(symbol, answer, chance);
      if (answer) return symbol;
      mixer.refused(share);
    }
    throw new Refused(WRONG);
  };
  for (let length = 0; ; length++) {
    const symbol = next();
    if (symbol === END) break;
    refuse("text-too-long", length === LONGEST);
    text += symbol === SPELT ? spelt(model, decoder) : model.characters[symbol];
    contexts.add(symbol);
  }
  refuse(WRONG, !decoder.shortest().equals(packed));
  return text;
}

function spelt(model, decoder) {
  const point = 65536 * decoder.choice(17) + 256 * decoder.choice(256) + decoder.choice(256);
  refuse(WRONG, point >= 0xd800 && point < 0xe000);
  const character = String.fromCodePoint(point);
  refuse(WRONG, model.symbolOf.has(character));
  return character;
}

/** The text of a codec's octets; `models` is codec -> model, `tell` hears each decision. */
export function readText(models, codec, packed, tell) {
  refuse("text-codec", codec > 8);
  if (codec === 0) return utf8(packed, "text-utf8");
  const text = readPacked(models[(codec - 1) % 4], packed, tell);
  if (codec < 5) return text;
  const letters = [...text];
  refuse(WRONG, letters.some((letter) => CAPITALS.includes(letter)) || !letters.some((letter) => SMALL_LETTERS.includes(letter)));
  return letters.map((letter) => (SMALL_LETTERS.includes(letter) ? letter.toUpperCase() : letter)).join("");
}

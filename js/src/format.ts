/** Figures as people read them. Money stays a decimal string throughout: a float would invent digits. */

interface Decimal {
  readonly negative: boolean;
  /** Digits without leading zeros, "" for zero. */
  readonly digits: string;
  /** The value is 0.digits × 10^point. */
  readonly point: number;
}

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

function parse(text: string): Decimal | null {
  const match = DECIMAL.exec(text.trim());
  if (!match) return null;
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = match;
  if (whole + fraction === "") return null;
  const all = whole + fraction;
  const digits = all.replace(/^0+/, "");
  const point = digits === "" ? 0 : whole.length + Number(exponent) - (all.length - digits.length);
  return { negative: sign === "-", digits: digits.replace(/0+$/, ""), point };
}

/** Rounded half up to `places` digits after the decimal point. */
function rounded(value: Decimal, places: number): Decimal {
  const keep = value.point + places;
  if (keep < 0) return { negative: false, digits: "", point: 0 };
  if (keep >= value.digits.length) return value;
  const up = Number(value.digits[keep]) >= 5 ? 1n : 0n;
  const sum = (BigInt(value.digits.slice(0, keep) || "0") + up).toString();
  const digits = sum === "0" ? "" : sum;
  return { ...value, digits: digits.replace(/0+$/, ""), point: value.point + digits.length - keep };
}

/** Plain notation with at least `minimum` digits after the point. */
function plain(value: Decimal, minimum = 0): string {
  const { digits, point } = value;
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, "0") : "0";
  const fraction = (point > 0 ? digits.slice(point) : digits && "0".repeat(-point) + digits).padEnd(minimum, "0");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return (value.negative && digits ? "-" : "") + grouped + (fraction ? `.${fraction}` : "");
}

/**
 * USD with every digit that matters: cents from a dollar up, three significant digits below.
 * A cost that is not zero is never shown as zero. Null when the text is no number.
 */
export function formatCost(cost: string): string | null {
  const value = parse(cost);
  if (value === null) return null;
  if (value.digits === "") return "$0";
  if (value.point > 0) return withSign(plain(rounded(value, 2), 2));
  const short = rounded(value, 3 - value.point);
  return withSign(plain(short, 2));
}

/** USD to the last digit that is known. Null when the text is no number. */
export function exactCost(cost: string): string | null {
  const value = parse(cost);
  return value && withSign(plain(value));
}

/** A price per million tokens: at least two digits after the point, never rounded. */
export function formatPrice(price: string): string | null {
  const value = parse(price);
  if (value === null) return null;
  return value.digits === "" ? "$0" : withSign(plain(value, value.point > 0 && value.digits.length <= value.point ? 0 : 2));
}

/**
 * USD that is left of a limit: as `formatCost`, but rounded down, because what is left must not look like more.
 * Null when the text is no number.
 */
export function formatLeft(amount: string): string | null {
  const value = parse(amount);
  if (value === null) return null;
  if (value.digits === "") return "$0";
  const places = value.point > 0 ? 2 : 3 - value.point;
  const digits = value.digits.slice(0, Math.max(0, value.point + places)).replace(/0+$/, "");
  return withSign(plain({ ...value, digits }, 2));
}

/** Whether a decimal text is a known zero. */
export function isZero(text: string): boolean {
  return parse(text)?.digits === "";
}

function withSign(text: string): string {
  return text.startsWith("-") ? `-$${text.slice(1)}` : `$${text}`;
}

export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Tokens in a menu: 128K, 1M. */
export function formatSize(count: number): string {
  if (count >= 1_000_000) return `${trimmed(count / 1_000_000)}M`;
  return count >= 1000 ? `${trimmed(count / 1000)}K` : String(count);
}

function trimmed(value: number): string {
  return value >= 100 ? String(Math.round(value)) : String(Math.round(value * 10) / 10);
}

/** Milliseconds as 84 ms, 2.1 s, 1 min 12 s. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const rest = seconds % 60;
  return rest === 0 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 60)} min ${rest} s`;
}

/** A number of bytes, in decimal units. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const [unit, size] = bytes < 999_500 ? ["KB", 1e3] : bytes < 999_500_000 ? ["MB", 1e6] : ["GB", 1e9];
  const value = bytes / (size as number);
  return `${value < 10 ? Number(value.toFixed(1)) : Math.round(value)} ${unit}`;
}

/** One row of a bar chart. */
export interface Bar {
  readonly label: string;
  readonly value: number;
}

export interface Series {
  readonly name: string;
  /** In order of x; a y that is not finite leaves the point out. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Axes {
  readonly y: string;
  /** Marks of the x axis. */
  readonly ticks: readonly { readonly x: number; readonly label: string }[];
}

const WIDTH = 760;
const ROW = 22;
const LABEL = 280;
const COLOURS = ["#2563eb", "#d97706", "#059669", "#7c3aed", "#dc2626"];

/** Horizontal bars, longest at full width, coloured by the last word of their label. Readable on light and dark pages. */
export function barChart(title: string, unit: string, bars: readonly Bar[]): string {
  const known = bars.filter(({ value }) => Number.isFinite(value));
  const most = Math.max(1e-9, ...known.map(({ value }) => value));
  const kinds = [...new Set(known.map(({ label }) => kindOf(label)))];
  const rows = known.map(({ label, value }, index) => {
    const y = 40 + index * ROW;
    const length = ((WIDTH - LABEL - 110) * value) / most;
    const colour = COLOURS[kinds.indexOf(kindOf(label)) % COLOURS.length];
    const bar = `<rect x="${LABEL}" y="${y}" width="${length.toFixed(1)}" height="${ROW - 8}" fill="${colour}"/>`;
    return `${text(LABEL - 8, y + 11, label, "end")}${bar}${text(LABEL + length + 6, y + 11, `${format(value)} ${unit}`)}`;
  });
  return svg(title, 50 + known.length * ROW, rows.join("\n"));
}

function kindOf(label: string): string {
  return label.slice(label.lastIndexOf(" "));
}

/** Lines over a common x, from zero up. */
export function lineChart(title: string, { y, ticks }: Axes, series: readonly Series[]): string {
  const known = series.map((one) => ({ ...one, points: one.points.filter(([, value]) => Number.isFinite(value)) }));
  const points = known.flatMap((one) => one.points);
  const mostX = Math.max(1e-9, ...points.map(([x]) => x), ...ticks.map(({ x }) => x));
  const mostY = Math.max(1e-9, ...points.map(([, value]) => value));
  const [left, top, width, height] = [80, 40, WIDTH - 100, 240];
  const across = (x: number): number => left + (x / mostX) * width;
  const place = ([x, value]: readonly [number, number]): string =>
    `${across(x).toFixed(1)},${(top + height - (value / mostY) * height).toFixed(1)}`;
  const lines = known.map(
    (one, index) =>
      `<polyline fill="none" stroke="${COLOURS[index % COLOURS.length]}" stroke-width="1.5" points="${one.points.map(place).join(" ")}"/>` +
      text(left + index * 170, top + height + 42, one.name, "start", COLOURS[index % COLOURS.length]),
  );
  const axes =
    `<path d="M${left} ${top}V${top + height}H${left + width}" fill="none" stroke="#888"/>` +
    text(left - 6, top + 8, `${format(mostY)} ${y}`, "end") +
    text(left - 6, top + height, "0", "end") +
    ticks.map(({ x, label }) => text(across(x), top + height + 18, label, "middle")).join("");
  return svg(title, top + height + 60, axes + lines.join("\n"));
}

function svg(title: string, height: number, inner: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12">
<title>${escape(title)}</title>
${text(0, 16, title)}
${inner}
</svg>
`;
}

function text(x: number, y: number, content: string, anchor = "start", fill = "#777"): string {
  return `<text x="${x.toFixed(1)}" y="${y}" text-anchor="${anchor}" fill="${fill}">${escape(content)}</text>`;
}

function escape(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function format(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}

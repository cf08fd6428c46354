/** One row of a bar chart. */
export interface Bar {
  readonly label: string;
  readonly value: number;
}

export interface Series {
  readonly name: string;
  /** In order of x. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

const WIDTH = 760;
const ROW = 26;
const LABEL = 280;
const COLOURS = ["#2563eb", "#d97706", "#059669", "#7c3aed", "#dc2626"];

/** Horizontal bars, longest at full width. Readable on light and dark pages. */
export function barChart(title: string, unit: string, bars: readonly Bar[]): string {
  const most = Math.max(...bars.map(({ value }) => value));
  const rows = bars.map(({ label, value }, index) => {
    const y = 40 + index * ROW;
    const length = ((WIDTH - LABEL - 110) * value) / most;
    const bar = `<rect x="${LABEL}" y="${y}" width="${length.toFixed(1)}" height="${ROW - 8}" fill="${COLOURS[index % COLOURS.length]}"/>`;
    return `${text(LABEL - 8, y + 13, label, "end")}${bar}${text(LABEL + length + 6, y + 13, `${format(value)} ${unit}`)}`;
  });
  return svg(title, 50 + bars.length * ROW, rows.join("\n"));
}

/** Lines over a common x, from zero up. */
export function lineChart(
  title: string,
  units: { readonly x: string; readonly y: string },
  series: readonly Series[],
): string {
  const points = series.flatMap((one) => one.points);
  const mostX = Math.max(1e-9, ...points.map(([x]) => x));
  const mostY = Math.max(1e-9, ...points.map(([, y]) => y));
  const [left, top, width, height] = [70, 40, WIDTH - 90, 240];
  const place = ([x, y]: readonly [number, number]): string =>
    `${(left + (x / mostX) * width).toFixed(1)},${(top + height - (y / mostY) * height).toFixed(1)}`;
  const lines = series.map(
    (one, index) =>
      `<polyline fill="none" stroke="${COLOURS[index % COLOURS.length]}" stroke-width="1.5" points="${one.points.map(place).join(" ")}"/>` +
      text(left + index * 170, top + height + 42, one.name, "start", COLOURS[index % COLOURS.length]),
  );
  const axes =
    `<path d="M${left} ${top}V${top + height}H${left + width}" fill="none" stroke="#888"/>` +
    text(left - 6, top + 8, `${format(mostY)} ${units.y}`, "end") +
    text(left - 6, top + height, "0", "end") +
    text(left + width, top + height + 18, `${format(mostX)} ${units.x}`, "end");
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

/** The parts of plotly.js that the pages use. */
interface PlotlyAxis {
  _offset: number;
  _length: number;
  type: string;
  title?: { text?: string };
  range: [number, number];
  c2p(value: number): number;
  d2c(value: unknown): number;
}
interface PlotlyTrace {
  type: string;
  name?: string;
  orientation?: string;
  x?: ArrayLike<unknown>;
  y?: ArrayLike<unknown>;
  z?: ArrayLike<ArrayLike<number>>;
  visible?: boolean | string;
  hoverinfo?: string;
  meta?: { run: number | null; runs?: number[]; part?: string; metric?: string; layer?: number; iteration?: number; iterations?: number[]; width?: number };
  line?: { color?: string; width?: number; dash?: string };
  marker?: { color?: string };
  fillcolor?: string;
}
interface PlotlyMeta {
  title: string;
  layers?: string[];
  iterations?: number[];
  quantity?: string;
  unit?: string;
  empty?: string;
  live?: string;
  layer?: string;
  height?: "absolute" | "relative" | "cumulative";
}
interface PlotlyElement extends HTMLElement {
  data: PlotlyTrace[];
  layout: Record<string, unknown> & { meta: PlotlyMeta; xaxis?: { categoryarray?: string[] }; yaxis?: { categoryarray?: string[] } };
  _fullData: PlotlyTrace[];
  _fullLayout: { xaxis: PlotlyAxis; yaxis: PlotlyAxis; paper_bgcolor: string; font: { color: string; family: string } };
  on(name: string, listener: (event: PlotlyClick) => void): void;
}
interface PlotlyPoint {
  x: unknown;
  y: unknown;
  pointNumber: number | [number, number];
  data: PlotlyTrace;
}
interface PlotlyClick {
  points: PlotlyPoint[];
}
interface PlotlyFigure {
  data: PlotlyTrace[];
  layout: Record<string, unknown> & { meta: PlotlyMeta };
}
declare const Plotly: {
  react(element: HTMLElement, data: PlotlyTrace[], layout: object, config: object): Promise<PlotlyElement>;
  restyle(element: HTMLElement, changes: object, traces: number[]): Promise<unknown>;
  downloadImage(figure: object, options: object): Promise<unknown>;
  Plots: { resize(element: HTMLElement): Promise<unknown> };
  Fx: {
    hover(element: HTMLElement, points: object, subplot: string, silent: boolean): void;
    unhover(element: HTMLElement, event: object): void;
  };
  purge(element: HTMLElement): void;
};

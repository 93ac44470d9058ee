import { intoRows } from './lanes.js';
import { type Palette, onPalette } from './palette.js';
import { type Process } from './processes.js';
import { type Exchange, type Recording } from './recording.js';

/** Sizes are CSS pixels. */
const PIXELS_A_SECOND = 46;
const LABEL_HEIGHT = 20;
const LANE_GAP = 10;
const PROCESS = { rows: 3, height: 24 };
const SOCKET = { height: 10 };
const ANSWER = { height: 40, width: 3, least: 7, forEachDecade: 11 };
const SLOW = { rows: 4, height: 14 };
const EDGE = 6;
const RADIUS = 4;
const TEXT_SIZE = 12;
const TEXT_GAP = 8;
/** As wide as it is drawn. */
const FAILED_MARK_MS = 60;
/** A canvas that is narrower has no room for a hint. */
const HINT_FROM_WIDTH = 520;
const GRID_EVERY_MS = 5_000;
/** An answer that takes longer is a bar, and a shorter one a stroke. */
export const SLOW_FROM_MS = 250;
/** For people who prefer less motion. */
const CALM_FRAME_MS = 500;

/** Draws the recording on a canvas, again and again: the last seconds, newest on the right. */
export class Timeline {
  readonly #canvas: HTMLCanvasElement;
  readonly #recording: Recording;
  readonly #context: CanvasRenderingContext2D;
  #palette!: Palette;
  #width = 0;
  #now = 0;

  constructor(canvas: HTMLCanvasElement, recording: Recording) {
    this.#canvas = canvas;
    this.#recording = recording;
    this.#context = canvas.getContext('2d')!;
    onPalette((palette) => {
      this.#palette = palette;
    });
  }

  run(): void {
    const calm = matchMedia('(prefers-reduced-motion: reduce)');
    let drawn = 0;
    const frame = (time: number): void => {
      if (!calm.matches || time - drawn >= CALM_FRAME_MS) {
        drawn = time;
        this.#draw();
      }
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  #draw(): void {
    this.#fit();
    this.#now = performance.now();
    this.#recording.forget(this.#now - (this.#width / PIXELS_A_SECOND) * 1_000);
    this.#drawGrid();
    let top = this.#drawLabel('Processes', 0);
    this.#drawProcesses(top);
    top = this.#drawLabel('One WebSocket', top + PROCESS.rows * PROCESS.height + LANE_GAP);
    this.#drawSocket(top);
    top = this.#drawLabel('Answers: the longer it took, the higher', top + SOCKET.height + LANE_GAP);
    this.#drawAnswers(top);
    top = this.#drawLabel('Slow requests: from the question to the answer', top + ANSWER.height + LANE_GAP);
    this.#drawSlow(top);
  }

  /** As many pixels as the screen has for it. */
  #fit(): void {
    const { clientWidth, clientHeight } = this.#canvas;
    const ratio = devicePixelRatio;
    const [width, height] = [Math.round(clientWidth * ratio), Math.round(clientHeight * ratio)];
    if (this.#canvas.width !== width) this.#canvas.width = width;
    if (this.#canvas.height !== height) this.#canvas.height = height;
    this.#width = clientWidth;
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#context.clearRect(0, 0, clientWidth, clientHeight);
  }

  /** Where a time is; undefined is now. */
  #x(time: number | undefined): number {
    return this.#width - EDGE - ((this.#now - (time ?? this.#now)) / 1_000) * PIXELS_A_SECOND;
  }

  #drawGrid(): void {
    const context = this.#context;
    for (let ago = 0; this.#x(this.#now - ago) > 0; ago += GRID_EVERY_MS) {
      const x = Math.round(this.#x(this.#now - ago));
      context.fillStyle = this.#palette.line;
      context.fillRect(x, 0, 1, this.#canvas.clientHeight);
      if (ago > 0) this.#write(`${ago / 1_000} s ago`, x + 4, this.#canvas.clientHeight - 2, this.#palette.muted, 'bottom');
    }
  }

  /** @returns the top of what is below it. */
  #drawLabel(text: string, top: number): number {
    this.#write(text, 0, top + LABEL_HEIGHT / 2 - 1, this.#palette.muted);
    return top + LABEL_HEIGHT;
  }

  #drawProcesses(top: number): void {
    const { list } = this.#recording.processes;
    for (const { item, row } of intoRows(list, PROCESS.rows, 0)) this.#drawProcess(item, top + row * PROCESS.height);
  }

  #drawProcess(process: Process, top: number): void {
    const { pid, from, serving, draining, until, failed } = process;
    const colour = failed && serving === undefined ? this.#palette.muted : this.#colourOf(pid);
    const height = PROCESS.height - 4;
    this.#bar({ from, until: serving ?? until, top, height, colour, alpha: 0.25 });
    if (serving !== undefined) this.#bar({ from: serving, until: draining ?? until, top, height, colour, alpha: 1 });
    if (draining !== undefined) this.#bar({ from: draining, until, top, height, colour, alpha: 0.45 });
    const middle = top + height / 2 + 0.5;
    if (serving === undefined) {
      if (!failed) this.#write('starting', Math.max(this.#x(from), 0) + TEXT_GAP, middle, this.#palette.text);
    } else {
      const x = Math.max(this.#x(serving), 0) + TEXT_GAP;
      const onSolid = this.#x(draining ?? until) - x > TEXT_SIZE * 2;
      this.#write(`pid ${pid}`, x, middle, onSolid ? this.#palette.card : this.#palette.text);
    }
    if (!failed) return;
    this.#bar({ from: until!, until: until! + FAILED_MARK_MS, top, height, colour: this.#palette.lost, alpha: 1 });
    this.#write(serving === undefined ? 'could not start' : 'died', this.#x(until) + TEXT_GAP, middle, this.#palette.lost);
  }

  #drawSocket(top: number): void {
    for (const { from, until, pid } of this.#recording.stretches) {
      this.#bar({ from, until, top, height: SOCKET.height, colour: this.#colourOf(pid), alpha: 1 });
    }
  }

  #drawAnswers(top: number): void {
    const context = this.#context;
    for (const exchange of this.#recording.exchanges) {
      const { from, until, pid, lost } = exchange;
      if (until === undefined || (this.#isSlow(exchange) && !lost)) continue;
      const decades = Math.log10(Math.max(until - from, 1));
      const height = lost ? ANSWER.height : Math.min(ANSWER.least + ANSWER.forEachDecade * decades, ANSWER.height);
      context.fillStyle = lost ? this.#palette.lost : this.#colourOfAnswer(pid);
      context.beginPath();
      context.roundRect(this.#x(until) - ANSWER.width, top + ANSWER.height - height, ANSWER.width, height, ANSWER.width / 2);
      context.fill();
    }
  }

  #drawSlow(top: number): void {
    const slow = this.#recording.exchanges.filter((exchange) => this.#isSlow(exchange));
    if (slow.length === 0 && this.#width > HINT_FROM_WIDTH) {
      this.#write('Send one, then restart: the old process still answers it.', 0, top + TEXT_SIZE, this.#palette.muted);
    }
    for (const { item, row } of intoRows(slow, SLOW.rows, 0)) {
      const { from, until, pid, lost } = item;
      const colour = lost ? this.#palette.lost : this.#colourOfAnswer(pid);
      this.#bar({ from, until, top: top + row * SLOW.height, height: SLOW.height - 4, colour, alpha: until === undefined ? 0.6 : 1 });
    }
  }

  #isSlow({ from, until }: Exchange): boolean {
    return (until ?? this.#now) - from >= SLOW_FROM_MS;
  }

  #bar({ from, until, top, height, colour, alpha }: Bar): void {
    const context = this.#context;
    const [left, right] = [Math.max(this.#x(from), -RADIUS), this.#x(until)];
    if (right < 0) return;
    context.globalAlpha = alpha;
    context.fillStyle = colour;
    context.beginPath();
    context.roundRect(left, top, Math.max(right - left, 1), height, RADIUS);
    context.fill();
    context.globalAlpha = 1;
  }

  #write(text: string, x: number, y: number, colour: string, baseline: CanvasTextBaseline = 'middle'): void {
    const context = this.#context;
    context.font = `${TEXT_SIZE}px ${this.#palette.font}`;
    context.textBaseline = baseline;
    context.fillStyle = colour;
    context.fillText(text, x, y);
  }

  /** Grey as long as it is not known who answers. */
  #colourOfAnswer(pid: number | undefined): string {
    return pid === undefined ? this.#palette.muted : this.#colourOf(pid);
  }

  #colourOf(pid: number | undefined): string {
    const { processes } = this.#palette;
    return processes[this.#recording.processes.colourOf(pid) % processes.length]!;
  }
}

interface Bar {
  readonly from: number;
  /** Undefined: it goes on. */
  readonly until: number | undefined;
  readonly top: number;
  readonly height: number;
  readonly colour: string;
  readonly alpha: number;
}
